"""Counting visits to rows, compiled."""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled
from hwsim.dram.random_access.digits import Part


@compiled
def count(places, window, seen, recent, sizes, counts):
    """Count visits (`RowVisits`); return the number of requests.

    Parameters
    ----------
    places : (len(Part), n) of the requests
    seen : (channels,) requests before
    recent : (channels, banks, window + 1, 2) rows of a bank that the last requests used, and when: the last one last
    sizes : (channels, banks) how many those are
    """
    for i in range(places.shape[1]):
        c, bank, row = places[Part.CHANNEL, i], places[Part.BANK, i], places[Part.ROW, i]
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
    return places.shape[1]
