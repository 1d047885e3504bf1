"""A state of a memory that was kept, to be compared with later ones (`repeat.py`)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hwsim.dram.device.tables import Ints
from hwsim.dram.random_access.state import Memory


class Note(IntEnum):
    """Places in `Kept.notes`."""

    CYCLE = 0
    HELD = 1  # whether a state is kept
    COMPARED = 2
    GAP = 3
    NEXT = 4  # period of the first run in which it is looked at next
    AT = 5  # period in which it was looked at last
    TAKEN = 6
    FORWARDED = 7
    MERGED = 8
    LAST = 9
    FINISH = 10
    COMPLETED = 11
    LONG = 12
    RELEASES = 13


class Period(IntEnum):
    """Columns of `Kept.periods`: how the places of a master's first run repeat."""

    RUN = 0  # number of the run
    BEATS = 1  # 0 if they do not
    DIGIT = 2  # the digit of the address that moves on
    STEP = 3  # by so much


class Kept(NamedTuple):
    """A state that was kept, in the shapes of `Memory`.

    Attributes
    ----------
    notes : (len(Note),)
    periods : (masters, len(Period))
    order : (channels, 2, entries) the entries of each queue by age
    """

    notes: Ints
    periods: Ints
    masters: Ints
    channels: Ints
    entries: Ints
    order: Ints
    banks: Ints
    ranks: Ints
    counts: Ints
    releases: Ints
    tickets: Ints
    allowed: Ints
    history: Ints
    open_rows: Ints


def new_kept(m: Memory) -> Kept:
    """Room for a state; none is kept."""
    periods = np.full((len(m.masters), len(Period)), -1, dtype=np.int64)
    return Kept(
        notes=np.zeros(len(Note), dtype=np.int64),
        periods=periods,
        masters=m.masters.copy(),
        channels=m.channels.copy(),
        entries=m.entries.copy(),
        order=np.zeros((*m.listed.shape[:2], m.entries.shape[1]), dtype=np.int64),
        banks=m.banks.copy(),
        ranks=m.ranks.copy(),
        counts=m.counts.copy(),
        releases=m.releases.copy(),
        tickets=m.tickets.copy(),
        allowed=m.device.allowed.copy(),
        history=m.device.history.copy(),
        open_rows=m.device.open_rows.copy(),
    )


def forget(kept: Kept) -> None:
    """Keep no state: the memory is no longer the one whose state was kept."""
    kept.notes[:] = 0
    kept.notes[Note.AT] = -1
    kept.periods[:, Period.RUN] = -1
