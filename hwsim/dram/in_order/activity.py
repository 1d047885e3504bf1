"""What each channel of a package does over time, from the fast player's logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.log import PlayLog
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.ledger import Entry

Ints = NDArray[np.int64]
# Changes of a quantity: cycles, and what is added in each.
Changes = tuple[Ints, Ints]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelActivity:
    """One channel over some plays, in cycles.

    Attributes
    ----------
    ends : (plays,) the cycle in which the channel's part of a play completed, -1 where it had none
    open_rows : cycles, and the number of banks with an open row from each cycle on. A row counts from its activate to
        its precharge; an access with auto-precharge ends it when it is issued.
    bytes_in_flight : cycles, and the bytes in flight from each cycle on. A run of equally spaced accesses counts its
        peak number of bytes in flight from its first issue to its last completion: single accesses of a run do not
        show.
    """

    ends: Ints
    open_rows: Changes
    bytes_in_flight: Changes


def channel_activity(standard: Standard, channels: int, plays: Sequence[PlayLog]) -> list[ChannelActivity]:
    """Compute each channel's activity; `plays` are consecutive and begin with the first, all banks closed."""
    rules = _Rules.of(standard)
    ends = np.full((channels, len(plays)), -1, dtype=np.int64)
    masks = [0] * channels
    rows: list[list[tuple[int, int]]] = [[(0, 0)] for _ in range(channels)]
    flights: list[list[Changes]] = [[] for _ in range(channels)]
    for index, play in enumerate(plays):
        for number in np.unique(play.class_of).tolist():
            members = np.flatnonzero(play.class_of == number).tolist()
            entries = play.entries[play.entries[:, Entry.CLASS] == number]
            # channels of one class have the same rows open
            changes, mask = rules.open_rows(entries, masks[members[0]])
            flight = rules.bytes_in_flight(entries)
            end = rules.end(entries)
            for channel in members:
                ends[channel, index] = end
                masks[channel] = mask
                rows[channel] += changes
                flights[channel].append(flight)
    return [
        ChannelActivity(ends=ends[c], open_rows=_steps(rows[c]), bytes_in_flight=_sums(flights[c]))
        for c in range(channels)
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rules:
    """What a standard's commands do, by their number.

    Attributes
    ----------
    blocks : banks that a command covers
    opens, closes : whether it opens or closes their rows
    served : whether it is an access or transfer of a program; it then takes `durations` cycles
    bytes_moved : bytes in the banks for an access that computes there, one burst for a transfer
    """

    banks: int
    blocks: Ints
    opens: NDArray[np.bool_]
    closes: NDArray[np.bool_]
    served: NDArray[np.bool_]
    durations: Ints
    bytes_moved: Ints

    @classmethod
    def of(cls, standard: Standard) -> _Rules:
        commands = list(standard.commands.values())
        blocks = np.array([standard.banks_below(c.scope) for c in commands], dtype=np.int64)
        bursts = [
            0 if c.access is None else block if c.access == "compute" else 1
            for c, block in zip(commands, blocks.tolist(), strict=True)
        ]
        return cls(
            banks=standard.banks,
            blocks=blocks,
            opens=np.array([c.kind == "activate" for c in commands]),
            closes=np.array([c.kind == "precharge" or c.auto_precharge for c in commands]),
            served=np.array([c.kind in ("column", "register", "other") for c in commands]),
            durations=np.array([c.duration for c in commands], dtype=np.int64),
            bytes_moved=np.array(bursts, dtype=np.int64) * standard.column_bytes,
        )

    def open_rows(self, entries: Ints, mask: int) -> tuple[list[tuple[int, int]], int]:
        """(cycle, banks open from then on) for each change, and the banks open at the end, one bit per bank."""
        commands = entries[:, Entry.COMMAND]
        changing = entries[self.opens[commands] | self.closes[commands]]
        changes = []
        for cycle, command, bank in changing[:, Entry.CYCLE : Entry.ROW].tolist():
            block = int(self.blocks[command])
            covered = ((1 << block) - 1) << (max(bank, 0) // block * block)
            mask = mask | covered if self.opens[command] else mask & ~covered
            changes.append((cycle, mask.bit_count()))
        return changes, mask

    def bytes_in_flight(self, entries: Ints) -> Changes:
        """What each run adds at its first issue and takes away at its last completion."""
        commands = entries[:, Entry.COMMAND]
        moving = self.bytes_moved[commands] > 0
        runs, commands = entries[moving], commands[moving]
        at_once = np.minimum(runs[:, Entry.ISSUES], -(-self.durations[commands] // runs[:, Entry.SPACING]))
        added = self.bytes_moved[commands] * at_once
        cycles = np.concatenate([runs[:, Entry.CYCLE], self._completions(runs)])
        return cycles, np.concatenate([added, -added])

    def end(self, entries: Ints) -> int:
        """The cycle in which the last access or transfer completes, -1 if there is none."""
        served = entries[self.served[entries[:, Entry.COMMAND]]]
        return int(self._completions(served).max(initial=-1))

    def _completions(self, entries: Ints) -> Ints:
        last_issue = entries[:, Entry.CYCLE] + (entries[:, Entry.ISSUES] - 1) * entries[:, Entry.SPACING]
        completions: Ints = last_issue + self.durations[entries[:, Entry.COMMAND]]
        return completions


def _steps(points: Iterable[tuple[int, int]]) -> Changes:
    """Points of a step function, without points that change nothing; of several at one cycle the last holds."""
    cycles, values = np.array(list(points), dtype=np.int64).T
    last = np.append(np.diff(cycles) > 0, True)
    cycles, values = cycles[last], values[last]
    moved = np.append(True, np.diff(values) != 0)
    return cycles[moved], values[moved]


def _sums(changes: Sequence[Changes]) -> Changes:
    """The running sum of changes, from 0 at cycle 0 on."""
    at = np.concatenate([[0], *(cycles for cycles, _ in changes)]).astype(np.int64)
    cycles, place = np.unique(at, return_inverse=True)
    added = np.zeros(len(cycles), dtype=np.int64)
    np.add.at(added, place, np.concatenate([[0], *(amounts for _, amounts in changes)]).astype(np.int64))
    moved = added != 0
    moved[0] = True
    return cycles[moved], np.cumsum(added)[moved]
