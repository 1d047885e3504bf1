"""The slow, obvious player of overlapped programs: three streams, the earliest command first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hwsim.dram.device.standard import Command, Standard
from hwsim.dram.in_order.overlap.dataflow import Access, Dataflow, StreamCommands, dataflow
from hwsim.dram.in_order.program import Request
from hwsim.dram.in_order.reference import ReferenceChannel

FOREVER = 1 << 60


class _Candidate(NamedTuple):
    """A command that could come next; ties go to the lower priority number."""

    cycle: int
    priority: int
    command: Command


class OverlapReferenceChannel(ReferenceChannel):
    """One channel whose fills, accesses and drains each keep their own order; the oracle of the fast player.

    Of the three streams' next commands the one that can be issued earliest goes. In a tie accesses (with their
    activates and precharges) go before drains, and drains before fills. While an access waits for a transfer in one
    direction, the other direction yields, so that the pins do not turn in between; see also `dataflow.py`.

    Attributes
    ----------
    drains : completion of each drain of the last program
    """

    def __init__(self, standard: Standard, accumulators: int, *, first_refresh: int | None = None) -> None:
        super().__init__(standard.without_hazards(), first_refresh=first_refresh)
        self.standard_with_hazards = standard
        self.names = StreamCommands.of(standard)
        self.accumulators = accumulators
        self.drains: list[int] = []

    def play(self, requests: Sequence[Request], start: int, ready: int = 0) -> int:
        """Play a program; return the cycle in which its last command completes.

        Parameters
        ----------
        start : no command before this cycle
        ready : no data before this cycle: neither fills nor writes
        """
        flow = dataflow(requests, self.standard_with_hazards, self.accumulators)
        issued: dict[str, list[int]] = {"access": [], "fill": [], "drain": []}
        before = {name: self._last(name) for name in (self.names.fill, self.names.compute)}
        self.drains = []
        finish = start
        opened = False
        while True:
            candidates = self._candidates(flow, issued, before, start, max(start, ready))
            if not candidates:
                return finish
            best = min(candidates)
            if self.standard.refresh and best.cycle >= self._due:
                self._refresh()
                continue
            if best.command.kind in ("activate", "precharge"):
                access = flow.accesses[len(issued["access"])]
                row = access.row if best.command.kind == "activate" else -1
                self._issue(best.command, access.bank, row, -1, best.cycle)
                opened = True
                continue
            finish = max(finish, best.cycle + best.command.duration)
            if best.command.kind == "column":
                access = flow.accesses[len(issued["access"])]
                self._issue(best.command, access.bank, access.row, access.column, best.cycle)
                issued["access"].append(best.cycle)
                width = len(self._banks(best.command, access.bank))
                self.column_accesses += width
                self.row_hits += width * (not opened)
                opened = False
            else:
                self._issue(best.command, -1, -1, -1, best.cycle)
                issued["drain" if best.command.name == self.names.drain else "fill"].append(best.cycle)
                if best.command.name == self.names.drain:
                    self.drains.append(best.cycle + best.command.duration)

    def _candidates(
        self, flow: Dataflow, issued: dict[str, list[int]], before: dict[str, int], start: int, ready: int
    ) -> list[_Candidate]:
        """The next command of each stream, unless it needs a command of another stream that is not issued yet."""
        found = []
        filled, drained = len(issued["fill"]), len(issued["drain"])
        yields = self._yields(flow, len(issued["access"]), filled, drained)
        number = len(issued["access"])
        if number < len(flow.accesses):
            access = flow.accesses[number]
            needed = self._next_needed(access.command, access.bank, access.row)
            cycle = max(start, self._earliest(needed, access.bank))
            data = self._data_cycle(access, issued, before, ready)
            if needed is access.command:
                cycle = max(cycle, data)
            if cycle < FOREVER:
                found.append(_Candidate(cycle, 0, needed))
        drain, fill = (self.standard.commands[name] for name in (self.names.drain, self.names.fill))
        if drained < len(flow.drains) and flow.drains[drained] < number and yields != "drain":
            found.append(_Candidate(max(start, self._earliest(drain, -1)), 1, drain))
        if filled < len(flow.fills) and flow.fills[filled] < number and yields != "fill":
            reader = issued["access"][flow.fills[filled]] if flow.fills[filled] >= 0 else before[self.names.compute]
            cycle = max(ready, reader + self.names.compute_to_fill, self._earliest(fill, -1))
            found.append(_Candidate(cycle, 2, fill))
        return found

    def _yields(self, flow: Dataflow, accessed: int, filled: int, drained: int) -> str | None:
        """The direction of transfers that has to yield to the other."""
        fill_can_go = filled < len(flow.fills) and flow.fills[filled] < accessed
        if fill_can_go and not flow.fill_begins[filled]:
            return "drain"
        if filled < len(flow.fills) and flow.fill_begins[filled] and flow.fill_drains[filled] >= drained:
            return "fill"
        if accessed < len(flow.accesses):
            access = flow.accesses[accessed]
            if access.drain >= drained:
                return "fill"
            if access.fill >= filled:
                return "drain"
        return None

    def _data_cycle(self, access: Access, issued: dict[str, list[int]], before: dict[str, int], ready: int) -> int:
        """The cycle from which an access finds its data."""
        if access.command.name != self.names.compute:
            return ready
        if access.fill >= len(issued["fill"]) or access.drain >= len(issued["drain"]):
            return FOREVER
        filled = issued["fill"][access.fill] if access.fill >= 0 else before[self.names.fill]
        return filled + self.names.fill_to_compute

    def _last(self, name: str) -> int:
        return self._issued[name][-1].cycle if self._issued[name] else -FOREVER
