"""Requests played at one rate: what the memory delivered, and how long each request took from its arrival."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.requests import Ints, Requests
from hwsim.dram.random_access.served import LatencyCounts, Served

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


def play_load(
    requests: Requests, rate: Fraction, mapping: AddressMapping, parameters: ControllerParameters
) -> LoadPoint:
    """Play requests on an idle memory; number i, from 0, arrives at cycle floor(i / rate).

    The memory takes them in order, up to one for each channel in a cycle. A request that is not taken waits, and its
    latency goes on.

    Parameters
    ----------
    rate : requests a cycle, above 0
    """
    timed = requests._replace(arrivals=arrival_of(np.arange(requests.size), rate))
    player = MemoryPlayer(mapping, parameters, width=mapping.channels)
    served = player.play([coalesce(timed)])
    return LoadPoint(offered=rate, requests=requests.size, last_taken=player.last_taken, served=served)


def arrival_of(number: Number, rate: Fraction) -> Number:
    """When a request arrives, or each of several."""
    return number * rate.denominator // rate.numerator
