"""What single beats cost at the ports of a memory system: found by playing them, on an idle memory."""

from __future__ import annotations

from functools import lru_cache

from hwsim.dram.device.tables import FOREVER
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import MemorySystem
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.task import Fifo, Give, Loop, Take, Task, Transfer

SHORT, LONG = 1000, 3000  # beats: the way of the first one is in both, and cancels


def single_beat_cycles(base: TimeBase, system: MemorySystem, port: str, *, write: bool) -> float:
    """Mean cycles from one single-beat access to the next, where a loop asks for one a cycle ("R").

    It follows from the round trip, the outstanding transactions that the port allows, and the DRAM.

    Parameters
    ----------
    base : with the clocks `fabric` and `memory`
    """
    return _measure(_Case(base, system), port, write)


class _Case:
    """A time base and a system, compared as what they are."""

    def __init__(self, base: TimeBase, system: MemorySystem) -> None:
        self.base, self.system = base, system
        self._key = repr((base, system))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Case) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=64)
def _measure(case: _Case, port: str, write: bool) -> float:
    taken = []
    for beats in (SHORT, LONG):
        player = FabricPlayer(case.base, case.system)
        player.start(_task(port, beats, write=write))
        ((_, ended),) = player.advance(FOREVER)
        taken.append(ended.cycles)
    return (taken[1] - taken[0]) / (LONG - SHORT)


def _task(port: str, beats: int, *, write: bool) -> Task:
    loop = Loop(
        name="beats", unit="probe", trips=beats,
        takes=() if write else (Take("beats"),), gives=(Give("beats"),) if write else (),
    )  # fmt: skip
    transfer = Transfer(port=port, fifo="beats", write=write, chunks=(0,), beats=beats, burst=1)
    return Task(
        unit="probe", kind="probe", name="single beats", fifos=(Fifo("beats", 4),), loops=(loop,), transfers=(transfer,)
    )
