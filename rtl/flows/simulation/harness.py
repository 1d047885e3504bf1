"""The harness around every block, inside the simulator: drivers, monitors, a scoreboard and a cycle counter.

Inputs change at the falling edge, are sampled when everything has settled, and take effect at the rising edge. So the
values sampled in a period are exactly those that the rising edge at its end transfers, and the harness has no races.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from hwsim.rtl.block import Block, Job
from hwsim.rtl.contract import Contract
from hwsim.rtl.ports import Port, Streams

DRAIN_CYCLES = 12  # cycles after a job in which extra beats are detected
STALLS_ALLOWED = 40  # times the contract's cycles: with gaps of probability 0.9 a beat takes some 10 periods


class MismatchError(AssertionError):
    """RTL and golden model differ; the message says where."""


@dataclass
class Pacing:
    """When a stream is willing: always, with a probability, or (`after_valid`) only once the other side is.

    A probability is kept for some periods and then drawn again, so that there are bursts and long waits. With `late`,
    the stream is first unwilling for that many periods.
    """

    rng: np.random.Generator | None = None
    after_valid: bool = False
    never: bool = False
    late: int = 0
    _left: int = 0
    _probability: float = 1.0

    def willing(self, other_side: bool = False) -> bool:
        if self.late:
            self.late -= 1
            return False
        if self.rng is None:
            return not self.never
        if self._left == 0:
            self._left = int(self.rng.integers(1, 40))
            self._probability = float(self.rng.choice([0.1, 0.5, 0.9, 1.0]))
        self._left -= 1
        return bool((other_side or not self.after_valid) and self.rng.random() < self._probability)


class Driver:
    """Offers the beats of an input stream; once offered, a beat stays until it is taken."""

    def __init__(self, dut: Any, port: Port) -> None:
        self.port = port
        self.payload = getattr(dut, f"{port.name}__payload")
        self.valid = getattr(dut, f"{port.name}__valid")
        self.ready = getattr(dut, f"{port.name}__ready")
        self.pacing = Pacing()
        self.clear()

    def clear(self) -> None:
        self.beats: list[int] = []
        self.taken = 0
        self.offering = False
        self.valid.value = 0

    def drive(self) -> None:
        if self.offering or self.taken == len(self.beats) or not self.pacing.willing():
            return
        self.offering = True
        self.payload.value = self.beats[self.taken]
        self.valid.value = 1

    def sample(self) -> bool:
        """Whether the coming edge takes a beat."""
        self.accepted = self.offering and bool(self.ready.value)
        return self.accepted

    def step(self) -> None:
        """At the falling edge after a transfer: remove the beat."""
        if self.accepted:
            self.taken += 1
            self.offering = False
            if self.taken == len(self.beats) or self.pacing.rng is not None:
                self.valid.value = 0
                self.payload.value = ~self.beats[self.taken - 1] & ((1 << self.port.width_bits) - 1)  # must not be read


class Monitor:
    """Takes the beats of an output stream, and checks that an offered beat does not change until it is taken."""

    def __init__(self, dut: Any, port: Port) -> None:
        self.port = port
        self.payload = getattr(dut, f"{port.name}__payload")
        self.valid = getattr(dut, f"{port.name}__valid")
        self.ready = getattr(dut, f"{port.name}__ready")
        self.pacing = Pacing()
        self.clear()

    def clear(self) -> None:
        self.beats: list[int] = []
        self.waiting: int | None = None  # an offered beat that was not taken
        self.willing = False
        self.seen_valid = False
        self.ready.value = 0

    def drive(self) -> None:
        willing = self.pacing.willing(self.seen_valid)
        if willing != self.willing:
            self.willing = willing
            self.ready.value = int(willing)

    def sample(self) -> bool:
        """Whether the coming edge delivers a beat."""
        self.seen_valid = bool(self.valid.value)
        self.delivered = self.seen_valid and self.willing
        if not self.seen_valid:
            if self.waiting is not None:
                raise MismatchError(f"{self.port.name}: valid fell before its beat was taken")
            return False
        bits = int(self.payload.value)
        if self.waiting not in (None, bits):
            raise MismatchError(f"{self.port.name}: payload changed while it waited for ready")
        self.waiting = None if self.willing else bits
        if self.delivered:
            self.beats.append(bits)
        return self.delivered


@dataclass
class CycleCounter:
    """Counts as `Contract.cycles` does: from the first beat taken to the last beat delivered, both included."""

    period: int = 0
    first: int | None = None
    last: int | None = None

    def tick(self, accepted: bool, delivered: bool) -> None:
        if self.first is None and (accepted or delivered):
            self.first = self.period
        if delivered:
            self.last = self.period
        self.period += 1

    @property
    def cycles(self) -> int:
        return 0 if self.first is None or self.last is None else self.last - self.first + 1


@dataclass
class Scoreboard:
    """Compares the outputs with the golden model's, beat by beat."""

    expected: dict[str, list[int]] = field(default_factory=dict)

    def expect(self, ports: Iterable[Port], outputs: Streams) -> None:
        for port in ports:
            port.check(outputs[port.name])
            self.expected.setdefault(port.name, []).extend(port.pack(outputs[port.name]))

    def complete(self, monitors: list[Monitor]) -> bool:
        return all(len(m.beats) >= len(self.expected[m.port.name]) for m in monitors)

    def compare(self, monitors: list[Monitor], what: str) -> None:
        for monitor in monitors:
            port, wanted = monitor.port, self.expected[monitor.port.name]
            for i, (got, want) in enumerate(zip(monitor.beats, wanted)):
                if got != want:
                    raise MismatchError(f"{what}: {port.name}, beat {i}: {_difference(port, got, want)}")
            if len(monitor.beats) != len(wanted):
                raise MismatchError(f"{what}: {port.name}: {len(monitor.beats)} beats, expected {len(wanted)}")


