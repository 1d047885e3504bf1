"""Request patterns without a file: addresses in order, or drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.random_access.address import AddressMapping
from hwsim.errors import DramError

PATTERNS = ("stream", "random")
_CHUNK = 1 << 16


def generate(
    pattern: str, mapping: AddressMapping, requests: int, *, read_share: float, seed: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Whether each request writes, and its address, a chunk at a time.

    `stream` goes through the memory access by access and starts again after the end; `random` draws accesses with equal
    probability. Each request is a read with probability `read_share`, drawn independently of the addresses.

    Raises
    ------
    DramError : an unknown pattern, a share outside 0 to 1
    """
    if pattern not in PATTERNS:
        raise DramError(f"no request pattern {pattern!r}; there are {', '.join(PATTERNS)}")
    if not 0 <= read_share <= 1:
        raise DramError(f"the share of reads must be from 0 to 1, got {read_share}")
    kinds, places = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    size = mapping.standard.column_bytes
    blocks = mapping.capacity_bytes // size
    for first in range(0, requests, _CHUNK):
        count = min(_CHUNK, requests - first)
        writes = kinds.random(count) >= read_share
        block = np.arange(first, first + count) % blocks if pattern == "stream" else places.integers(blocks, size=count)
        yield writes, block.astype(np.int64) * size
