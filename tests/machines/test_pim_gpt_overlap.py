"""Schedule `overlap`: against an event-driven replay with the reference player, and never slower than `paper`."""

from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim import load_workload, run
from hwsim.dram.device.checker import first_violation
from hwsim.dram.in_order.overlap.flow_checker import first_broken_flow
from hwsim.dram.in_order.overlap.reference import OverlapReferenceChannel
from hwsim.dram.in_order.package import channel_requests
from hwsim.machines.pim_gpt import MACHINE
from hwsim.machines.pim_gpt.instructions import AsicWork, Instruction, PimWork, Program
from hwsim.machines.pim_gpt.model import simulate
from hwsim.report.schema import Report
from tests.machines.strategies import SMALL_MACHINES, SMALL_MODELS
from tests.machines.test_pim_gpt import program_of
from tests.mapping.workloads import tiny

Events = Generator[simpy.Event, Any, None]


class Replay:
    """Package and ASIC as SimPy processes that wait for each other's events; the ASIC looks for work every cycle."""

    def __init__(self, program: Program) -> None:
        self.program, spec = program, program.spec
        self.dram, self.asic = spec.time_base.clocks["dram"], spec.time_base.clocks["asic"]
        self.channels = [OverlapReferenceChannel(spec.standard, spec.accumulators) for _ in range(spec.channels)]
        self.behind = 0
        self.env = simpy.Environment()
        steps = [program.instructions(step) for step in program.steps()]
        self.instructions = [instruction for step in steps for instruction in step]
        self.done = [self.env.event() for _ in self.instructions]
        self.needs: list[int] = []  # the instruction for which each one waits, -1 for none
        for step in steps:
            first = len(self.needs)
            self.needs += [
                first + place - one.after if place >= one.after else first - 1 for place, one in enumerate(step)
            ]
        self.arrivals: dict[int, list[tuple[int, int]]] = {}  # by PIM instruction: (tick, results complete by then)

    def run(self) -> int:
        processes = [self.env.process(self._package()), self.env.process(self._asic())]
        self.env.run(until=simpy.AllOf(self.env, processes) & simpy.AllOf(self.env, self.done))
        return int(self.env.now)

    def _package(self) -> Events:
        for number, instruction in enumerate(self.instructions):
            if isinstance(instruction.work, PimWork):
                if self.needs[number] >= 0:
                    yield self.done[self.needs[number]]
                end = self._play(number, instruction, instruction.work)
                self.env.process(self._finish(number, end))

    def _finish(self, number: int, end: int) -> Events:
        yield self.env.timeout(max(0, end - int(self.env.now)))
        self.done[number].succeed()

    def _play(self, number: int, instruction: Instruction, work: PimWork) -> int:
        standard = self.program.spec.standard
        ready = self.dram.edge(int(self.env.now))
        ends, drains = [], []
        for index, channel in enumerate(self.channels):
            requests = channel_requests(work.program, index, standard)
            moved = [replace(r, row=r.row + instruction.row_base) for r in requests]
            begun = len(channel.log)
            ends.append(channel.play(moved, self.behind, ready))
            drains.append(channel.drains)
            own = channel.log[begun:]
            assert first_broken_flow(own, moved, standard, channel.accumulators) is None
        self.behind = max(self.behind, *(channel.log[-1].cycle + 1 if channel.log else 0 for channel in self.channels))
        if work.results:
            known = zip(work.results.drains.tolist(), work.results.complete, strict=True)
            channels = work.results.channels.tolist()
            self.arrivals[number] = [
                (max(self.dram.ticks(drains[c][n]) for c, n in zip(channels, places, strict=True)), complete)
                for places, complete in known
            ]
        return self.dram.ticks(max(ready, *ends))

    def _asic(self) -> Events:
        number = 0
        while number < len(self.instructions):
            instruction = self.instructions[number]
            if not isinstance(instruction.work, AsicWork):
                number += 1
                continue
            chain = [number]
            source = self.needs[number]
            if instruction.work.cycles_of and source in self.arrivals_to_come(number):
                while self._continues(chain[-1] + 1, instruction.work.elements):
                    chain.append(chain[-1] + 1)
                yield from self._take_in(chain, source)
            else:
                yield self.done[source] if source >= 0 else self.env.timeout(0)
                yield self.env.timeout(-int(self.env.now) % self.asic.period_ticks)
                yield self.env.timeout(self.asic.ticks(instruction.work.cycles))
                self.done[number].succeed()
            number = chain[-1] + 1

    def arrivals_to_come(self, number: int) -> set[int]:
        """The previous instruction, if this one can process its results one by one."""
        before, own = self.instructions[number - 1].work, self.instructions[number].work
        if not isinstance(before, PimWork) or not isinstance(own, AsicWork) or not before.results:
            return set()
        return {number - 1} if before.results.complete[-1] == own.elements else set()

    def _continues(self, number: int, elements: int) -> bool:
        work = self.instructions[number].work if number < len(self.instructions) else None
        return isinstance(work, AsicWork) and work.cycles_of is not None and work.elements == elements

    def _take_in(self, chain: list[int], source: int) -> Events:
        works = [self.instructions[n].work for n in chain]
        period = self.asic.period_ticks
        while source not in self.arrivals:  # the package plays when its own input is there
            yield self.env.timeout(1)
        arrivals = self.arrivals[source]
        last = arrivals[-1][0]
        taken = 0
        yield self.env.timeout(-int(self.env.now) % period)
        while (now := int(self.env.now)) < last:
            here = max((complete for tick, complete in arrivals if tick <= now), default=0) - taken
            cost = (
                sum(w.cycles_of(here) for w in works if isinstance(w, AsicWork) and w.cycles_of) * period
                if here > 0
                else 0
            )
            if here > 0 and now + cost <= last:
                taken += here
                yield self.env.timeout(cost)
            else:
                yield self.env.timeout(period)
        for n, work in zip(chain, works, strict=True):
            assert isinstance(work, AsicWork)
            assert work.cycles_of
            rest = work.elements - taken
            yield self.env.timeout(work.cycles_of(rest) * period if rest else 0)
            self.done[n].succeed()