class Bench:
    """A driver or monitor at each stream of a unit, and its clock."""

    def __init__(self, dut: Any, ports: Sequence[Port]) -> None:
        self.dut = dut
        self.drivers = [Driver(dut, port) for port in ports if port.direction == "in"]
        self.monitors = [Monitor(dut, port) for port in ports if port.direction == "out"]
        self.counter = CycleCounter()
        for port in ports:
            width = len(getattr(dut, f"{port.name}__payload"))
            if width != port.width_bits:
                raise MismatchError(f"{port.name}: {width} bits, the contract states {port.width_bits}")

    async def start(self) -> None:
        """Start the clock and reset."""
        Clock(self.dut.clk, 2, unit="step", impl="gpi").start(start_high=False)
        await self.reset()

    async def reset(self) -> None:
        """Two periods of reset; offered beats are dropped."""
        await FallingEdge(self.dut.clk)
        for driver in self.drivers:
            driver.clear()
        for monitor in self.monitors:
            monitor.clear()
        self.dut.rst.value = 1
        await FallingEdge(self.dut.clk)
        await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0

    async def period(self) -> None:
        """One clock period, from falling edge to falling edge."""
        for driver in self.drivers:
            driver.drive()
        for monitor in self.monitors:
            monitor.drive()
        await ReadOnly()
        accepted = [driver.sample() for driver in self.drivers]
        delivered = [monitor.sample() for monitor in self.monitors]
        self.counter.tick(any(accepted), any(delivered))
        await FallingEdge(self.dut.clk)
        for driver in self.drivers:
            driver.step()


