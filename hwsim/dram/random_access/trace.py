"""Request traces: text lines such as `LD 0x1f40`, `ST ch0 ba3 ro17 co5 @120` and `0x1f40 READ 120`, streamed.

`trace_line.parse_line` is the slow parser, which also produces every error message; `scanner.scan` reads whole chunks
by the same rules. docs/dram.md has the grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.requests import Ints, Requests
from hwsim.dram.random_access.scanner import Found, scan
from hwsim.dram.random_access.trace_line import parse_line
from hwsim.errors import TraceError
from hwsim.text_chunks import count_lines, whole_lines


def read_trace(
    path: Path, mapping: AddressMapping, *, wrap: bool = False, progress: Callable[[int, int], None] | None = None
) -> Iterator[Requests]:
    """The requests of a file for a memory, a chunk at a time.

    Parameters
    ----------
    wrap : take addresses modulo the capacity, and parts of a place modulo how many there are; by default what lies
        beyond the memory is an error

    Raises
    ------
    TraceError : the file cannot be read, or a line is wrong; the message names file and line
    """
    first_line = 1
    last = np.zeros(1, dtype=np.int64)
    sizes = _sizes(mapping)
    for data in whole_lines(path, progress):
        out = np.empty((count_lines(path, data, first_line), len(Found)), dtype=np.int64)
        count, lines, wrong = scan(np.frombuffer(data, dtype=np.uint8), sizes, wrap, last, out)
        if wrong:
            line = data.split(b"\n", lines + 1)[lines].decode("latin-1")
            try:
                parse_line(line, mapping, last=int(last[0]), wrap=wrap)
            except TraceError as cause:
                raise TraceError(f"{path}: line {first_line + lines}: {cause}") from None
            raise AssertionError(f"the parsers differ about {line!r}")
        yield _requests(out[:count], mapping)
        first_line += lines


def _sizes(mapping: AddressMapping) -> Ints:
    """Limits of what a line names, in the order of `Found` from ADDRESS on."""
    standard = mapping.standard
    return np.array(
        [mapping.capacity_bytes, mapping.channels, standard.banks, standard.rows, standard.columns], dtype=np.int64
    )


def _requests(found: Ints, mapping: AddressMapping) -> Requests:
    addresses = found[:, Found.ADDRESS].copy()
    by_place = np.flatnonzero(addresses < 0)
    if len(by_place):
        addresses[by_place] = mapping.addresses_of(found[by_place, Found.CHANNEL :])
    return Requests(found[:, Found.WRITE].astype(np.bool_), addresses, found[:, Found.ARRIVAL].copy())
