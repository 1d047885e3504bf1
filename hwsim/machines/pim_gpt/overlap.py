"""Schedule `overlap`: each unit takes its instructions in order, as soon as their inputs are ready.

- The package takes its next program when every channel has issued the last command of the previous one. It opens rows
  at once and sends data when the instruction's vector is ready (`hwsim/dram/in_order/overlap/package.py`).
- The ASIC takes element-wise work (sums of chunks, activation functions, residuals) as results are drained. A part
  starts early only if it ends before the last result arrives, so the rest never takes longer than the whole would.
- The host and the link to other devices take their work when its input is ready.

The times of an instruction follow from earlier instructions of its step, so one pass over the list is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.engine.unit import Unit
from hwsim.machines.pim_gpt.instructions import AsicWork, HostWork, Instruction, PimWork
from hwsim.machines.pim_gpt.units import Execution


class Arrivals(NamedTuple):
    """Results that arrive one after the other: from tick `ticks[i]` on, `complete[i]` of them are available."""

    ticks: list[int]
    complete: tuple[int, ...]


class Part(NamedTuple):
    """Some elements that the ASIC works on from tick `start` on."""

    elements: int
    start: int


class Overlap:
    """The state of the units between instructions, in ticks (the package's in cycles)."""

    def __init__(self, run: Execution) -> None:
        assert isinstance(run.pim.package, OverlappedPackage)
        self.run = run
        self.package = run.pim.package
        self.pim_done = 0
        self.free = {run.asic.name: 0, run.host.name: 0, run.link.name: 0}
        self.reached = 0  # time before this has been counted as the share of some instruction

    def finish_step(self, instructions: list[Instruction], now: int) -> int:
        """Run a step whose input is ready in tick `now`; return when its last instruction is done."""
        done: list[int] = []
        arrivals: Arrivals | None = None
        place = 0
        while place < len(instructions):
            instruction = instructions[place]
            ready = done[place - instruction.after] if place >= instruction.after else now
            work = instruction.work
            if isinstance(work, PimWork):
                end, arrivals = self._play(instruction, work, ready)
                done.append(end)
                chain = _chain(instructions, place + 1, arrivals)
                if chain and arrivals:
                    done += self._take_in(chain, arrivals)
                    place += len(chain)
            else:
                unit = self.run.asic if isinstance(work, AsicWork) else self.run.beyond(instruction)
                done.append(self._work(unit, instruction, work, ready))
            place += 1
        return max(done)

    def _play(self, instruction: Instruction, work: PimWork, ready: int) -> tuple[int, Arrivals | None]:
        """Play a program on the package; its share of the time begins when its data and the package are ready."""
        pim = self.run.pim
        edge = pim.clock.edge(ready)
        since = max(edge, self.pim_done)
        played = self.package.play_overlapped(
            work.program,
            ready=edge,
            since=since,
            row_base=instruction.row_base,
            causes=pim.causes[instruction.kind],
        )
        finish = max(since, played.finish)
        self.pim_done = finish
        pim.count(instruction.kind, work.bound)
        end = pim.clock.ticks(finish)
        self.run.trace.record_part(pim.name, instruction.kind, instruction.name, pim.clock.ticks(since), end)
        self._count_share(instruction, end)
        if work.results is None:
            return end, None
        results = work.results
        latest = played.drains[results.channels, results.drains].max(axis=1) * pim.clock.period_ticks
        return end, Arrivals(latest.tolist(), results.complete)

    def _take_in(self, chain: list[Instruction], arrivals: Arrivals) -> list[int]:
        """Element-wise work on results as they arrive; return when each instruction of the chain is done."""
        asic = self.run.asic
        period = asic.clock.period_ticks

        def ticks_of(elements: int) -> int:
            return sum(_cycles(instruction, elements) for instruction in chain) * period

        ticks, complete = arrivals
        last = ticks[-1]
        parts: list[Part] = []
        taken, now = 0, self._edge(asic, max(self.free[asic.name], ticks[0]))
        while now < last:
            here = bisect_right(ticks, now)
            elements = complete[here - 1] - taken
            if not elements:
                now = self._edge(asic, ticks[here])
                continue
            end = now + ticks_of(elements)
            if end > last:
                break
            parts.append(Part(elements, now))
            taken, now = taken + elements, end
        begin = max(now if parts else self.free[asic.name], last)
        parts.append(Part(complete[-1] - taken, self._edge(asic, begin)))
        for part in parts:
            done = []
            end = part.start
            for instruction in chain:
                begin, end = end, end + _cycles(instruction, part.elements) * period
                self.run.trace.record_part(asic.name, instruction.kind, instruction.name, begin, end)
                done.append(end)
        for instruction, end in zip(chain, done, strict=True):
            assert isinstance(instruction.work, AsicWork)
            asic.count(instruction.work)
            self._count_share(instruction, end)
        self.free[asic.name] = done[-1]
        return done

    def _work(self, unit: Unit, instruction: Instruction, work: AsicWork | HostWork, ready: int) -> int:
        """Work that begins when its unit and its input are ready."""
        start = self._edge(unit, max(ready, self.free[unit.name]))
        end = start + unit.clock.ticks(work.cycles)
        self.free[unit.name] = end
        self.run.trace.record_part(unit.name, instruction.kind, instruction.name, start, end)
        self._count_share(instruction, end)
        if isinstance(work, AsicWork):
            self.run.asic.count(work)
        else:
            self.run.beyond(instruction).count(work)
        return end

    def _count_share(self, instruction: Instruction, end: int) -> None:
        """Count as an instruction's share the time by which it ends later than everything before it."""
        beyond = max(0, end - self.reached)
        self.run.trace.count_share(instruction.kind, beyond)
        self.reached += beyond

    def _edge(self, unit: Unit, tick: int) -> int:
        return unit.clock.ticks(unit.clock.edge(tick))


def _chain(instructions: list[Instruction], place: int, arrivals: Arrivals | None) -> list[Instruction]:
    """The consecutive element-wise instructions from `place` on that work only on these results."""
    found: list[Instruction] = []
    while arrivals and place < len(instructions):
        instruction = instructions[place]
        work = instruction.work
        if not isinstance(work, AsicWork) or work.cycles_of is None or instruction.after != 1:
            break
        if work.elements != arrivals.complete[-1]:
            break
        found.append(instruction)
        place += 1
    return found


def _cycles(instruction: Instruction, elements: int) -> int:
    work = instruction.work
    assert isinstance(work, AsicWork)
    assert work.cycles_of
    return work.cycles_of(elements) if elements else 0
