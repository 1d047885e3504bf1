"""The time of one burst on a channel of its own, as tables: made by playing the memory, read instead of playing it.

A DMA engine has a channel for itself and one burst at a time on its way. It offers the next one when the channel has
settled again: nothing waits, no row is open, nothing but a refresh keeps a command waiting. Then the time of a burst
hangs on its direction, its accesses within a block, and on refresh: on the cycles since the last one was issued, and on
those until the next one is due. Refreshes fall due at multiples of the period, however late the last one was issued.

A burst that arrives at a cycle finds its row in the tables so, in integers:

    at = max(arrival, quiet)                    # in cycle 0 nothing is refreshed
    begin = at // period * period               # when the last refresh was due
    since = at - max(begin, refreshed)          # cycles since it was issued
    index = since if since < quiet else at - begin
    done = arrival + cycles[index]
    if late[index]:                             # the burst keeps the next refresh waiting
        refreshed = begin + period + late[index]

`refreshed` is 0 at first, and all that a channel has to remember. `Refreshed` is this in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.burst_play import Burst, Played, play_alone, play_at
from hwsim.errors import DramError

Ints = NDArray[np.int64]
MOST_TABLES = 512  # of some 100 KB each; a block of 16 rows has 136 stretches of rows, read or written


@dataclass(frozen=True, kw_only=True, eq=False)
class BurstTimes:
    """The time of one burst, by `index`, as the module's description says.

    Attributes
    ----------
    period : cycles from one refresh that is due to the next; 1 where the standard is played without refresh
    quiet : cycles after a refresh was issued in which it is felt; below the period
    cycles : (period,) from the arrival to the completion of the last access
    settled : (period,) from the arrival until the next burst may arrive; at least `cycles`
    late : (period,) cycles that the next refresh is issued after it was due, because of this burst
    kind : (period,) row of `kinds`: a burst that is cut by a refresh opens rows again
    kinds : commands of a burst by name; refreshes are not among them
    """

    period: int
    quiet: int
    cycles: Ints
    settled: Ints
    late: Ints
    kind: Ints
    kinds: tuple[Mapping[str, int], ...]

    def commands(self, index: int) -> Mapping[str, int]:
        """Commands that a burst takes."""
        return self.kinds[int(self.kind[index])]


class Refreshed:
    """What a channel has to remember between bursts: when its last refresh was issued, if a burst made it late.

    Attributes
    ----------
    cycle : in which the last refresh that was late was issued, 0 for none
    """

    def __init__(self) -> None:
        self.cycle = 0

    def index(self, times: BurstTimes, arrival: int) -> int:
        """The row of a burst that arrives at a cycle; notes the refresh that it keeps waiting.

        Raises
        ------
        DramError : the channel cannot have settled by then
        """
        at = max(arrival, times.quiet)
        begin = at // times.period * times.period
        since = at - max(begin, self.cycle)
        if since < 0:
            raise DramError(f"a burst arrives at cycle {arrival}, before the refresh at cycle {self.cycle} was issued")
        index = since if since < times.quiet else at - begin
        if times.late[index]:
            self.cycle = begin + times.period + int(times.late[index])
        return index


def burst_times(channel: BurstChannel, *, write: bool, offset: int, size: int) -> BurstTimes:
    """The table of bursts of `size` bytes at an offset of a block; made once for equal channels and accesses.

    Raises
    ------
    DramError : a burst that leaves its block, or takes longer than there is time between two refreshes
    """
    if offset < 0 or size < 1 or offset + size > channel.block_bytes:
        raise DramError(
            f"bursts on {channel.standard.name}: {size} B at offset {offset} are not within a block of "
            f"{channel.block_bytes} B"
        )
    column = channel.standard.column_bytes
    return _table(channel, Burst(write=write, first=offset // column, last=(offset + size - 1) // column))


@lru_cache(maxsize=MOST_TABLES)
def _table(channel: BurstChannel, burst: Burst) -> BurstTimes:
    """Phases in which no refresh is felt are all alike; the others are played.

    Phases below `quiet` stand for cycles since a refresh that may have been late, so that there may be less time to the
    next than in the play: the burst must have settled before it.
    """
    alone = play_alone(channel, burst)
    if channel.standard.refresh is None:
        return _times(channel, alone, np.zeros(1, dtype=np.int64))
    period, quiet, settled = channel.period, channel.quiet, int(alone.settled[0])
    _check_period(channel, quiet + settled + channel.most_late)
    phases = np.concatenate([np.arange(quiet + 1), np.arange(period - settled + 1, period)])
    row = np.full(period, quiet)
    row[phases] = np.arange(len(phases))
    times = _times(channel, play_at(channel, burst, phases), row)
    felt = np.arange(quiet)
    _check_period(channel, int((felt + times.settled[felt]).max()) + channel.most_late)
    return times


def _times(channel: BurstChannel, played: Played, row: Ints) -> BurstTimes:
    """Tables by phase from what was played, `row` being where each phase was."""
    counts, kind = np.unique(played.commands, axis=0, return_inverse=True)
    names = list(channel.standard.commands)
    arrays = [played.cycles[row], played.settled[row], played.late[row], kind.reshape(-1)[row]]
    for array in arrays:
        array.flags.writeable = False
    cycles, settled, late, kinds = arrays
    return BurstTimes(
        period=channel.period,
        quiet=channel.quiet,
        cycles=cycles,
        settled=settled,
        late=late,
        kind=kinds,
        kinds=tuple({name: n for name, n in zip(names, each, strict=True) if n} for each in counts.tolist()),
    )


def _check_period(channel: BurstChannel, cycles: int) -> None:
    """There must be so many cycles between two refreshes that are due."""
    if cycles > channel.period:
        raise DramError(
            f"bursts on {channel.standard.name}: a refresh and a burst take up to {cycles} cycles, "
            f"which must be within the {channel.period} from one refresh to the next"
        )
