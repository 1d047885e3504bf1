"""Requests played at one rate: what the memory delivered, and how long each request took from its arrival."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from hwsim.dram.device.tables import Ints
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.served import LatencyCounts, Served
from hwsim.dram.random_access.state import RunField

Number = TypeVar("Number", int, Ints)


@dataclass(frozen=True, kw_only=True)
class LoadPoint:
    """What one load led to.

    Attributes
    ----------
    offered : requests that arrive in a cycle, on average
    last_taken : the cycle in which the last request entered the memory's queues
    served : of the whole play; its `read_responses` and `write_responses` count from the arrival of a request
    """

    offered: Fraction
    requests: int
    last_taken: int
    served: Served

    @property
    def delivered(self) -> float:
        """Requests a cycle until the last one completed."""
        return self.requests / self.served.cycles

    @property
    def span(self) -> int:
        """The cycle in which the last request arrived."""
        return arrival_of(self.requests - 1, self.offered)

    @property
    def late(self) -> int:
        """Cycles from the arrival of the last request until it is taken: the time that the queue has fallen behind."""
        return self.last_taken - self.span

    @property
    def latencies(self) -> LatencyCounts:
        """Of reads, for which somebody waits; of writes if there are only these."""
        reads = self.served.read_responses
        return reads if reads.total else self.served.write_responses

    @property
    def latency(self) -> float:
        """The mean of `latencies`, in cycles."""
        return self.latencies.mean

    @property
    def longest(self) -> int:
        """The longest of `latencies`, in cycles."""
        return int(self.latencies.cycles[-1])


def play_load(runs: Ints, rate: Fraction, mapping: AddressMapping, parameters: ControllerParameters) -> LoadPoint:
    """Play single accesses on an idle memory; number i, from 0, arrives at cycle floor(i / rate).

    The memory takes them in order, up to one for each channel in a cycle. A request that is not taken waits, and its
    latency goes on.

    Parameters
    ----------
    runs : (n, len(RunField)), as `single_accesses` makes them
    rate : requests a cycle, above 0
    """
    timed = runs.copy()
    timed[:, RunField.ARRIVAL] = arrival_of(np.arange(len(runs)), rate)
    timed[:, RunField.TIMED] = 1
    player = MemoryPlayer(mapping, parameters, width=mapping.channels)
    served = player.play([timed])
    return LoadPoint(offered=rate, requests=len(runs), last_taken=player.last_taken, served=served)


def arrival_of(number: Number, rate: Fraction) -> Number:
    """When a request arrives, or each of several."""
    return number * rate.denominator // rate.numerator
