"""Resources that several units share: which request is served first, also in the same tick, and who waits."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.engine.arbiter import POLICIES, Arbiter, Master, Service
from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import Steps
from hwsim.engine.trace import Cause
from hwsim.engine.unit import Unit
from hwsim.errors import WiringError
from tests.engine.parts import diagram, timelines

Jobs = Sequence[tuple[int, int]]  # cycles before each request, and cycles that it occupies the resource


class Requester(Unit):
    """Issues requests as fast as the limit allows, and at the end waits for the last answer.

    Attributes
    ----------
    asked, answered : tick of each request, and of each answer
    """

    memory = Master[int]()

    def __init__(self, board: Diagram, name: str, jobs: Jobs, clock: Clock | None = None) -> None:
        super().__init__(board, name, clock or board.clocks["clk"], source="a test")
        self.jobs = jobs
        self.asked: list[int] = []
        self.answered: list[int] = []

    def run(self) -> Steps[None]:
        for pause, size in self.jobs:
            yield from self.occupy(pause, kind="work", name="work")
            done = yield from self.memory.issue(size)
            done.callbacks.append(lambda _: self.answered.append(self.now))
            self.asked.append(self.now)
        if self.jobs:
            yield from self.memory.wait(done)


class Patient(Requester):
    """Issues the next request when the last one is answered."""

    def run(self) -> Steps[None]:
        for pause, size in self.jobs:
            yield from self.occupy(pause, kind="work", name="work")
            yield from self.memory.access(size)


def shared(
    board: Diagram, masters: Sequence[Requester], policy: str, *, outstanding: int = 1, latency: int = 0
) -> Arbiter[int]:
    """A resource that a job occupies for as many cycles as its size; the answer comes `latency` later."""
    clock = board.clocks.get("port", masters[0].clock)

    def serve(size: int, start: int) -> Service:
        free = start + clock.ticks(size)
        return Service(free=free, done=free + clock.ticks(latency))

    return Arbiter(
        board,
        "port",
        clock,
        source="a test",
        masters=[master.memory for master in masters],
        policy=policy,
        outstanding=outstanding,
        serve=serve,
    )


THREE = {"a": [(0, 3), (0, 3)], "b": [(0, 3), (0, 3)], "c": [(1, 3)]}


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("round_robin", ["a", "b", "c", "a", "b"]),
        ("priority", ["a", "a", "b", "b", "c"]),  # a master that is answered asks again in the same tick
        ("oldest", ["a", "b", "c", "a", "b"]),
    ],
)
@pytest.mark.parametrize("made", ["abc", "cba", "bca"])
def test_of_one_tick_the_policy_chooses_whatever_order_the_units_are_made_in(
    policy: str, served: list[str], made: str
) -> None:
    board = diagram()
    units = {name: Patient(board, name, THREE[name]) for name in made}
    shared(board, [units[name] for name in "abc"], policy)
    assert board.run() == 15
    grants = [(3 * place, 3 * place + 3, f"{name}.memory") for place, name in enumerate(served)]
    assert board.trace.of("port") == grants


def test_two_masters_in_the_same_tick() -> None:
    board = diagram()
    loader, writer = Patient(board, "loader", [(2, 4), (1, 4)]), Patient(board, "writer", [(2, 4)])
    arbiter = shared(board, [writer, loader], "priority", latency=1)
    assert board.run() == 17
    assert timelines(board) == {
        "loader": [(0, 2, "work"), (2, 11, "waits for memory"), (11, 12, "work"), (12, 17, "waits for memory")],
        "writer": [(0, 2, "work"), (2, 7, "waits for memory")],
        "port": [(2, 6, "writer.memory"), (6, 10, "loader.memory"), (12, 16, "loader.memory")],
    }
    assert loader.stalls == {Cause("memory", "memory"): 14}
    assert arbiter.busy == 12


def test_the_limit_of_outstanding_requests_hides_latency_as_far_as_it_goes() -> None:
    ends = {}
    for limit in (1, 2, 4, 8):
        board = diagram()
        shared(board, [Requester(board, "a", [(0, 2)] * 8)], "oldest", outstanding=limit, latency=6)
        ends[limit] = board.run()
    assert ends == {1: 64, 2: 34, 4: 22, 8: 22}  # 8 * 2 + 6 is the least


def test_a_choice_is_made_on_the_arbiters_edge_and_heard_on_the_masters() -> None:
    board = diagram(clk=15, port=10)  # 2 and 3 ticks a cycle
    unit = Patient(board, "a", [(1, 1), (1, 1)])
    shared(board, [unit], "oldest")
    assert board.run() == 12
    assert timelines(board) == {
        "a": [(0, 2, "work"), (2, 6, "waits for memory"), (6, 8, "work"), (8, 12, "waits for memory")],
        "port": [(3, 6, "a.memory"), (9, 12, "a.memory")],
    }


def test_a_master_with_a_short_pause_does_not_starve_another() -> None:
    shares = {}
    for policy in ("round_robin", "oldest", "priority"):
        board = diagram()
        greedy, meek = Requester(board, "greedy", [(0, 1)] * 50), Requester(board, "meek", [(0, 1)] * 5)
        shared(board, [greedy, meek], policy, outstanding=2)
        board.run()
        shares[policy] = meek.answered[-1]
    assert shares == {"round_robin": 10, "oldest": 11, "priority": 55}


def naive(jobs: Sequence[Jobs], policy: str, outstanding: int, latency: int) -> tuple[list[list[int]], list[list[int]]]:
    """Tick by tick: answers, then requests, then the choice."""
    asked: list[list[int]] = [[] for _ in jobs]
    answered: list[list[int]] = [[] for _ in jobs]
    free = 0
    last = len(jobs) - 1
    queues: list[list[tuple[int, int]]] = [[] for _ in jobs]
    due: list[list[int]] = [[] for _ in jobs]
    ready = [own[0][0] if own else 0 for own in jobs]
    tick = 0
    while any(len(answers) < len(own) for answers, own in zip(answered, jobs, strict=True)):
        for m, own in enumerate(jobs):
            answered[m] += [tick] * due[m].count(tick)
            while len(asked[m]) < len(own) and ready[m] <= tick and len(asked[m]) - len(answered[m]) < outstanding:
                queues[m].append((tick, own[len(asked[m])][1]))
                asked[m].append(tick)
                ready[m] = tick + (own[len(asked[m])][0] if len(asked[m]) < len(own) else 0)
        waiting = [m for m, queue in enumerate(queues) if queue]
        if waiting and free <= tick:
            if policy == "round_robin":
                turn = [m % len(jobs) for m in range(last + 1, last + 1 + len(jobs))]
                last = next(m for m in turn if m in waiting)
            elif policy == "oldest":
                last = sorted((queues[m][0][0], m) for m in waiting)[0][1]
            else:
                last = waiting[0]
            free = tick + queues[last].pop(0)[1]
            due[last].append(free + latency)
        tick += 1
    return asked, answered


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=6), min_size=1, max_size=4),
    st.sampled_from(sorted(POLICIES)),
    st.integers(1, 3),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_it_serves_as_a_loop_over_the_ticks_does(
    jobs: list[list[tuple[int, int]]], policy: str, outstanding: int, latency: int, random: Random
) -> None:
    board = diagram()
    order = list(range(len(jobs)))
    random.shuffle(order)
    made = {number: Requester(board, f"unit {number}", jobs[number]) for number in order}
    units = [made[number] for number in sorted(made)]
    shared(board, units, policy, outstanding=outstanding, latency=latency)
    board.run()
    assert ([unit.asked for unit in units], [unit.answered for unit in units]) == naive(
        jobs, policy, outstanding, latency
    )


def test_what_an_arbiter_cannot_be() -> None:
    board = diagram()
    unit = Patient(board, "a", [(0, 1)])
    with pytest.raises(WiringError, match="arbiter port: no policy 'oldes'; nearest: oldest"):
        shared(board, [unit], "oldes")
    board = diagram()
    with pytest.raises(WiringError, match="arbiter port: outstanding must be at least 1, got 0"):
        shared(board, [Patient(board, "a", [(0, 1)])], "oldest", outstanding=0)
    board = diagram()
    unit = Patient(board, "a", [(0, 0)])
    shared(board, [unit], "oldest")
    with pytest.raises(WiringError, match=r"port a\.memory: is connected to port already, and cannot be to other too"):
        Arbiter(
            board, "other", unit.clock, source="", masters=[unit.memory], policy="oldest", outstanding=1,
            serve=lambda _, start: Service(start + 1, start + 1),
        )  # fmt: skip
    board = diagram()
    with pytest.raises(WiringError, match=r"port a\.memory and arbiter port: belong to two diagrams"):
        shared(board, [Patient(diagram(), "a", [(0, 1)])], "oldest")
    board = diagram()
    shared(board, [Patient(board, "a", [(0, 0)])], "oldest")
    with pytest.raises(WiringError, match="arbiter port: a request must take time; begun in tick 0, done in 0"):
        board.run()
