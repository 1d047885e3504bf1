"""A fabric with its ports and its memory as an object: start tasks, advance, get those that have ended."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.dram.native.function import CompiledFunction
from hwsim.dram.random_access.masters import Master
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.served import Served
from hwsim.engine.clock import TimeBase
from hwsim.errors import WiringError
from hwsim.fabric.kernel_results import FULL, STUCK
from hwsim.fabric.memory_system import AxiPort, MemorySystem
from hwsim.fabric.slots import Ended, Slots
from hwsim.fabric.state import FabricArrays, PortField, Time, new_fabric
from hwsim.fabric.task import Task

PLAY = CompiledFunction("hwsim.fabric.kernel", "play")


@dataclass(frozen=True, kw_only=True)
class PortUse:
    """What passed an AXI port in one direction.

    Attributes
    ----------
    beats, size_bytes : of data
    transactions : of the master
    busy_cycles : in which the narrow port's data channel was taken
    """

    port: str
    write: bool
    beats: int
    size_bytes: int
    transactions: int
    busy_cycles: int


class FabricPlayer:
    """Plays tasks by the rules in `task.py`; equal to `ReferenceFabric` cycle for cycle.

    Parameters
    ----------
    base : with the clocks `fabric` and `memory`
    ideal : every beat to be read is there, every beat to be written is taken, and nothing reaches the memory
    """

    def __init__(self, base: TimeBase, system: MemorySystem, *, ideal: bool = False) -> None:
        self.system = system
        self.ideal = ideal
        self._memory = _memory_port(system)
        arrays = new_fabric(len(system.ports))
        _set_clocks(arrays, base, system)
        for number, port in enumerate(system.ports):
            _set_port(arrays, number, port, system)
        self.slots = Slots(arrays, None if ideal else [port.name for port in system.ports])

    @property
    def cycle(self) -> int:
        """Everything before this cycle has happened."""
        return int(self.slots.arrays.time[Time.CYCLE])

    @property
    def steps(self) -> int:
        """Cycles that were looked at, one by one."""
        return int(self.slots.arrays.time[Time.STEPS])

    def start(self, task: Task) -> int:
        """Start a task in the present cycle; return its number, which others may have after it has ended.

        Raises
        ------
        WiringError : there is nothing to do in it, no such port, no room for it
        """
        if not self.ideal:
            self.system.check(task)
        return self.slots.start(task)

    def advance(self, until: int) -> list[tuple[int, Ended]]:
        """Play the cycles before `until`, or until a task ends; return what has ended.

        Raises
        ------
        WiringError : the tasks wait for each other, or their FIFOs are too small
        """
        while True:
            found = PLAY(self.slots.arrays, *self._memory.arrays, until)
            if found == FULL:
                self._memory.collect()
            elif found == STUCK:
                raise WiringError(f"deadlock in cycle {self.cycle}: {'; '.join(self.slots.blocked())}")
            else:
                return self.slots.collect() if found else []

    def skip_to(self, cycle: int) -> None:
        """Pass over cycles in which no task is played."""
        if self.slots.playing():
            raise WiringError("cycles in which tasks are played cannot be passed over")
        self.slots.arrays.time[Time.CYCLE] = max(cycle, self.cycle)

    def served(self) -> Served:
        """What the memory did before the first cycle in which a request of the present one could reach it."""
        self.advance(self.cycle)
        return self._memory.served()

    @property
    def memory_cycle(self) -> int:
        """The cycle of the memory in which its last access that was issued completes."""
        return self._memory.finish

    def port_use(self) -> list[PortUse]:
        """What passed the ports so far, reads before writes."""
        found = []
        for number, port in enumerate(self.system.ports):
            for write in (False, True):
                row = self.slots.arrays.ports[number, int(write)]
                beats = int(row[PortField.BEATS])
                found.append(
                    PortUse(
                        port=port.name,
                        write=write,
                        beats=beats,
                        size_bytes=beats * port.beat_bytes,
                        transactions=int(row[PortField.TRANSACTIONS]),
                        busy_cycles=beats * port.ratio,
                    )
                )
        return found


def _memory_port(system: MemorySystem) -> MemoryPort:
    """The memory, with a master for each direction of a controller's port: the two directions have channels apart."""
    masters, room = [], 1
    for port in system.controller_ports:
        users = [axi for axi in system.ports if axi.controller_port == port.name]
        room = max(room, sum(axi.parts for axi in users))
        masters += [Master(name=f"{port.name} {way}", every=system.every(port)) for way in ("reads", "writes")]
    return MemoryPort(system.mapping, system.parameters, masters, policy=system.policy, room=room + 1)


def _set_clocks(arrays: FabricArrays, base: TimeBase, system: MemorySystem) -> None:
    arrays.time[Time.PERIOD] = base.clocks["fabric"].period_ticks
    arrays.time[Time.MEMORY_PERIOD] = base.clocks["memory"].period_ticks
    arrays.time[Time.REQUEST] = base.ticks_of_ns(system.request_ns)
    arrays.time[Time.RESPONSE] = base.ticks_of_ns(system.response_ns)


def _set_port(arrays: FabricArrays, number: int, port: AxiPort, system: MemorySystem) -> None:
    controller = [each.name for each in system.controller_ports].index(port.controller_port)
    for write, limit in enumerate((port.outstanding_reads, port.outstanding_writes)):
        row = arrays.ports[number, write]
        row[PortField.LIMIT], row[PortField.BUFFER] = limit, port.buffer_beats
        row[PortField.LAST], row[PortField.MASTER] = -1, 2 * controller + write
        row[PortField.RATIO], row[PortField.PART_BEATS] = port.ratio, port.part_beats
        row[PortField.BEAT_BYTES], row[PortField.BURST] = port.beat_bytes, port.burst
