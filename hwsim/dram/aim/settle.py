"""What of the channels' state matters after a barrier.

No request is left, so only open rows and running constraints reach beyond. Times count from the barrier, rows are
numbered in the order in which they appear, since only their equality matters, and channels of equal state become one
class again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.ledger import NOT_OPEN, Total, counters
from hwsim.dram.aim.state import Channels, Control, new_channels
from hwsim.dram.aim.tables import AimTables, Rule
from hwsim.dram.device.standard import Standard
from hwsim.dram.device.state import CLOSED, BankState
from hwsim.dram.device.tables import NEVER

FOREIGN = 1 << 40  # rows by number, from here on


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """Classes of channels after a barrier, with rows by number.

    Attributes
    ----------
    control, banks : as in `Channels`, in an order that follows from the members of the classes
    rows : the row of each number; rows of activation functions keep theirs
    counted : channels of each class before equal ones became one, as bits of a mask, and their counters
    """

    control: Ints
    banks: BankState
    rows: tuple[int, ...]
    counted: list[tuple[int, Ints]]

    def __len__(self) -> int:
        return len(self.control)

    def digest(self) -> bytes:
        """The same for equal states."""
        digest = blake2b(digest_size=16)
        for array in (self.control, *self.banks):
            digest.update(array.tobytes())
        return digest.digest()


class Settlement:
    """Reduces states after a barrier to what matters, and makes states again of that."""

    def __init__(self, standard: Standard, tables: AimTables) -> None:
        self.tables = tables
        self.standard = standard
        self._refreshed = bool(tables.refresh[Rule.INTERVAL])

    def at_start(self, channels: int) -> Settled:
        """Channels of which nothing was asked yet."""
        first = new_channels(self.tables, 1)
        first.control[0, Control.MEMBERS] = (1 << channels) - 1
        return Settled(control=first.control, banks=first.banks, rows=(), counted=[])

    def settle(self, channels: Channels, now: int) -> Settled:
        """Settle after a barrier that was answered in cycle `now`; changes `channels`."""
        counted = list(zip(channels.control[:, Control.MEMBERS].tolist(), counters(channels.ledger, now), strict=True))
        self._forget(channels.control, channels.banks, now)
        control, banks = _merge(channels.control, channels.banks)
        rows = self._number_rows(banks)
        return Settled(control=control, banks=banks, rows=rows, counted=counted)

    def resume(self, settled: Settled, rows: tuple[int, ...], classes: int) -> Channels:
        """Channels with room for `classes`, and a row for each number; a row may stay a number, from `FOREIGN` on."""
        channels = new_channels(self.tables, classes)
        found = len(settled)
        channels.control[:found] = settled.control
        for array, kept in zip(channels.banks, settled.banks, strict=True):
            array[:found] = kept
        opened = channels.banks.open_rows[:found]
        numbered = opened >= FOREIGN
        opened[numbered] = np.array(rows, dtype=np.int64)[opened[numbered] - FOREIGN]
        channels.banks.common_row[:found] = _common_row(opened)
        any_open = channels.banks.open_banks[:found] > 0
        channels.ledger.totals[:found, Total.OPEN_SINCE] = np.where(any_open, 1, NOT_OPEN)
        return channels

    def _forget(self, control: Ints, banks: BankState, now: int) -> None:
        """Count time from cycle `now` on, and drop what cannot matter any more."""
        # cycle 1 follows all of these
        control[:, [Control.LAST_LEFT, Control.LAST_ANSWER, Control.LAST_FINISH]] = NEVER
        control[:, [Control.OLDEST, Control.NEXT]] = 0
        control[:, Control.WRITES_FIRST] = 1  # a cycle without requests switches to writes
        if self._refreshed:
            control[:, Control.DUE] -= now
        # A request waits at least until cycle 1. An overdue refresh goes before cycle 1 unless a constraint prevents
        # it, so constraints that end by cycle 1 must be kept then.
        banks.allowed[...] -= now
        banks.allowed[banks.allowed < (1 if self._refreshed else 2)] = NEVER
        issued = banks.last_issue - now
        banks.last_issue[:] = np.where(self._refreshed & (issued >= 0), issued, NEVER)

    def _number_rows(self, banks: BankState) -> tuple[int, ...]:
        """Replace open rows by numbers in the order of their appearance; return the row of each."""
        opened = banks.open_rows
        ordinary = (opened >= 0) & ((opened < self.standard.rows) | (opened >= FOREIGN))
        rows, first, numbers = np.unique(opened[ordinary], return_index=True, return_inverse=True)
        order = np.argsort(first)
        opened[ordinary] = FOREIGN + np.argsort(order)[numbers]
        banks.common_row[:] = _common_row(opened)
        return tuple(rows[order].tolist())


def _merge(control: Ints, banks: BankState) -> tuple[Ints, BankState]:
    """Merge classes of equal state into one, in the order of their members."""
    members = control[:, Control.MEMBERS].tolist()
    control[:, Control.MEMBERS] = 0
    merged: dict[bytes, int] = {}
    for c, mine in enumerate(members):
        state = b"".join(array[c].tobytes() for array in (control, *banks))
        control[merged.setdefault(state, c), Control.MEMBERS] |= mine
    kept = sorted(merged.values(), key=lambda c: -int(control[c, Control.MEMBERS]))
    return control[kept], BankState(*(array[kept] for array in banks))


def _common_row(opened: Ints) -> Ints:
    """The row that is open in all banks of a class, or CLOSED."""
    return np.where((opened == opened[:, :1]).all(axis=1), opened[:, 0], CLOSED)
