"""Cores for runs of rows: as few as there are, such that no bank is loaded while it is read."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from hwsim.mapping.cores.plan import Ints


def colour(first: Ints, last: Ints, bank_free_after: int) -> Ints:
    """A core for each run, from 0; the smallest number of cores that both ways give.

    A ring replaces the oldest key (the paper's core j mod 2w): the n-th run goes to core n mod `cores`. Where keys do
    not leave in the order in which they came, a run takes the first core that is free.

    Parameters
    ----------
    first, last : (runs,) rows; `first` ascends
    bank_free_after : of the target
    """
    cores = ring_size(first, last, bank_free_after)
    if cores == most_at_once(first, last):
        return np.arange(len(first), dtype=np.int64) % max(1, cores)
    taken = first_free(first, last, bank_free_after)
    if taken.max() + 1 < cores:
        return taken
    return np.arange(len(first), dtype=np.int64) % cores


def most_at_once(first: Ints, last: Ints) -> int:
    """How many runs a row is in, at most."""
    if not len(first):
        return 0
    changes = np.bincount(first, minlength=int(last.max()) + 2) - np.bincount(last + 1, minlength=int(last.max()) + 2)
    return int(np.cumsum(changes).max())


def ring_size(first: Ints, last: Ints, bank_free_after: int) -> int:
    """The fewest cores on which each run may follow the one that is a whole turn before it."""
    if not len(first):
        return 0
    index = np.arange(len(first))
    begun = np.searchsorted(first, last, side="right")  # runs that begin while this one lasts, and those before it
    near = np.searchsorted(first, last + bank_free_after, side="left")  # those that could not be loaded into its bank
    return max(int((begun - index).max()), -(-int((near - index).max()) // 2))


def first_free(first: Ints, last: Ints, bank_free_after: int) -> Ints:
    """For each run the first core that is free in its first row, with a bank that could be loaded in time."""
    free: list[int] = []
    busy: list[tuple[int, int]] = []  # the first row that a core could begin with, and the core
    before: list[int] = []  # of each core the last row of its latest run
    taken = []
    for begin, end in zip(first.tolist(), last.tolist()):
        while busy and busy[0][0] <= begin:
            heappush(free, heappop(busy)[1])
        if not free:
            free.append(len(before))
            before.append(-bank_free_after)  # its other bank is empty
        core = heappop(free)
        heappush(busy, (max(end + 1, before[core] + bank_free_after), core))
        before[core] = end
        taken.append(core)
    return np.array(taken, dtype=np.int64)
