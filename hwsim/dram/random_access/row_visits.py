"""How often rows must be opened for requests: a measure of the requests, not of a controller."""

from __future__ import annotations

import numpy as np

from hwsim.dram.native.function import CompiledFunction
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.requests import Ints, Requests

COUNT = CompiledFunction("hwsim.dram.random_access.row_visit_kernel", "count")


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
        COUNT(np.ascontiguousarray(places.T), self._window, self._seen, self._recent, self._recent_sizes, self.counts)
        self.requests += requests.size