class Harness(Bench):
    """A block on the bench: `await play(jobs)` runs jobs and compares."""

    def __init__(self, dut: Any, block: Block[Any], contract: Contract) -> None:
        super().__init__(dut, contract.ports)
        self.block = block
        self.contract = contract
        self.exact: list[tuple[str, int]] = []  # jobs of `play_exact` and their cycles

    def pace(self, rng: np.random.Generator | None, *, after_valid: bool = False) -> None:
        """Stall all streams at random, each with its own pattern; or none."""
        for driver in self.drivers:
            driver.pacing = Pacing() if rng is None else Pacing(rng.spawn(1)[0])
        for monitor in self.monitors:
            monitor.pacing = Pacing() if rng is None else Pacing(rng.spawn(1)[0], after_valid)

    async def play(self, jobs: list[Job]) -> int:
        """Run jobs one right after the other and compare; return the cycles of all together.

        Raises
        ------
        MismatchError : a wrong, missing or additional beat; a broken stream
        """
        what = " + ".join(job.name for job in jobs)
        board = Scoreboard({monitor.port.name: [] for monitor in self.monitors})
        for driver in self.drivers:
            driver.beats, driver.taken = [], 0
        for monitor in self.monitors:
            monitor.beats = []
        for job in jobs:
            board.expect((m.port for m in self.monitors), self.block.golden(self.contract, job.inputs))
            for driver in self.drivers:
                driver.port.check(job.inputs[driver.port.name])
                driver.beats += driver.port.pack(job.inputs[driver.port.name])
        self.counter = CycleCounter()
        # a job without results takes 0 cycles, no matter how much it loads
        cycles = sum(self.contract.cycles(job.work) + 20 for job in jobs)
        limit = STALLS_ALLOWED * max(cycles, *(len(driver.beats) for driver in self.drivers))
        limit += max(driver.pacing.late for driver in self.drivers)
        while not (board.complete(self.monitors) and all(d.taken == len(d.beats) for d in self.drivers)):
            if self.counter.period > limit:
                raise MismatchError(f"{what}: no end after {limit} periods; {self._progress(board)}")
            await self.period()
        cycles = self.counter.cycles
        for _ in range(DRAIN_CYCLES):
            await self.period()
        board.compare(self.monitors, what)
        return cycles

    async def play_exact(self, job: Job) -> None:
        """Run a job without stalls; outputs and cycles must be those of golden model and contract."""
        self.pace(None)
        cycles, stated = await self.play([job]), self.contract.cycles(job.work)
        if cycles != stated:
            raise MismatchError(f"{job.name}: {cycles} cycles, the contract states {stated}")
        self.exact.append((job.name, cycles))

    async def play_late(self, job: Job, name: str, periods: int) -> None:
        """Run a job with one input stream held back for some periods; nothing else stalls."""
        self.pace(None)
        next(driver for driver in self.drivers if driver.port.name == name).pacing = Pacing(late=periods)
        await self.play([job])

    async def play_held(self, job: Job) -> None:
        """Run a job with the last output never ready, from reset to reset; the beats taken must be as stated."""
        await self.reset()
        self.pace(None)
        self.monitors[-1].pacing = Pacing(never=True)
        await self.play_part(job, STALLS_ALLOWED + 2 * self.contract.cycles(job.work))
        taken = {driver.port.name: driver.taken for driver in self.drivers}
        backlog = self.contract.backlog(job.work)
        if not backlog:
            raise MismatchError(f"{job.name}: the contract states no backlog")
        for name, stated in backlog.items():
            if taken[name] != stated:
                raise MismatchError(f"{job.name}: {taken[name]} beats of {name} taken, the contract states {stated}")
        await self.reset()
        self.pace(None)

    async def play_part(self, job: Job, periods: int) -> None:
        """Feed a job for some periods and stop in the middle."""
        for driver in self.drivers:
            driver.beats, driver.taken = driver.port.pack(job.inputs[driver.port.name]), 0
        for _ in range(periods):
            await self.period()

    def _progress(self, board: Scoreboard) -> str:
        taken = [f"{d.taken} of {len(d.beats)} on {d.port.name}" for d in self.drivers]
        given = [f"{len(m.beats)} of {len(board.expected[m.port.name])} on {m.port.name}" for m in self.monitors]
        return ", ".join(taken + given)


def _difference(port: Port, got: int, want: int) -> str:
    """The first field and lane in which two payloads differ."""
    got_fields, want_fields = port.unpack([got]), port.unpack([want])
    for part in port.fields:
        a, b = np.atleast_1d(got_fields[part.name][0]), np.atleast_1d(want_fields[part.name][0])
        for lane in np.flatnonzero(a != b):
            at = part.name if part.lanes is None else f"{part.name}[{lane}]"
            return f"{at} is {a[lane]}, expected {b[lane]} (codes of {part.format})"
    return "no field differs"
