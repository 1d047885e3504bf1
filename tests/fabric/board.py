"""A small board with clocks that are easy to reckon with: 4 ns a cycle of the fabric, 1 ns one of the DRAM."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.slots import Ended
from hwsim.fabric.task import Fifo, Give, Loop, Take, Task, Transfer

BASE = TimeBase.of({"fabric": 250_000_000, "memory": 1_000_000_000})
# tRCD 15, CL 15, CWL 11, BL 4; an access of 64 B every 8 cycles at a port of 128 bits and 500 MHz
MAPPING = load_mapping(None, load_standard("ddr4_2133", refresh=False), 1)
PORT = AxiPort(name="a", controller_port="s3")
BOARD = MemorySystem(
    ports=(PORT,),
    controller_ports=tuple(ControllerPort(name=name, clock_hz=500_000_000) for name in ("s3", "s4")),
    request_ns=20,
    response_ns=20,
    memory_clock_hz=1_000_000_000,
    mapping=MAPPING,
    parameters=load_parameters(),
)


def board(*ports: AxiPort) -> MemorySystem:
    return replace(BOARD, ports=ports)


def reader(beats: int, *, port: str = "a", address: int = 0, burst: int = 16, depth: int = 64) -> Task:
    """Beats that a loop takes one a cycle."""
    return Task(
        unit="reader", kind="read", name=f"{beats} beats",
        fifos=(Fifo("in", depth),),
        loops=(Loop(name="take", unit="reader", trips=beats, takes=(Take("in"),)),),
        transfers=(Transfer(port=port, fifo="in", chunks=(address,), beats=beats, burst=burst),),
    )  # fmt: skip


def writer(beats: int, *, port: str = "a", address: int = 0, burst: int = 16) -> Task:
    """Beats that a loop gives one a cycle."""
    return Task(
        unit="writer", kind="write", name=f"{beats} beats",
        fifos=(Fifo("out", 4),),
        loops=(Loop(name="give", unit="writer", trips=beats, gives=(Give("out"),)),),
        transfers=(Transfer(port=port, fifo="out", write=True, chunks=(address,), beats=beats, burst=burst),),
    )  # fmt: skip


def play(*tasks: Task, system: MemorySystem = BOARD, **options: Any) -> list[Ended]:
    """Tasks that start together, in their order."""
    fabric = FabricPlayer(BASE, system, **options)
    numbers = [fabric.start(task) for task in tasks]
    found = dict[int, Ended]()
    while len(found) < len(tasks):
        found |= dict(fabric.advance(FOREVER))
    return [found[number] for number in numbers]


def cycles(*tasks: Task, system: MemorySystem = BOARD) -> list[int]:
    return [ended.cycles for ended in play(*tasks, system=system)]
