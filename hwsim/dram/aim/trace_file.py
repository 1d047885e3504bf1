"""Trace files of any length as chunks of checked instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from hwsim.dram.aim.isa import CODES, COLUMNS, Ints
from hwsim.dram.aim.scanner import scan
from hwsim.dram.aim.trace import Limits, parse_line
from hwsim.errors import TraceError
from hwsim.text_chunks import count_lines, whole_lines

_EOC = CODES["EOC"]


def read_file(path: Path, limits: Limits, progress: Callable[[int, int], None] | None = None) -> Iterator[Ints]:
    """The instructions of a trace file, encoded, in chunks.

    Raises
    ------
    TraceError : the file cannot be read, or a line is wrong; the message names file and line
    """
    first_line, ended = 1, False
    for data in whole_lines(path, progress):
        size = count_lines(path, data, first_line)
        program = np.empty((size, len(COLUMNS)), dtype=np.int64)
        lines = np.empty(size, dtype=np.int64)
        count, read, wrong = scan(np.frombuffer(data, dtype=np.uint8), program, lines, limits)
        program = program[:count]
        if ended and count:
            raise TraceError(f"{path}: line {first_line + lines[0]}: instruction after EOC")
        ends = np.flatnonzero(program[:, 0] == _EOC)
        if len(ends) and ends[0] + 1 < count:
            raise TraceError(f"{path}: line {first_line + lines[ends[0] + 1]}: instruction after EOC")
        if wrong:
            line = data.split(b"\n", read + 1)[read].decode("latin-1")
            try:
                parse_line(line, limits)
            except TraceError as cause:
                raise TraceError(f"{path}: line {first_line + read}: {cause}") from None
            raise AssertionError(f"the parsers differ about {line!r}")
        ended = ended or bool(len(ends))
        yield program
        first_line += read
    if not ended:
        raise TraceError(f"{path}: line {first_line}: the trace ends without `AiM EOC`")
