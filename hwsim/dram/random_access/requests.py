"""What a host asks of a memory: reads and writes at addresses, which may have arrival times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NO_ARRIVAL = -1


class Requests(NamedTuple):
    """Requests in the order in which the host offers them.

    Attributes
    ----------
    writes : (n,) whether each writes
    addresses : (n,) in bytes
    arrivals : (n,) cycles before which each is not offered, never falling; NO_ARRIVAL where it is offered as soon as
        those before it are taken
    """

    writes: NDArray[np.bool_]
    addresses: Ints
    arrivals: Ints

    @property
    def size(self) -> int:
        return len(self.addresses)

    def first(self, number: int) -> Requests:
        """The first of them, at most so many."""
        return Requests(self.writes[:number], self.addresses[:number], self.arrivals[:number])


def untimed(writes: NDArray[np.bool_], addresses: Ints) -> Requests:
    """Requests without arrival times."""
    return Requests(writes, addresses, np.broadcast_to(np.int64(NO_ARRIVAL), addresses.shape))


def joined(chunks: Iterable[Requests]) -> Requests:
    """All chunks as one."""
    parts = [untimed(np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.int64)), *chunks]
    return Requests(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
