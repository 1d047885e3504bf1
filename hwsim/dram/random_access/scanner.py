"""Request traces at speed: bytes to requests, by the rules of `trace.parse_line`."""

from __future__ import annotations

import numpy as np
from numba import njit

from hwsim.dram.aim.scan_kernel import _blank, _number, _upper


@njit(cache=True)
def scan(data, out, capacity):
    """Encode whole lines; returns requests, lines read, and whether it stopped at a wrong line."""
    count, line, at = 0, 0, 0
    starts = np.zeros(2, np.int64)
    ends = np.zeros(2, np.int64)
    while at < data.size:
        words = 0
        while at < data.size and data[at] != 10 and data[at] != 35:
            if _blank(data[at]):
                at += 1
                continue
            begin = at
            while at < data.size and data[at] != 10 and data[at] != 35 and not _blank(data[at]):
                at += 1
            if words < 2:
                starts[words] = begin
                ends[words] = at
            words += 1
        while at < data.size and data[at] != 10:  # a comment
            at += 1
        if words:
            kind = _kind(data, starts[0], ends[0])
            address = _number(data, starts[1], ends[1]) if words == 2 else -1
            if kind < 0 or address < 0 or (capacity >= 0 and address >= capacity):
                return count, line, True
            out[count, 0] = kind
            out[count, 1] = address
            count += 1
        line += 1
        at += 1
    return count, line, False


@njit(cache=True)
def _kind(data, begin, end):
    """0 for LD, 1 for ST, -1 for anything else."""
    if end - begin != 2:
        return -1
    a, b = _upper(data[begin]), _upper(data[begin + 1])
    if a == 76 and b == 68:
        return 0
    return 1 if a == 83 and b == 84 else -1
