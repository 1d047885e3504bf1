"""Speed of the fabric's player: simulated cycles a second of streams, single beats, and a loop without memory.

    python benchmarks/fabric_speed.py [--beats 200000]

The board has ports of 256 bits at 300 MHz that lead to ports of 128 bits, with DDR4-2133 behind them. Each figure is
the least processor time of three plays after one that compiles. Steps are cycles that were looked at one by one; those
of the memory are not counted. All on one core; absolute numbers hold for the machine they ran on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.reference import ReferenceFabric
from hwsim.fabric.task import Fifo, Give, Loop, Take, Task, Transfer

PLAYS = 3
FABRIC, MEMORY = 300_000_000, 1_066_560_000
BASE = TimeBase.of({"fabric": FABRIC, "memory": MEMORY})
BOARD = MemorySystem(
    ports=[AxiPort(name=name, controller_port=name) for name in ("first", "second")],
    controller_ports=[ControllerPort(name=name, clock_hz=MEMORY // 2) for name in ("first", "second")],
    request_ns=70,
    response_ns=70,
    memory_clock_hz=MEMORY,
    mapping=load_mapping(None, load_standard("ddr4_2133"), 1),
    parameters=load_parameters(),
)


def read(beats: int, *, burst: int) -> Task:
    """A loop that takes what comes."""
    return Task(
        unit="reader", kind="read", name="read", fifos=(Fifo("in", 64),),
        loops=(Loop(name="take", unit="reader", trips=beats, takes=(Take("in"),)),),
        transfers=(Transfer(port="first", fifo="in", chunks=(0,), beats=beats, burst=burst),),
    )  # fmt: skip


def copy(beats: int) -> Task:
    """A loop between two ports."""
    return Task(
        unit="copier", kind="copy", name="copy", fifos=(Fifo("in", 64), Fifo("out", 64)),
        loops=(Loop(name="pass", unit="copier", trips=beats, takes=(Take("in"),), gives=(Give("out", after=9),)),),
        transfers=(
            Transfer(port="first", fifo="in", chunks=(0,), beats=beats),
            Transfer(port="second", fifo="out", write=True, chunks=(1 << 30,), beats=beats),
        ),
    )  # fmt: skip


def chain(beats: int) -> Task:
    """Three loops, without memory."""
    fifos = (Fifo("first", 8), Fifo("second", 8))
    loops = (
        Loop(name="begin", unit="chain", trips=beats, gives=(Give("first", after=4),)),
        Loop(name="middle", unit="chain", trips=beats, takes=(Take("first"),), gives=(Give("second", after=16),)),
        Loop(name="end", unit="chain", trips=beats, takes=(Take("second"),)),
    )
    return Task(unit="chain", kind="chain", name="chain", fifos=fifos, loops=loops)


def played(task: Task, system: MemorySystem) -> FabricPlayer:
    player = FabricPlayer(BASE, system)
    player.start(task)
    player.advance(FOREVER)
    return player


def least(work: Callable[[], FabricPlayer]) -> tuple[float, FabricPlayer]:
    """Processor time of the quickest of some plays, and the player after it."""
    work()
    times = []
    for _ in range(PLAYS):
        begin = time.process_time()
        player = work()
        times.append(time.process_time() - begin)
    return min(times), player


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beats", type=int, default=200_000)
    beats = parser.parse_args().beats
    one = replace(BOARD, ports=[replace(port, outstanding_reads=1) for port in BOARD.ports])
    cases = {
        "stream of reads": (read(beats, burst=16), BOARD),
        "copy": (copy(beats), BOARD),
        "single beats": (read(beats, burst=1), BOARD),
        "single beats, one at a time": (read(beats // 10, burst=1), one),
        "three loops, no memory": (chain(beats), BOARD),
    }
    print(f"{'task':28} {'cycles':>10} {'a beat':>7} {'steps':>6} {'Mcycles/s':>10} {'ns a beat':>10}")
    for name, (task, system) in cases.items():
        took, player = least(lambda task=task, system=system: played(task, system))  # type: ignore[misc]
        trips = task.loops[0].trips
        print(
            f"{name:28} {player.cycle:10,} {player.cycle / trips:7.2f} {player.steps / player.cycle:6.2f} "
            f"{player.cycle / took / 1e6:10.2f} {took / trips * 1e9:10.1f}"
        )
    slow()


def slow() -> None:
    """The reference, for scale."""
    fabric = ReferenceFabric(BASE, BOARD)
    fabric.start(read(500, burst=16))
    begin = time.process_time()
    fabric.advance(FOREVER)
    print(f"\nreference: {fabric.cycle / (time.process_time() - begin) / 1e6:.4f} Mcycles/s, a stream of reads")


if __name__ == "__main__":
    main()
