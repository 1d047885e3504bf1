"""Who asks a memory: masters with their limits, and the runs of accesses that they offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from hwsim.errors import DramError

Policy = Literal["round_robin", "priority", "oldest"]
POLICIES: tuple[str, ...] = get_args(Policy)
MOST = 1 << 40  # cycles, beats and bytes: sums of a few of them stay far below 2**63
MOST_OUTSTANDING = 1 << 20
MOST_MASTERS = 256


@dataclass(frozen=True, kw_only=True)
class Master:
    """A master at a memory port; what it offers is taken in order.

    Attributes
    ----------
    outstanding : accesses that may be taken and not complete, or None for as many as the queues hold
    waiting : runs that it may have offered and that are not wholly taken, or None for any number
    width, every : up to `width` accesses are taken in one cycle, then none for the next `every - 1` cycles

    Raises
    ------
    DramError : a value out of range
    """

    name: str
    outstanding: int | None = None
    waiting: int | None = None
    width: int = 1
    every: int = 1

    def __post_init__(self) -> None:
        for field in ("outstanding", "waiting", "width", "every"):
            value = getattr(self, field)
            unlimited = value is None and field in ("outstanding", "waiting")
            if not unlimited and not _whole(value, 1, MOST_OUTSTANDING):
                raise DramError(
                    f"master {self.name}: {field} must be a whole number from 1 to {MOST_OUTSTANDING}, got {value!r}"
                )


@dataclass(frozen=True, kw_only=True)
class Run:
    """`count` beats of one kind, `stride` bytes apart; each beat moves `size` bytes.

    A beat takes an access for each column access that its bytes touch, so a beat that is smaller than one still takes
    a whole one.

    Attributes
    ----------
    address : of the first beat, in bytes
    size : bytes of a beat, or None for one column access
    arrival : the cycle from which on its accesses may be taken
    """

    write: bool
    address: int
    stride: int = 0
    count: int = 1
    size: int | None = None
    arrival: int = 0

    def check(self, master: str, capacity_bytes: int) -> None:
        """Raise a DramError if the run leaves the memory or counts less than nothing."""
        for field, least in (("address", 0), ("stride", -MOST), ("count", 1), ("size", 1), ("arrival", 0)):
            value = getattr(self, field)
            if not (value is None and field == "size") and not _whole(value, least, MOST):
                raise DramError(
                    f"master {master}: {field} must be a whole number from {least} to {MOST}, got {value!r}"
                )
        last = self.address + (self.count - 1) * self.stride
        low, high = min(self.address, last), max(self.address, last) + (self.size or 1)
        if low < 0 or high > capacity_bytes:
            raise DramError(
                f"master {master}: a run of {self.count} beats from {self.address:#x}, {self.stride} B apart, "
                f"leaves the memory of {capacity_bytes} B"
            )

    def accesses(self, column_bytes: int) -> list[list[int]]:
        """Addresses of the column accesses of each beat."""
        beats = []
        for beat in range(self.count):
            address = self.address + beat * self.stride
            first, last = address // column_bytes, (address + (self.size or 1) - 1) // column_bytes
            beats.append([block * column_bytes for block in range(first, last + 1)])
        return beats


class Completion(NamedTuple):
    """A run, or one of its beats, is complete. Completions are in order of cycle, then ticket, then beat.

    Attributes
    ----------
    ticket : what `offer` returned
    beat : number of the beat, or the last one of the run if its beats are not told apart
    """

    cycle: int
    ticket: int
    beat: int


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
