"""Many plays of one burst as one play of the memory: each in a refresh period of its own, at a phase of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.fields import Logged
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Burst:
    """Accesses `first` to `last` of a block, counted in column accesses."""

    write: bool
    first: int
    last: int

    def run(self, channel: BurstChannel, arrival: int) -> Run:
        """The burst in the first block."""
        column = channel.standard.column_bytes
        size = (self.last - self.first + 1) * column
        return Run(write=self.write, address=self.first * column, size=size, arrival=arrival)


class Played(NamedTuple):
    """What n bursts did.

    Attributes
    ----------
    cycles : (n,) from the arrival to the completion
    settled : (n,) from the arrival until no command waits for one of the burst's; at least `cycles`
    late : (n,) cycles from when the next refresh after the arrival fell due until it was issued
    commands : (n, commands of the standard) how many, without refreshes
    """

    cycles: Ints
    settled: Ints
    late: Ints
    commands: Ints


def play_alone(channel: BurstChannel, burst: Burst) -> Played:
    """Play a burst once, without refresh."""
    mapping = replace(channel.address_mapping, standard=channel.standard.without_refresh())
    arrivals = np.zeros(1, dtype=np.int64)
    done, log = _play(channel, mapping, burst, arrivals, 0)
    return _sorted_out(channel, arrivals, done, log, np.zeros(1, dtype=np.int64))


def play_at(channel: BurstChannel, burst: Burst, phases: Ints) -> Played:
    """Play a burst at phases of the refresh period, the n-th in period 2 n + 1: between two, the channel settles."""
    periods = 2 * np.arange(len(phases)) + 1
    arrivals = periods * channel.period + phases
    done, log = _play(channel, channel.address_mapping, burst, arrivals, int(periods[-1] + 1) * channel.period + 1)
    refreshing = log[:, Logged.COMMAND] == channel.refresh_number
    # refresh k falls due at (k + 1) periods, so that the next one after the n-th arrival is number 2 n + 1
    late = log[refreshing, Logged.CYCLE][periods] - (periods + 1) * channel.period
    return _sorted_out(channel, arrivals, done, log[~refreshing], late)


def _play(
    channel: BurstChannel, mapping: AddressMapping, burst: Burst, arrivals: Ints, until: int
) -> tuple[Ints, Ints]:
    """Completions of the bursts, and all commands, those of a settled channel before `until`."""
    log: list[Ints] = []
    port = MemoryPort(
        mapping,
        channel.parameters,
        [Master(name="dma")],
        on_commands=lambda rows: log.append(rows.copy()),
        room=len(arrivals),
    )
    for arrival in arrivals.tolist():
        port.offer("dma", burst.run(channel, arrival))
    done = [completion.cycle for completion in port.drain()]
    port.advance(max(until, port.cycle))
    return np.array(done), np.concatenate(log)


def _sorted_out(channel: BurstChannel, arrivals: Ints, done: Ints, log: Ints, late: Ints) -> Played:
    """The commands by burst, and when nothing waits for them any more."""
    cycle, command = log[:, Logged.CYCLE], log[:, Logged.COMMAND]
    burst = np.searchsorted(arrivals, cycle, side="right") - 1
    waits = np.array([channel.waits.get(name, 0) for name in channel.standard.commands])
    settled, commands = done.copy(), np.zeros((len(arrivals), len(waits)), dtype=np.int64)
    np.maximum.at(settled, burst, cycle + waits[command])
    np.add.at(commands, (burst, command), 1)
    return Played(done - arrivals, settled - arrivals, late, commands)
