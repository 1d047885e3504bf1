"""Tasks as rows of a fabric's arrays: put there when they start, read out and cleared when they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwsim.errors import WiringError
from hwsim.fabric.state import DUES, MANY, Access, FabricArrays, FifoField, LoopField, Time, TransferField
from hwsim.fabric.task import Give, Ints, Loop, Take, Task, Transfer


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A task that has ended.

    Attributes
    ----------
    begun, ended : the cycle in which it started, and the one after its last
    waits : loop -> FIFO -> cycles in which it waited there for items, or for room
    loops : loop -> the cycle after its last, from the start of the task
    transfers : FIFO -> likewise
    """

    task: Task
    begun: int
    ended: int
    waits_for_items: Mapping[str, Mapping[str, int]]
    waits_for_room: Mapping[str, Mapping[str, int]]
    loops: Mapping[str, int]
    transfers: Mapping[str, int]

    @property
    def cycles(self) -> int:
        return self.ended - self.begun


@dataclass(frozen=True)
class _Rows:
    task: Task
    slot: int
    begun: int
    loops: dict[str, int] = field(default_factory=dict)
    fifos: dict[str, int] = field(default_factory=dict)
    transfers: dict[str, int] = field(default_factory=dict)


class Slots:
    """The tasks that a fabric plays at present.

    Parameters
    ----------
    ports : names of the AXI ports, in the order of the arrays; None if all ports are ideal: every beat to be read is
        there, and every beat to be written is taken
    """

    def __init__(self, arrays: FabricArrays, ports: Sequence[str] | None) -> None:
        self.arrays = arrays
        self._ports = None if ports is None else {name: number for number, name in enumerate(ports)}
        self._rows: dict[int, _Rows] = {}

    def start(self, task: Task) -> int:
        """Start a task in the fabric's present cycle; return its slot.

        Raises
        ------
        WiringError : a FIFO smaller than what is put in at once, no room for so much at a time
        """
        f = self.arrays
        slot = _free(f.tasks == 0, 1, "tasks")[0]
        rows = _Rows(task=task, slot=slot, begun=int(f.time[Time.CYCLE]))
        f.tasks[slot] = len(task.loops)
        self._start_fifos(task, rows)
        for loop in task.loops:
            self._start_loop(loop, rows)
        if self._ports is not None:
            for transfer in task.transfers:
                self._start_transfer(transfer, rows)
        f.time[Time.CHANGED] = 1
        if f.tasks[slot] == 0:
            raise WiringError(f"task {task.name} of {task.unit}: there is nothing to do in it")
        self._rows[slot] = rows
        return slot

    def collect(self) -> list[tuple[int, Ended]]:
        """The tasks that have ended, with their slots, in the order of their slots; the slots are free again."""
        f = self.arrays
        done = sorted(map(tuple, f.done[: f.time[Time.DONE]].tolist()))
        f.time[Time.DONE] = 0
        f.time[Time.CHANGED] = 1
        return [(slot, self._collect(self._rows.pop(slot), cycle)) for slot, cycle in done]

    def playing(self) -> list[Task]:
        """The tasks that have not ended."""
        return [rows.task for rows in self._rows.values()]

    def blocked(self) -> list[str]:
        """What loops wait for, in words."""
        f, found = self.arrays, []
        for rows in self._rows.values():
            names = {number: name for name, number in rows.fifos.items()}
            for name, number in rows.loops.items():
                fifo = int(f.loops[number, LoopField.BLOCKED])
                if f.loops[number, LoopField.ACTIVE] == 1 and fifo in names:
                    wish = "room in" if f.loops[number, LoopField.OUTWARD] else "items of"
                    found.append(f"loop {name} of task {rows.task.name} for {wish} FIFO {names[fifo]}")
        return found

    def _start_fifos(self, task: Task, rows: _Rows) -> None:
        fifos = self.arrays.fifos
        for number, fifo in zip(_free(fifos[:, FifoField.ACTIVE] == 0, len(task.fifos), "FIFOs"), task.fifos):
            fifos[number] = 0
            fifos[number, FifoField.ACTIVE] = 1
            fifos[number, FifoField.COUNT], fifos[number, FifoField.DEPTH] = fifo.filled, fifo.depth
            rows.fifos[fifo.name] = number
        if self._ports is None:
            for transfer in task.transfers:
                number = rows.fifos[transfer.fifo]
                fifos[number, FifoField.COUNT] = 0 if transfer.write else MANY
                fifos[number, FifoField.DEPTH] = 2 * MANY

    def _start_loop(self, loop: Loop, rows: _Rows) -> None:
        f = self.arrays
        number = _free(f.loops[:, LoopField.ACTIVE] == 0, 1, "loops")[0]
        take = number * 4  # each loop has room for four of each
        if max(len(loop.takes), len(loop.gives)) > 4:
            raise WiringError(f"loop {loop.name}: may take from four FIFOs and give to four")
        f.loops[number] = 0
        f.loops[number, [LoopField.ACTIVE, LoopField.TASK, LoopField.LEFT]] = 1, rows.slot, loop.trips
        f.loops[number, [LoopField.INTERVAL, LoopField.START]] = loop.interval, loop.start
        f.loops[number, [LoopField.TAKE, LoopField.TAKES]] = take, take + len(loop.takes)
        f.loops[number, [LoopField.GIVE, LoopField.GIVES]] = take, take + len(loop.gives)
        f.loops[number, [LoopField.BEGUN, LoopField.BLOCKED]] = rows.begun, -1
        for row, access in enumerate(loop.takes, take):
            self._start_access(f.takes[row], access, rows)
        for row, give in enumerate(loop.gives, take):
            self._start_access(f.gives[row], give, rows)
            f.gives[row, Access.AFTER] = give.after
            if give.after // loop.interval + 2 > DUES:
                raise WiringError(f"loop {loop.name}: has more than {DUES} results on their way to {give.fifo}")
            if give.amount > f.fifos[rows.fifos[give.fifo], FifoField.DEPTH]:
                raise WiringError(f"loop {loop.name}: puts {give.amount} items at once into FIFO {give.fifo}, too many")
        rows.loops[loop.name] = number

    @staticmethod
    def _start_access(row: Ints, access: Take | Give, rows: _Rows) -> None:
        row[:] = 0
        row[[Access.FIFO, Access.AMOUNT]] = rows.fifos[access.fifo], access.amount
        when = access.when
        row[[Access.SKIP, Access.PERIOD, Access.LENGTH]] = when.first, when.period, when.length
        row[Access.LEFT] = MANY if when.limit is None else when.limit

    def _start_transfer(self, transfer: Transfer, rows: _Rows) -> None:
        if not transfer.total:
            return
        f = self.arrays
        assert self._ports is not None
        number = _free(f.transfers[:, TransferField.ACTIVE] == 0, 1, "transfers")[0]
        if len(transfer.chunks) >= f.chunks.shape[1]:
            self._grow_chunks(len(transfer.chunks) + 1)
            f = self.arrays
        row = f.transfers[number]
        row[:] = 0
        row[[TransferField.ACTIVE, TransferField.TASK]] = 1, rows.slot
        row[[TransferField.PORT, TransferField.WRITE]] = self._ports[transfer.port], transfer.write
        row[TransferField.FIFO] = rows.fifos[transfer.fifo]
        row[[TransferField.BEATS, TransferField.BURST]] = transfer.beats, transfer.burst
        row[[TransferField.LEFT, TransferField.BEGUN]] = transfer.total, rows.begun
        row[TransferField.TO_TAKE if transfer.write else TransferField.OPEN] = transfer.total
        f.chunks[number, : len(transfer.chunks)] = transfer.chunks
        f.chunks[number, len(transfer.chunks)] = 0  # looked at after the last beat
        f.tasks[rows.slot] += 1
        rows.transfers[transfer.fifo] = number

    def _grow_chunks(self, room: int) -> None:
        old = self.arrays.chunks
        chunks = np.zeros((old.shape[0], 2 * room), dtype=np.int64)
        chunks[:, : old.shape[1]] = old
        self.arrays = self.arrays._replace(chunks=chunks)

    def _collect(self, rows: _Rows, cycle: int) -> Ended:
        f, task = self.arrays, rows.task
        items = {loop.name: {t.fifo: self._waited(rows, t.fifo, 0) for t in loop.takes} for loop in task.loops}
        room = {loop.name: {g.fifo: self._waited(rows, g.fifo, 1) for g in loop.gives} for loop in task.loops}
        loops = {name: int(f.loops[n, LoopField.ENDED]) - rows.begun for name, n in rows.loops.items()}
        transfers = {name: int(f.transfers[n, TransferField.ENDED]) - rows.begun for name, n in rows.transfers.items()}
        for table, numbers in ((f.loops, rows.loops), (f.fifos, rows.fifos), (f.transfers, rows.transfers)):
            table[list(numbers.values()), 0] = 0
        f.tasks[rows.slot] = 0
        return Ended(
            task=task,
            begun=rows.begun,
            ended=cycle,
            waits_for_items=items,
            waits_for_room=room,
            loops=loops,
            transfers=transfers,
        )

    def _waited(self, rows: _Rows, fifo: str, outward: int) -> int:
        column = FifoField.WAITED_FOR_ROOM if outward else FifoField.WAITED_FOR_ITEMS
        return int(self.arrays.fifos[rows.fifos[fifo], column])


def _free(idle: np.ndarray, count: int, what: str) -> list[int]:
    free = np.flatnonzero(idle)[:count]
    if len(free) < count:
        raise WiringError(f"a fabric has room for {len(idle)} {what} at a time, and they are all in use")
    return [int(slot) for slot in free]
