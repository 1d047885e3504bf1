"""Room in the buffers for weights: which work must be done before a load can begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from hwsim.errors import MachineError
from hwsim.machines.m3vit.instructions import Instruction, Load, Work


class Buffers:
    """Buffers that are filled in the order of loads, and emptied by work.

    It is fed with the instructions of a run in their order, and remembers what lies where between steps.

    Parameters
    ----------
    sizes : bytes of each region
    """

    def __init__(self, machine: str, sizes: Mapping[str, int]) -> None:
        self.machine = machine
        self.sizes = dict(sizes)
        self.most = dict.fromkeys(sizes, 0)  # bytes that were taken up at most
        self._room = dict(sizes)
        self._held: dict[str, Load] = {}
        self._emptied: dict[str, deque[tuple[str, int]]] = {region: deque() for region in sizes}

    def enter(self, instruction: Instruction) -> tuple[str, ...]:
        """Enter the next instruction; return the work that must be done before it, for the sake of room.

        Raises
        ------
        MachineError : a load that can never find room
        """
        if isinstance(instruction, Work):
            for name in instruction.frees:
                load = self._held.pop(name)
                self._emptied[load.region].append((instruction.name, load.room_bytes))
            return ()
        return self._take(instruction)

    def _take(self, load: Load) -> tuple[str, ...]:
        region, waits = load.region, []
        while self._room[region] < load.room_bytes:
            if not self._emptied[region]:
                raise MachineError(
                    f"{self.machine}: {load.name} needs {load.room_bytes} B of {region} buffers, which hold "
                    f"{self.sizes[region]} B and have {self._room[region]} B left"
                )
            work, size = self._emptied[region].popleft()
            self._room[region] += size
            waits.append(work)
        self._room[region] -= load.room_bytes
        self._held[load.name] = load
        self.most[region] = max(self.most[region], self.sizes[region] - self._room[region])
        return tuple(dict.fromkeys(waits))
