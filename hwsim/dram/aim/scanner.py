"""The text of AiM traces at speed: bytes to encoded instructions.

The rules are those of `trace.parse_line`, which also produces the error message for a line that this scanner refuses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.aim.isa import CODES, OPERATIONS, TRACE_OPERATIONS
from hwsim.dram.aim.trace import Limits
from hwsim.dram.native.function import CompiledFunction

Ints = NDArray[np.int64]
_FIELDS = ("opsize", "gpr0", "gpr1", "mask", "bank", "row")
NAME = 16  # bytes of the longest word with a meaning
WORDS = 8  # one more than the words of the longest instruction
_SCAN = CompiledFunction("hwsim.dram.aim.scan_kernel", "scan")


def _tables() -> tuple[NDArray[np.uint8], Ints]:
    """Names of the operations padded with zeros, and for each operation the field at each place (-1 after the last)."""
    names = np.zeros((len(TRACE_OPERATIONS), NAME), dtype=np.uint8)
    fields = np.full((len(TRACE_OPERATIONS), WORDS), -1, dtype=np.int64)
    for index, name in enumerate(TRACE_OPERATIONS):
        names[index, : len(name)] = list(name.encode())
        for place, field in enumerate(OPERATIONS[name].fields):
            fields[index, place] = _FIELDS.index(field)
    return names, fields


_NAMES, _PLACES = _tables()
_NAME_CODES = np.array([CODES[name] for name in TRACE_OPERATIONS], dtype=np.int64)


def scan(data: NDArray[np.uint8], out: Ints, lines: Ints, limits: Limits) -> tuple[int, int, int]:
    """Encode the whole lines of `data`.

    Parameters
    ----------
    data : bytes; the last line ends with a newline
    out : (at least the number of lines, 5), filled with instructions
    lines : (as long), filled with each instruction's line, counted from 0

    Returns
    -------
    The number of instructions, the number of lines read, and 1 if it stopped at the next line because that is wrong.
    """
    bounds = np.array([limits.channels, limits.banks, limits.rows, limits.columns], dtype=np.int64)
    found, words = np.zeros(3, dtype=np.int64), np.empty((2, WORDS), dtype=np.int64)
    _SCAN(data, out, lines, found, words, bounds, _NAMES, _PLACES, _NAME_CODES)
    count, read, wrong = found.tolist()
    return count, read, wrong
