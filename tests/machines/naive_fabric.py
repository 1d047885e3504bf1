"""FIFOs, pipelined loops, AXI ports and DRAM in one plain loop over cycles, written from docs/fabric.md.

It shares no code with the players of `hwsim.fabric`. The iterations of a loop come from a Python generator, so loops of
a unit are written as loops. Only the DRAM is not written anew: it is the slow reference memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import AxiPort, MemorySystem

MOST = 100_000  # cycles of a call of the small model


@dataclass(eq=False)
class Fifo:
    """`count` is what it held at the beginning of the cycle."""

    depth: int
    count: int = 0
    change: int = 0

    def commit(self) -> None:
        self.count += self.change
        self.change = 0


Moves = Sequence[tuple[Fifo, int]]
Gifts = Sequence[tuple[Fifo | None, int, int]]  # FIFO (None: it leaves the unit), items, cycles after the beginning
Iteration = tuple[Moves, Gifts]


@dataclass(eq=False)
class Loop:
    """A pipelined loop: an iteration every `interval` cycles, at most, from cycle `start` on."""

    iterations: Iterator[Iteration]
    interval: int = 1
    start: int = 0
    own: int = 0
    earliest: int = 0
    gifts: list[tuple[int, Fifo | None, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = -self.start
        self.following = next(self.iterations, None)

    def step(self) -> bool:
        """A cycle; whether the loop is over with it."""
        if self.own >= 0:
            due = [(fifo, items) for at, fifo, items in self.gifts if at == self.own]
            if any(fifo and fifo.count + items > fifo.depth for fifo, items in due):
                return False  # everything stands still, own time too
            for fifo, items in due:
                if fifo:
                    fifo.change += items
            self.gifts = [gift for gift in self.gifts if gift[0] != self.own]
            if self.own >= self.earliest and self.following:
                self._begin(*self.following)
        self.own += 1
        return self.own > 0 and not self.gifts and self.following is None

    def _begin(self, takes: Moves, gives: Gifts) -> None:
        if all(fifo.count >= items for fifo, items in takes):
            for fifo, items in takes:
                fifo.change -= items
            self.gifts += [(self.own + after, fifo, items) for fifo, items, after in gives]
            self.earliest = self.own + self.interval
            self.following = next(self.iterations, None)


@dataclass(eq=False)
class Transfer:
    """Beats between a FIFO and memory: `beats` from each address of `chunks` on, `limit` in all."""

    port: str
    fifo: Fifo
    chunks: Sequence[int]
    beats: int
    burst: int
    limit: int | None = None
    write: bool = False
    place: int = -1
    asked: int = 0  # beats in bursts that were requested
    moved: int = 0  # beats between FIFO and buffer
    buffered: int = 0
    open_bursts: int = 0

    @property
    def total(self) -> int:
        every = len(self.chunks) * self.beats
        return every if self.limit is None else min(every, self.limit)

    def next_burst(self, port: AxiPort) -> tuple[int, int]:
        """Address and beats."""
        chunk, inside = divmod(self.asked, self.beats)
        address = self.chunks[chunk] + inside * port.beat_bytes
        beats = min(self.burst, port.burst, self.beats - inside, self.total - self.asked)
        return address, min(beats, max(1, (4096 - address % 4096) // port.beat_bytes))


@dataclass(eq=False)
class Part:
    """A transaction of the narrow port."""

    transfer: Transfer
    address: int
    beats: int
    last: bool
    size: int
    ready: int | None = None  # cycle from which on data or answer are there


@dataclass(eq=False)
class Side:
    """One direction of a port."""

    port: AxiPort
    master: int
    outstanding: int = 0
    buffered: int = 0  # beats held or reserved
    channel_free: int = 0
    last_place: int = -1
    beat_begins: int = 0
    parts: deque[Part] = field(default_factory=deque)
    unsent: deque[Part] = field(default_factory=deque)


class NaiveFabric:
    """All of it. `play` runs tasks until they are over."""

    def __init__(self, base: TimeBase, system: MemorySystem) -> None:
        self.period = base.clocks["fabric"].period_ticks
        self.memory_period = base.clocks["memory"].period_ticks
        self.request, self.response = (base.ticks_of_ns(ns) for ns in (system.request_ns, system.response_ns))
        masters = [
            Master(name=f"{port.name} {way}", every=system.every(port))
            for port in system.controller_ports for way in ("reads", "writes")
        ]  # fmt: skip
        self.memory = ReferenceMemory(
            system.mapping, system.parameters, masters, policy=system.policy, width=system.mapping.channels
        )
        behind = [port.name for port in system.controller_ports]
        self.ports = {port.name: port for port in system.ports}
        self.sides = {
            (name, write): Side(port=port, master=2 * behind.index(port.controller_port) + write)
            for name, port in self.ports.items() for write in (False, True)
        }  # fmt: skip
        self.tickets: dict[int, Part] = {}
        self.now = 0

    def play(self, *tasks: tuple[Sequence[Loop], Sequence[Transfer], Sequence[Fifo]]) -> list[int]:
        """Start tasks in the present cycle; return the cycle after the last of each. `now` is that of the last one."""
        ends = [0] * len(tasks)
        places = iter(range(100))
        going = []
        for loops, transfers, fifos in tasks:
            moving = [transfer for transfer in transfers if transfer.total]
            for transfer in moving:
                transfer.place = next(places)
            going.append((list(loops), moving, fifos))
        begun = self.now
        while any(loops or transfers for loops, transfers, _ in going):
            assert self.now < begun + MOST, "the tasks wait for each other"
            self._cycle(going)
            for number, (loops, transfers, _) in enumerate(going):
                if not loops and not transfers and not ends[number]:
                    ends[number] = self.now
        return ends

    def commands(self) -> dict[str, int]:
        """Commands of the DRAM before a request of the present cycle could reach it."""
        self.memory.advance((self.now * self.period + self.request) // self.memory_period)
        log = [entry.command for channel in self.memory.channels for entry in channel.log]
        return {name: log.count(name) for name in self.memory.mapping.standard.commands if name in log}

    def _cycle(self, going: list[tuple[list[Loop], list[Transfer], Sequence[Fifo]]]) -> None:
        self._answers()
        moving = sorted((t for _, transfers, _ in going for t in transfers), key=lambda t: t.place)
        over: list[Transfer] = []
        for name in self.ports:
            over += self._read(self.sides[name, False], [t for t in moving if t.port == name and not t.write])
            over += self._write(self.sides[name, True], [t for t in moving if t.port == name and t.write])
        for loops, transfers, fifos in going:
            loops[:] = [loop for loop in loops if not loop.step()]
            transfers[:] = [transfer for transfer in transfers if transfer not in over]
            for fifo in fifos:
                fifo.commit()
        self.now += 1

    def _answers(self) -> None:
        """The memory up to now; an answer counts when it is back."""
        for done in self.memory.advance(self.now * self.period // self.memory_period):
            back = done.cycle * self.memory_period + self.response
            self.tickets.pop(done.ticket).ready = -(-back // self.period)

    def _read(self, side: Side, transfers: list[Transfer]) -> list[Transfer]:
        port, over = side.port, []
        head = side.parts[0] if side.parts else None
        if head and head.ready is not None:
            side.beat_begins = max(side.beat_begins, head.ready)
            if self.now >= side.beat_begins + port.ratio - 1:
                side.beat_begins = self.now + 1
                head.transfer.buffered += 1
                head.beats -= 1
                if not head.beats:
                    side.parts.popleft()
                    side.outstanding -= head.last
        for transfer in transfers:
            if transfer.buffered and transfer.fifo.count < transfer.fifo.depth:
                transfer.fifo.change += 1
                transfer.buffered -= 1
                side.buffered -= 1
                transfer.moved += 1
                if transfer.moved == transfer.total:
                    over.append(transfer)
        chosen = self._turn(side, [t for t in transfers if t.asked < t.total])
        if chosen and side.outstanding < port.outstanding_reads and self.now >= side.channel_free:
            address, beats = chosen.next_burst(port)
            if side.buffered + beats <= port.buffer_beats:
                side.buffered += beats
                for later, part in enumerate(self._ask(side, chosen, address, beats)):
                    self._send(side, part, self.now + later)
        return over

    def _write(self, side: Side, transfers: list[Transfer]) -> list[Transfer]:
        port, over = side.port, []
        head = side.parts[0] if side.parts else None
        if head and head.ready is not None and head.ready <= self.now:
            side.parts.popleft()
            side.outstanding -= head.last
            head.transfer.open_bursts -= head.last
            if not head.transfer.open_bursts and head.transfer.asked == head.transfer.total:
                over.append(head.transfer)
        if side.unsent and self.now >= side.beat_begins:
            side.beat_begins = self.now + port.ratio
            side.buffered -= 1
            part = side.unsent[0]
            part.beats -= 1
            if not part.beats:
                side.unsent.popleft()
                self._send(side, part, self.now + port.ratio - 1)
        wishing = [t for t in transfers if t.asked < t.total and t.buffered >= t.next_burst(port)[1]]
        chosen = self._turn(side, wishing)
        if chosen and side.outstanding < port.outstanding_writes and self.now >= side.channel_free:
            address, beats = chosen.next_burst(port)
            chosen.buffered -= beats
            chosen.open_bursts += 1
            side.unsent += self._ask(side, chosen, address, beats)
        for transfer in transfers:
            if transfer.moved < transfer.total and transfer.fifo.count and side.buffered < port.buffer_beats:
                transfer.fifo.change -= 1
                transfer.moved += 1
                transfer.buffered += 1
                side.buffered += 1
        return over

    @staticmethod
    def _turn(side: Side, wishing: list[Transfer]) -> Transfer | None:
        after = [transfer for transfer in wishing if transfer.place > side.last_place]
        return min(after or wishing, key=lambda transfer: transfer.place, default=None)

    @staticmethod
    def _parts(port: AxiPort, transfer: Transfer, address: int, beats: int) -> Iterator[Part]:
        most = port.narrow_burst // port.ratio
        for first in range(0, beats, most):
            count = min(most, beats - first)
            size = count * port.beat_bytes
            yield Part(transfer, address + first * port.beat_bytes, count, first + count == beats, size)

    def _ask(self, side: Side, transfer: Transfer, address: int, beats: int) -> list[Part]:
        parts = list(self._parts(side.port, transfer, address, beats))
        side.outstanding += 1
        side.last_place = transfer.place
        side.channel_free = self.now + len(parts)
        side.parts += parts
        transfer.asked += beats
        return parts

    def _send(self, side: Side, part: Part, cycle: int) -> None:
        arrival = -(-(cycle * self.period + self.request) // self.memory_period)
        run = Run(write=side.master % 2 == 1, address=part.address, size=part.size, arrival=arrival)
        self.tickets[self.memory.offer(side.master, run)] = part
