"""The fast player of overlapped programs as an object."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import Ints
from hwsim.dram.in_order.arguments import plain
from hwsim.dram.in_order.overlap.flow import At
from hwsim.dram.in_order.overlap.plan import Part, new_plan, new_scratch
from hwsim.dram.in_order.overlap.planning import make_plan
from hwsim.dram.in_order.overlap.play import play_overlapped
from hwsim.dram.in_order.overlap.streams import Data, compile_streams
from hwsim.dram.in_order.package import Package, PackageProgram
from hwsim.dram.in_order.rules import Rules, compile_rules
from hwsim.errors import DramError


class Played(NamedTuple):
    """The result of playing a program.

    Attributes
    ----------
    finish : cycle in which the last channel's last command completes
    free : first cycle after every issue: from here on the package can take its next program
    drains : (channels, drains) when each drain of a channel completes; undefined beyond the number of its drains
    """

    finish: int
    free: int
    drains: Ints


class _Planned(NamedTuple):
    """A package's program with what it needs to be played.

    Attributes
    ----------
    plan, progress : plain tuples of `Plan` and of the arrays of a `Flow`
    drains : the most that a channel has
    """

    plan: Any
    progress: Any
    drains: int


class OverlappedPackage(Package):
    """Channels whose fills, accesses and drains overlap; equal to `OverlapReferenceChannel` cycle for cycle.

    Parameters
    ----------
    standard : must mark the waits that hold per buffer column
    accumulators : results that a bank holds
    """

    _tracked = len(Data)

    def __init__(
        self,
        standard: Standard,
        channels: int,
        accumulators: int,
        *,
        first_refresh: int | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(standard, channels, first_refresh=first_refresh, record=record)
        self._streams = compile_streams(standard, self._rules, accumulators)
        self._numbers = tuple(self._streams)
        self._plans: MutableMapping[PackageProgram, _Planned] = WeakKeyDictionary()
        self._free = 0  # first cycle after every issue

    def _compile(self) -> Rules:
        return compile_rules(self.standard.without_hazards())

    def play(self, program: PackageProgram, start: int, *, row_base: int = 0, causes: Ints | None = None) -> int:
        return self.play_overlapped(program, start, row_base=row_base, causes=causes).finish

    def play_overlapped(
        self,
        program: PackageProgram,
        start: int = 0,
        *,
        ready: int = 0,
        since: int | None = None,
        row_base: int = 0,
        causes: Ints | None = None,
    ) -> Played:
        """Play a program on all channels.

        Parameters
        ----------
        start : no command before this cycle, nor before the last command of the previous program
        ready : no data before this cycle: neither fills of the buffer nor writes
        row_base : added to every row of the program
        causes : (len(Cause),) the cycles of the slowest channel are added to it by cause, from cycle `since` (by
            default `start`) on

        Raises
        ------
        DramError : a command that belongs to no stream, or more results wait to be read than there are accumulators
        """
        planned = self._plans.get(program) or self._plan(program)
        begin = max(start, self._free)
        since = begin if since is None else since
        drains = np.empty((self.channels, planned.drains), dtype=np.int64)
        when = row_base, begin, ready, since
        plan, progress, _ = planned

        def run() -> int:
            finish, self._free = play_overlapped(
                self._player, self._numbers, plan, progress, program.program_of, *when, drains
            )
            return int(finish)

        finish = self._observed(run, begin, causes)
        return Played(finish, self._free, drains)

    def _plan(self, program: PackageProgram) -> _Planned:
        """Plan a program, once for all its plays."""
        plan, scratch = new_plan(program, self.standard, self._streams), new_scratch(program, self._streams)
        try:
            programs = program.requests, program.offsets
            make_plan(plain(plan), plain(scratch), self._numbers, self.standard.columns, *programs)
        except ValueError as cause:
            raise DramError(str(cause)) from None
        sizes = np.diff(plan.offsets, axis=0).max(axis=0)
        progress = tuple(np.empty(size, dtype=np.int64) for size in (len(At), sizes[Part.ACCESS], sizes[Part.FILL]))
        self._plans[program] = _Planned(plain(plan), progress, int(sizes[Part.DRAIN]))
        return self._plans[program]