@given(fields=SMALL_MODELS, machine=SMALL_MACHINES)
@settings(max_examples=12)
def test_a_run_equals_an_event_driven_replay_to_the_tick(fields: dict[str, Any], machine: dict[str, Any]) -> None:
    program = program_of(tiny(**fields), {**machine, "schedule": "overlap"})
    finished = simulate(program)
    replay = Replay(program)
    assert finished.ticks == replay.run()
    totals: Counter[str] = Counter()
    for channel in replay.channels:
        totals.update(channel.counts)
        assert first_violation(channel.log, program.spec.standard.without_hazards()) is None
    assert finished.pim.package.counts == totals


def both(workload: Any, **machine: Any) -> tuple[Report, Report]:
    return tuple(run(workload, settings={**machine, "schedule": name}) for name in ("paper", "overlap"))  # type: ignore[return-value]


@given(
    fields=st.fixed_dictionaries(
        {
            "d_model": st.sampled_from([48, 80, 256]),
            "heads": st.sampled_from([1, 2, 4]),
            "tokens": st.integers(1, 6),
            "prompt": st.sampled_from([0, 3, 200]),
            "batch": st.integers(1, 2),
        }
    ),
    machine=st.fixed_dictionaries(
        {
            "channels": st.sampled_from([1, 3, 8]),
            "pin_rate_gbps": st.sampled_from([4.0, 16.0]),
            "mac_lanes": st.sampled_from([4, 16]),
            "asic.clock_hz": st.sampled_from([1_000_000_000, 200_000_000]),
            "asic.sram_bytes": st.sampled_from([8192, 131072]),
            "batching": st.sampled_from(["token", "row_reuse"]),
        }
    ),
)
@settings(max_examples=25)
def test_overlap_is_never_slower_than_the_papers_schedule(fields: dict[str, Any], machine: dict[str, Any]) -> None:
    paper, overlap = both(tiny(**fields), refresh=False, **machine)
    assert overlap.cycles <= paper.cycles
    assert overlap.bound.ratio >= 1
    assert overlap.dram.bytes_read == paper.dram.bytes_read
    assert overlap.dram.io_bytes == paper.dram.io_bytes


@pytest.mark.parametrize("model", ["gpt2", "gpt2_xl", "gpt3_large"])
@pytest.mark.parametrize("past", [0, 700])
def test_overlap_is_never_slower_with_refresh_on_the_papers_models(model: str, past: int) -> None:
    paper, overlap = both(load_workload(model, tokens=2, past=past))
    assert overlap.latency_s < paper.latency_s
    assert sum(kind.cycles for kind in overlap.breakdown) == pytest.approx(overlap.cycles, abs=len(overlap.breakdown))
    parts = sum(part.seconds for part in overlap.bound.distance)
    assert overlap.bound.lower_bound_s + parts == pytest.approx(overlap.latency_s, rel=1e-12)
    assert overlap.instructions >= paper.instructions  # softmax in groups of heads


def slices_of(program: Program) -> dict[str, list[tuple[int, int]]]:
    """Slices of the units by the name of their instruction, in ticks of the first step."""
    trace = simulate(program, trace_tokens=1).trace
    found: dict[str, list[tuple[int, int]]] = {}
    for piece in trace.slices:
        found.setdefault(piece.name, []).append((piece.start, piece.end))
    return found


def test_gelu_and_softmax_run_under_the_package() -> None:
    program = program_of(load_workload("gpt2", tokens=1, past=1000), {"schedule": "overlap", "refresh": False})
    slices = slices_of(program)
    ffn1 = slices["l0.ffn1"][0]
    early = [end for _, end in slices["l0.gelu"][:-1]]
    assert early, "the activation begins before the last result of ffn1 is in"
    assert max(early) <= ffn1[1]
    softmax, values, write = slices["l0.attention.softmax"], slices["l0.attention"], slices["l0.kv.v"]
    assert len(softmax) == len(values) > 1  # groups of heads
    assert values[0][0] < softmax[-1][1]  # values of the first group during the softmax of the last
    assert write[0][0] < softmax[0][1]  # V is written under the first softmax


def test_the_paper_runs_values_behind_their_softmax() -> None:
    program = program_of(load_workload("gpt2", tokens=1, past=1000), {"refresh": False})
    slices = slices_of(program)
    assert len(slices["l0.attention.softmax"]) == 1
    assert slices["l0.attention"][0][0] == slices["l0.attention.softmax"][0][1]


def test_a_trace_of_overlapped_units_shows_the_cycles_of_the_report() -> None:
    # parts of one instruction lie between those of another; tracks refuse spans that overlap
    program = program_of(load_workload("gpt2", tokens=2), {"schedule": "overlap"})
    finished = simulate(program, trace_tokens=2)
    report = MACHINE.summarize(finished)
    tracks = {track.name: track for track in MACHINE.timeline(finished).tracks}
    busy = {name: sum(span.end - span.start for span in track.spans) for name, track in tracks.items()}
    assert busy["steps"] == finished.ticks
    assert len(tracks["pim"].children) == 8
    for unit in ("pim", "asic"):
        use = next(use for use in report.units if use.name == unit)
        assert busy[unit] / finished.ticks == use.utilisation
        assert use.utilisation > 0.1
