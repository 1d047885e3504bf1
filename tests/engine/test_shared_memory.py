"""A DRAM that units share: as exact as the memory itself, one event for each completion that somebody waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import POLICIES, Master, Run
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.standards.load import load_standard
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Steps
from hwsim.engine.shared_memory import MemoryMaster, SharedMemory
from hwsim.engine.trace import Cause
from hwsim.engine.unit import Unit
from hwsim.errors import DramError, WiringError
from tests.engine.parts import diagram

MAPPING = load_mapping(None, load_standard("ddr4_2133"), 1)


class Job(NamedTuple):
    """Work before a run, the run, and whether the unit waits for it: not at all, at once, or at its end."""

    pause: int
    run: Run
    waits: str


class Worker(Unit):
    """Offers runs and notes when, and when those for which it waits are complete."""

    memory = MemoryMaster(outstanding=8)

    def __init__(self, board: Diagram, name: str, jobs: Sequence[Job]) -> None:
        super().__init__(board, name, board.clocks["clk"], source="a test")
        self.jobs = jobs
        self.offered: list[int] = []
        self.complete: list[tuple[int, int]] = []  # job and tick

    def run(self) -> Steps[None]:
        later = []
        for number, job in enumerate(self.jobs):
            yield from self.occupy(job.pause, kind="work", name="work")
            self.offered.append(self.now)
            if job.waits == "no":
                self.memory.post(job.run)
                continue
            ticket = self.memory.issue(job.run)
            if job.waits == "end":
                later.append((number, ticket))
                continue
            yield from self.memory.wait(ticket)
            self.complete.append((number, self.now))
        for number, ticket in later:
            yield from self.memory.wait(ticket)
            self.complete.append((number, self.now))


def shared(board: Diagram, workers: Sequence[Worker], policy: str = "round_robin") -> SharedMemory:
    return SharedMemory(
        board,
        "ddr",
        board.clocks["clk"],
        masters=[worker.memory for worker in workers],
        mapping=MAPPING,
        parameters=load_parameters(),
        policy=policy,  # type: ignore[arg-type]
    )


RUNS = st.builds(
    Run,
    write=st.booleans(),
    address=st.integers(0, 4000).map(lambda block: block * 64),
    stride=st.sampled_from((64, 64, 256, 8192)),
    count=st.integers(1, 40),
)
JOBS = st.lists(st.builds(Job, st.integers(0, 60), RUNS, st.sampled_from(("no", "now", "end"))), max_size=5)


@given(jobs=st.lists(JOBS, min_size=1, max_size=5), policy=st.sampled_from(POLICIES))
def test_units_see_the_completions_of_the_memory_played_cycle_by_cycle(jobs: list[list[Job]], policy: str) -> None:
    board = diagram()
    workers = [Worker(board, f"w{i}", own) for i, own in enumerate(jobs)]
    memory = shared(board, workers, policy)
    board.run()
    slow = ReferenceMemory(
        MAPPING,
        load_parameters(),
        [Master(name=worker.name, outstanding=8) for worker in workers],
        policy=policy,  # type: ignore[arg-type]
    )
    tickets = {}
    for m, worker in enumerate(workers):
        for number, (job, tick) in enumerate(zip(worker.jobs, worker.offered, strict=True)):
            tickets[slow.offer(m, replace(job.run, arrival=tick))] = (m, number)
    complete = {tickets[done.ticket]: done.cycle for done in slow.drain()}
    for m, worker in enumerate(workers):
        before = 0
        for number, tick in worker.complete:
            before = max(before, complete[m, number])
            if worker.jobs[number].waits == "now":
                assert tick == complete[m, number]
            else:
                assert tick >= complete[m, number]
    assert memory.served().accesses <= sum(job.run.count for own in jobs for job in own)


def test_a_unit_waits_for_its_data_and_the_wait_is_counted() -> None:
    board = diagram()
    worker = Worker(board, "loader", [Job(10, Run(write=False, address=0), "now")])
    shared(board, [worker])
    # offered in cycle 10: ACT, tRCD 15, CL 15 + BL 4
    assert board.run() == 10 + 34
    assert worker.stalls == {Cause("memory", "memory"): 34}


def test_what_nobody_waits_for_takes_no_event() -> None:
    def events(posted: int) -> int:
        board = diagram()
        jobs = [Job(0, Run(write=True, address=i << 16, stride=64, count=100), "no") for i in range(posted)]
        shared(board, [Worker(board, "writer", jobs)])
        count = 0
        step = board.env.step

        def counted() -> None:
            nonlocal count
            count += 1
            step()

        board.env.step = counted  # type: ignore[method-assign]
        board.run()
        return count - posted  # the pause before each job is an event

    assert events(50) == events(1)


def test_a_unit_on_another_clock_gets_its_data_on_its_own_edge() -> None:
    board = diagram(clk=100, ddr=300)  # three cycles of the memory in one of the unit
    worker = Worker(board, "loader", [Job(1, Run(write=False, address=0), "now")])
    SharedMemory(
        board, "ddr", board.clocks["ddr"], masters=[worker.memory], mapping=MAPPING, parameters=load_parameters()
    )
    # offered in cycle 1 of the unit, cycle 3 of the memory; complete in its cycle 37, which is within cycle 12
    assert board.run() == 13 * 3


def test_a_memory_goes_on_in_another_diagram() -> None:
    """The row that the first run left open is hit: CL 15 + BL 4, without ACT and tRCD."""
    board = diagram()
    memory = shared(board, [Worker(board, "loader", [Job(10, Run(write=False, address=0), "now")])])
    board.run()
    board = diagram()
    board.env.run(until=100)
    worker = Worker(board, "loader", [Job(0, Run(write=False, address=0), "now")])
    SharedMemory(
        board, "ddr", board.clocks["clk"], masters=[worker.memory], mapping=MAPPING, parameters=load_parameters(),
        played=memory.port,
    )  # fmt: skip
    assert board.run() == 100 + 19


def test_a_port_without_a_memory_says_so() -> None:
    board = diagram()
    Worker(board, "loader", [Job(0, Run(write=False, address=0), "now")])
    with pytest.raises(WiringError, match=r"port loader\.memory: is not connected"):
        board.run()


def test_a_run_beyond_the_memory_is_refused() -> None:
    board = diagram()
    worker = Worker(board, "loader", [])
    shared(board, [worker])
    with pytest.raises(DramError, match=r"master loader\.memory: a run of 2 beats .* leaves the memory of"):
        worker.memory.post(Run(write=False, address=MAPPING.capacity_bytes - 64, stride=64, count=2))
