"""How often rows must be opened for requests: a measure of the requests, not of a controller."""

from __future__ import annotations

import numpy as np

from hwsim.dram.device.compiled import compiled
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.digits import Part
from hwsim.dram.random_access.requests import Ints, Requests

CHANNEL, BANK, ROW = int(Part.CHANNEL), int(Part.BANK), int(Part.ROW)


class RowVisits:
    """Visits to rows.

    A request goes on with a visit if one of the last `window` requests of its channel used its row, or if no other row
    of its bank was used since. With the entries of a channel's queues as window, a controller that reorders as far as
    its queues let it opens a row once a visit.

    Attributes
    ----------
    counts : (channels, banks)
    requests : how many were counted
    """

    def __init__(self, mapping: AddressMapping, window: int) -> None:
        shape = (mapping.channels, mapping.standard.banks)
        self.counts: Ints = np.zeros(shape, dtype=np.int64)
        self.requests = 0
        self._mapping = mapping
        self._window = window
        self._seen = np.zeros(mapping.channels, dtype=np.int64)
        self._recent = np.zeros((*shape, window + 1, 2), dtype=np.int64)
        self._recent_sizes = np.zeros(shape, dtype=np.int64)

    def add(self, requests: Requests) -> None:
        places = self._mapping.places(requests.addresses)
        _count(places, self._window, self._seen, self._recent, self._recent_sizes, self.counts)
        self.requests += requests.size


@compiled
def _count(places, window, seen, recent, sizes, counts):
    """Count visits.

    Parameters
    ----------
    seen : (channels,) requests before
    recent : (channels, banks, window + 1, 2) rows of a bank that the last requests used, and when: the last one last
    sizes : (channels, banks) how many those are
    """
    for i in range(places.shape[0]):
        c, bank, row = places[i, CHANNEL], places[i, BANK], places[i, ROW]
        now = seen[c]
        seen[c] += 1
        size = sizes[c, bank]
        if size > 0 and recent[c, bank, size - 1, 0] == row:
            recent[c, bank, size - 1, 1] = now
            continue
        kept, visited = 0, False
        for k in range(size):
            if now - recent[c, bank, k, 1] > window:
                continue
            if recent[c, bank, k, 0] == row:
                visited = True
                continue
            recent[c, bank, kept, 0] = recent[c, bank, k, 0]
            recent[c, bank, kept, 1] = recent[c, bank, k, 1]
            kept += 1
        recent[c, bank, kept, 0] = row
        recent[c, bank, kept, 1] = now
        sizes[c, bank] = kept + 1
        if not visited:
            counts[c, bank] += 1
