"""Generated memory systems, and tasks that fit them: loops in chains, credits, transfers at their ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from hypothesis import strategies as st

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import POLICIES
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.fabric.task import ALWAYS, Fifo, Give, Loop, Pattern, Take, Task, Transfer

CLOCKS = [(300_000_000, 1_066_560_000), (100_000_000, 1_200_000_000), (800_000_000, 400_000_000)]
SMALL_QUEUES = ControllerParameters(
    read_queue=3,
    write_queue=4,
    write_high=3,
    write_low=1,
    most_writes_a_drain=4,
    least_reads_between=2,
    bypass_cap=2,
    row_policy="closed_adaptive",
    row_cap=3,
)


def standards() -> list[Standard]:
    """DDR4 as it is, without refresh, and with refreshes that are often due."""
    standard = load_standard("ddr4_2133")
    assert standard.refresh is not None
    often = standard.with_refresh(replace(standard.refresh, interval=700 + 2 * standard.params["nRFC"]))
    return [standard, load_standard("ddr4_2133", refresh=False), often]


STANDARDS = standards()


@st.composite
def axi_ports(draw: st.DrawFn, name: str, controller_ports: list[str]) -> AxiPort:
    width = draw(st.sampled_from((64, 128, 256, 512)))
    narrow = draw(st.sampled_from([bits for bits in (32, 64, 128, 256, 512) if bits <= width]))
    burst = draw(st.sampled_from((1, 5, 16, 16)))
    return AxiPort(
        name=name,
        width_bits=width,
        narrow_bits=narrow,
        outstanding_reads=draw(st.sampled_from((1, 2, 3, 16))),
        outstanding_writes=draw(st.sampled_from((1, 2, 3, 16))),
        burst=burst,
        buffer_beats=draw(st.sampled_from((burst, burst + 3, 4 * burst, 256))),
        narrow_burst=draw(st.sampled_from([beats for beats in (1, 2, 6, 16) if beats >= width // narrow])),
        controller_port=draw(st.sampled_from(controller_ports)),
    )


@st.composite
def systems(draw: st.DrawFn) -> tuple[TimeBase, MemorySystem]:
    fabric, memory = draw(st.sampled_from(CLOCKS))
    names = [f"slot{i}" for i in range(draw(st.integers(1, 2)))]
    controller_ports = [
        ControllerPort(name=name, width_bits=width, clock_hz=Fraction(memory, divider))
        for name in names
        for width, divider in [draw(st.sampled_from([(128, 2), (128, 1), (512, 1), (64, 4)]))]
    ]
    way = st.sampled_from((0.001, 3, 25, 70))
    standard = draw(st.sampled_from(STANDARDS))
    system = MemorySystem(
        ports=[draw(axi_ports(f"port{i}", names)) for i in range(draw(st.integers(1, 3)))],
        controller_ports=controller_ports,
        request_ns=draw(way),
        response_ns=draw(way),
        memory_clock_hz=memory,
        mapping=load_mapping(None, standard, draw(st.sampled_from((1, 1, 2)))),
        parameters=draw(st.sampled_from((load_parameters(), SMALL_QUEUES))),
        policy=draw(st.sampled_from(POLICIES)),  # type: ignore[arg-type]
    )
    return TimeBase.of({"fabric": fabric, "memory": memory}), system


_Access = tuple[int, Pattern]  # an amount, and in which iterations


@dataclass
class _LoopPlan:
    """A loop while its ends are drawn: items that it takes and gives, by FIFO, with amount and pattern."""

    takes: list[tuple[str, int, Pattern]] = field(default_factory=list)
    gives: list[tuple[str, int, Pattern]] = field(default_factory=list)


@dataclass
class _Parts:
    """A task while it is drawn."""

    plans: list[_LoopPlan]
    fifos: list[Fifo] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)


@st.composite
def tasks(draw: st.DrawFn, system: MemorySystem, name: str) -> Task:
    """A chain of loops; each link has a FIFO, some have credits, and loops may read and write memory."""
    parts = _Parts([_LoopPlan() for _ in range(draw(st.integers(1, 3)))])
    for number, (giver, taker) in enumerate(zip(parts.plans, parts.plans[1:])):
        items = draw(st.integers(1, 30))
        puts, gets = draw(_accesses(items)), draw(_accesses(items))
        draw(_links(parts, f"link{number}", giver, puts, taker, gets))
        if draw(st.booleans()):
            draw(_links(parts, f"credit{number}", taker, gets, giver, puts, filled=True))
    if draw(st.integers(0, 4)) == 0:
        loop, access = draw(st.sampled_from(parts.plans)), draw(_accesses(draw(st.integers(1, 10))))
        draw(_links(parts, "own", loop, access, loop, access, filled=True))
    for number in range(draw(st.integers(0, 4))):
        draw(_transfers(parts, f"beats{number}", system, draw(st.sampled_from(parts.plans))))
    loops = [draw(_loops(plan, f"loop{number}")) for number, plan in enumerate(parts.plans)]
    return Task(
        unit="unit", kind="generated", name=name, fifos=parts.fifos, loops=loops, transfers=parts.transfers
    )  # fmt: skip


@st.composite
def _links(
    draw: st.DrawFn,
    parts: _Parts,
    name: str,
    giver: _LoopPlan,
    puts: _Access,
    taker: _LoopPlan,
    gets: _Access,
    *,
    filled: bool = False,
) -> None:
    """A FIFO from a loop to a loop; often just deep enough, or filled, and at times too little."""
    giver.gives.append((name, *puts))
    taker.takes.append((name, *gets))
    enough = puts[0] + gets[0] - 1
    least = max(puts[0], enough - (draw(st.integers(0, 9)) == 0))
    more, items = draw(st.sampled_from((0, 0, 1, 2, 20))), 0
    if filled:
        items = max(1, least + draw(st.sampled_from((0, 0, 2, 6))))
    parts.fifos.append(Fifo(name, max(least, items) + more, items))


@st.composite
def _transfers(draw: st.DrawFn, parts: _Parts, name: str, system: MemorySystem, plan: _LoopPlan) -> None:
    """A transfer between a loop and memory, often at a boundary of 4 KB, and often at an address that others use."""
    write, beats = draw(st.booleans()), draw(st.integers(1, 40))
    ends = plan.gives if write else plan.takes
    if len(ends) == 4:
        return
    amount, pattern = draw(_accesses(beats))
    ends.append((name, amount, pattern))
    port = draw(st.sampled_from(list(system.ports)))
    size = port.beat_bytes
    chunk = draw(st.sampled_from((beats, beats, 1, 3, 16)))
    addresses = st.builds(
        lambda page, back, off: max(0, page * 4096 - back * size + off),
        st.sampled_from((0, 1, 1, 2, 40, 5000)),
        st.integers(0, 20),
        st.sampled_from((0, 0, 0, 8)),
    )
    count = -(-beats // chunk)
    parts.fifos.append(Fifo(name, amount + draw(st.sampled_from((0, 1, 2, 40)))))
    parts.transfers.append(
        Transfer(
            port=port.name,
            fifo=name,
            write=write,
            chunks=tuple(draw(st.lists(addresses, min_size=count, max_size=count))),
            beats=chunk,
            burst=draw(st.sampled_from((1, 1, 4, 16, 256))),
            limit=beats if count * chunk > beats else draw(st.sampled_from((None, beats))),
        )
    )


@st.composite
def _accesses(draw: st.DrawFn, items: int) -> _Access:
    """An amount that divides the items, and a pattern that ends after as many times."""
    amount = draw(st.sampled_from([a for a in (1, 1, 1, 2, 3, 4) if items % a == 0]))
    if draw(st.booleans()):
        return amount, replace(ALWAYS, limit=items // amount)
    period = draw(st.integers(1, 4))
    length = draw(st.integers(1, period))
    return amount, Pattern(first=draw(st.integers(0, 5)), period=period, length=length, limit=items // amount)


@st.composite
def _loops(draw: st.DrawFn, plan: _LoopPlan, name: str) -> Loop:
    """A loop with enough iterations for all its patterns."""
    patterns = [pattern for _, _, pattern in (*plan.takes, *plan.gives)]
    trips = draw(st.integers(0, 5))
    while any(pattern.count(trips) < (pattern.limit or 0) for pattern in patterns):
        trips += 1
    return Loop(
        name=name,
        unit=name,
        trips=trips + draw(st.sampled_from((0, 0, 3))),
        interval=draw(st.sampled_from((1, 1, 2, 7))),
        start=draw(st.sampled_from((0, 0, 5))),
        takes=[Take(*take) for take in plan.takes],
        gives=[Give(*give, after=draw(st.sampled_from((1, 2, 9)))) for give in plan.gives],
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A system, the tasks that start in given cycles, and other cycles at which the play stops in between."""

    base: TimeBase
    system: MemorySystem
    ideal: bool
    starts: list[tuple[int, Task]]
    stops: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    base, system = draw(systems())
    ideal = draw(st.sampled_from((False,) * 7 + (True,)))
    starts, cycle = [], 0
    for number in range(draw(st.integers(1, 4))):
        cycle += draw(st.sampled_from((0, 0, 7, 60, 1000)))
        starts.append((cycle, draw(tasks(system, f"task{number}"))))
    stops = sorted(cycle + stop for stop in draw(st.lists(st.integers(1, 400), max_size=3)))
    return Case(base=base, system=system, ideal=ideal, starts=starts, stops=stops)
