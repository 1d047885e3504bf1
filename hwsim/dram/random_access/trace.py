"""Request traces: text lines `LD 0x1f40` and `ST 8000`, streamed.

`parse_line` is the slow parser, which also produces every error message; `scanner.scan` reads whole chunks by the same
rules. docs/dram.md has the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.random_access.scanner import scan
from hwsim.errors import TraceError
from hwsim.text_chunks import MAX_LINE_BYTES, whole_lines

Ints = NDArray[np.int64]
_BLANKS = re.compile(r"[ \t\n\v\f\r,]+")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{1,15}|[0-9]{1,15}")


def read_trace(
    path: Path, capacity_bytes: int, *, wrap: bool = False, progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[NDArray[np.bool_], Ints]]:
    """The requests of a file, a chunk at a time: whether each writes, and its address in bytes.

    Parameters
    ----------
    wrap : take addresses modulo the capacity; by default an address beyond it is an error

    Raises
    ------
    TraceError : the file cannot be read, or a line is wrong; the message names file and line
    """
    first_line = 1
    for data in whole_lines(path, progress):
        text = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        too_long = np.flatnonzero(np.diff(ends, prepend=-1) > MAX_LINE_BYTES + 1)
        if len(too_long):
            raise TraceError(f"{path}: line {first_line + too_long[0]}: longer than {MAX_LINE_BYTES} bytes")
        out = np.empty((len(ends), 2), dtype=np.int64)
        count, lines, wrong = scan(text, out, -1 if wrap else capacity_bytes)
        if wrong:
            line = data.split(b"\n", lines + 1)[lines].decode("latin-1")
            try:
                parse_line(line, None if wrap else capacity_bytes)
            except TraceError as cause:
                raise TraceError(f"{path}: line {first_line + lines}: {cause}") from None
            raise AssertionError(f"the parsers differ about {line!r}")
        yield out[:count, 0].astype(np.bool_), out[:count, 1] % capacity_bytes
        first_line += lines


def parse_line(line: str, capacity_bytes: int | None) -> tuple[bool, int] | None:
    """(whether it writes, address) of one line; None for a blank line or a comment.

    Raises
    ------
    TraceError : not a request; the message says what was found and expected, not where
    """
    words = [word for word in _BLANKS.split(line.partition("#")[0]) if word]
    if not words:
        return None
    kind = words[0].upper()
    if kind not in ("LD", "ST"):
        raise TraceError(f"{_shown(words[0])} begins no request; expected LD or ST")
    if len(words) != 2:
        raise TraceError(f"{kind} takes one address, found {len(words) - 1} words")
    if not _ADDRESS.fullmatch(words[1]):
        raise TraceError(f"{_shown(words[1])} is no address; expected decimal or 0x hexadecimal")
    address = int(words[1], 16 if words[1][:2].lower() == "0x" else 10)
    if capacity_bytes is not None and address >= capacity_bytes:
        raise TraceError(f"address {words[1]} is beyond the memory of {capacity_bytes} B; more channels or --wrap help")
    return kind == "ST", address


def _shown(word: str) -> str:
    """A word of a possibly binary file, made fit for a one-line message."""
    return ascii(word if len(word) <= 24 else word[:24] + "...")
