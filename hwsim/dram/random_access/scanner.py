"""Request traces at speed: bytes to requests, by the rules of `trace_line.parse_line`."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.native.function import CompiledFunction
from hwsim.dram.random_access.requests import Ints

MOST_WORDS = 6  # of a line: its kind, a place, an arrival
NOTHING = -1
_SCAN = CompiledFunction("hwsim.dram.random_access.scan_kernel", "scan")


class Found(IntEnum):
    """Columns of what a line says: ADDRESS is NOTHING where it names a place, whose parts are the columns after it."""

    WRITE = 0
    ARRIVAL = 1
    ADDRESS = 2
    CHANNEL = 3
    BANK = 4
    ROW = 5
    COLUMN = 6


def scan(data: NDArray[np.uint8], sizes: Ints, wrap: bool, last: Ints, out: Ints) -> tuple[int, int, bool]:
    """Read whole lines.

    Parameters
    ----------
    data : bytes that end with a newline
    sizes : the limits of ADDRESS and the columns after it
    wrap : whether numbers beyond a limit are taken modulo it
    last : (1,) the last arrival, before and after
    out : (n, len(Found)) for the requests

    Returns
    -------
    The number of requests, of lines read, and whether it stopped at the next line because that is wrong.
    """
    words, ended = np.empty((MOST_WORDS, 2), dtype=np.int64), np.zeros(2, dtype=np.int64)
    count = _SCAN(data, words, sizes, wrap, last, out, ended)
    return count, int(ended[0]), bool(ended[1])
