"""Text files of any length, read in chunks of whole lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hwsim.errors import TraceError

MAX_LINE_BYTES = 4096
CHUNK_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # which some editors put in front of a text


def whole_lines(path: Path, progress: Callable[[int, int], None] | None = None) -> Iterator[bytes]:
    """The file in chunks that end with a newline.

    Raises
    ------
    TraceError : the file cannot be read, or an unfinished line is longer than a chunk and `MAX_LINE_BYTES`
    """
    try:
        with path.open("rb") as file:
            total = path.stat().st_size
            rest, done, line = b"", 0, 1
            while chunk := file.read(CHUNK_BYTES):
                if not done:
                    chunk = chunk.removeprefix(BYTE_ORDER_MARK)
                done += len(chunk)
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    whole = rest + chunk[:cut]
                    line += whole.count(b"\n")
                    yield whole
                    rest = chunk[cut:]
                else:
                    rest += chunk
                if len(rest) > MAX_LINE_BYTES:
                    raise TraceError(f"{path}: line {line}: longer than {MAX_LINE_BYTES} bytes")
                if progress:
                    progress(done, max(done, total))
            if rest:
                yield rest + b"\n"
    except OSError as cause:
        raise TraceError(f"{path}: cannot be read: {cause.strerror or cause}") from None


def count_lines(path: Path, data: bytes, first_line: int) -> int:
    """The number of lines in a chunk, whose first one has a number in the file.

    Raises
    ------
    TraceError : a line is longer than `MAX_LINE_BYTES`
    """
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    too_long = np.flatnonzero(np.diff(ends, prepend=-1) > MAX_LINE_BYTES + 1)
    if len(too_long):
        raise TraceError(f"{path}: line {first_line + too_long[0]}: longer than {MAX_LINE_BYTES} bytes")
    return len(ends)
