"""Requests to runs: what follows a rule becomes one row of `state.RunField`, the rest one row each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.random_access.fields import NOBODY, RunField
from hwsim.dram.random_access.requests import NO_ARRIVAL, Ints, Requests


def coalesce(requests: Requests) -> Ints:
    """Runs that are these requests one by one, in the same order.

    Three or more neighbours of one kind and one arrival, or none, whose addresses lie equally far apart become one
    run. Two such series may share a request: it belongs to the first.

    Returns
    -------
    (runs, len(RunField)) with beats of one byte, which are one access each; nobody waits for their completion, and
    where requests have arrivals, latency counts from these too
    """
    joined = _joined(requests)
    begins = np.flatnonzero(~joined)
    runs = np.zeros((len(begins), len(RunField)), dtype=np.int64)
    runs[:, RunField.WRITE] = requests.writes[begins]
    runs[:, RunField.ADDRESS] = requests.addresses[begins]
    counts = np.diff(begins, append=requests.size)
    runs[:, RunField.COUNT] = counts
    long = np.flatnonzero(counts > 1)
    runs[long, RunField.STRIDE] = requests.addresses[begins[long] + 1] - requests.addresses[begins[long]]
    runs[:, RunField.SIZE] = 1
    runs[:, RunField.TICKET] = NOBODY
    arrivals = requests.arrivals[begins]
    runs[:, RunField.ARRIVAL] = np.maximum(arrivals, 0)
    runs[:, RunField.TIMED] = arrivals != NO_ARRIVAL
    return runs


def _joined(requests: Requests) -> NDArray[np.bool_]:
    """(n,) whether each request belongs to the run of the one before it."""
    joined = np.zeros(requests.size, dtype=np.bool_)
    if requests.size < 3:
        return joined
    steps = np.diff(requests.addresses)
    alike = requests.writes[1:] == requests.writes[:-1]
    alike &= requests.arrivals[1:] == requests.arrivals[:-1]
    # a step that repeats the one before it belongs to a series, and so does the one that it repeats
    repeats = np.zeros(len(steps), dtype=np.bool_)
    repeats[1:] = (steps[1:] == steps[:-1]) & alike[1:] & alike[:-1]
    series = repeats.copy()
    series[:-1] |= repeats[1:]
    # the first step of a series does not join if its request is already the last of another series
    joined[1:] = series
    joined[2:] &= repeats[1:] | ~series[:-1]
    return joined
