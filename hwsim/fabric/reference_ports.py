"""Slow and obvious AXI ports, by the rules of docs/fabric.md: the reads of a port, and its writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hwsim.fabric.memory_system import BOUNDARY, AxiPort
from hwsim.fabric.reference_loops import ReferenceFifo
from hwsim.fabric.task import Transfer


@dataclass(kw_only=True, eq=False)
class ReferenceTransfer:
    """A transfer that is under way.

    Attributes
    ----------
    place : by which it takes turns
    to_ask : addresses of the beats for which no burst was requested, a list for each chunk
    buffered : beats that came from memory, or that go into the next bursts
    through : beats that passed between FIFO and buffer
    open_bursts : requested, and not over
    """

    transfer: Transfer
    place: int
    fifo: ReferenceFifo
    to_ask: deque[deque[int]]
    buffered: int = 0
    through: int = 0
    open_bursts: int = 0
    ended: int | None = None

    @classmethod
    def of(cls, transfer: Transfer, port: AxiPort, place: int, fifo: ReferenceFifo) -> ReferenceTransfer:
        chunks, left = deque[deque[int]](), transfer.total
        for chunk in transfer.chunks:
            beats = min(transfer.beats, left)
            left -= beats
            if beats:
                chunks.append(deque(chunk + beat * port.beat_bytes for beat in range(beats)))
        return cls(transfer=transfer, place=place, fifo=fifo, to_ask=chunks)

    def next_burst(self, port: AxiPort) -> list[int]:
        """Addresses of the beats of the next burst."""
        addresses = list(self.to_ask[0])[: min(self.transfer.burst, port.burst)]
        boundary = (addresses[0] // BOUNDARY + 1) * BOUNDARY
        return [a for a in addresses if a + port.beat_bytes <= boundary] or addresses[:1]

    def pass_burst(self, beats: int) -> None:
        for _ in range(beats):
            self.to_ask[0].popleft()
        if not self.to_ask[0]:
            self.to_ask.popleft()


@dataclass(kw_only=True, eq=False)
class ReferencePart:
    """A transaction of the narrow port; `ready` is the cycle in which the memory's answer is back, once known."""

    owner: ReferenceTransfer
    address: int
    beats: int
    last: bool  # of its burst
    ready: int | None = None
    moved: int = 0  # beats over the narrow port


# Sends a part, which leaves in a cycle, to the memory.
Send = Callable[[ReferencePart, int], None]


@dataclass(kw_only=True, eq=False)
class ReferenceDirection:
    """What reads and writes of a port have alike."""

    port: AxiPort
    limit: int
    send: Send
    transfers: list[ReferenceTransfer] = field(default_factory=list)  # by their places
    parts: deque[ReferencePart] = field(default_factory=deque)  # that are not over
    outstanding: int = 0
    in_buffer: int = 0
    free_address: int = 0  # first cycle in which the address channel is free
    free_data: int = 0
    last_place: int = -1
    beats: int = 0
    bursts: int = 0

    def turn(self, wishing: list[ReferenceTransfer]) -> ReferenceTransfer | None:
        above = [transfer for transfer in wishing if transfer.place > self.last_place]
        return min(above or wishing, key=lambda transfer: transfer.place, default=None)

    def request(self, chosen: ReferenceTransfer, cycle: int) -> list[ReferencePart]:
        """Request the next burst of a transfer; its parts."""
        addresses = chosen.next_burst(self.port)
        chosen.pass_burst(len(addresses))
        size = self.port.part_beats
        split = [addresses[first : first + size] for first in range(0, len(addresses), size)]
        parts = [
            ReferencePart(owner=chosen, address=each[0], beats=len(each), last=each is split[-1]) for each in split
        ]
        self.parts.extend(parts)
        self.free_address = cycle + len(parts)
        self.last_place = chosen.place
        chosen.open_bursts += 1
        self.outstanding += 1
        self.bursts += 1
        return parts

    def end_part(self) -> ReferencePart:
        """The oldest part is over."""
        part = self.parts.popleft()
        self.outstanding -= part.last
        part.owner.open_bursts -= part.last
        return part


class ReferenceReads(ReferenceDirection):
    """The reads of a port."""

    def step(self, cycle: int) -> bool:
        """Play a cycle; whether anything happened. Parts under way count for themselves."""
        moved = [self._arrive(cycle), self._go_on(cycle), self._request(cycle)]
        return any(moved)

    def _arrive(self, cycle: int) -> bool:
        if not self.parts or self.parts[0].ready is None or self.parts[0].ready > cycle:
            return False
        part = self.parts[0]
        assert part.ready is not None
        begin = max(part.ready, self.free_data)
        if cycle < begin + self.port.ratio - 1:
            return True
        self.free_data = cycle + 1
        self.beats += 1
        part.owner.buffered += 1
        part.moved += 1
        if part.moved == part.beats:
            self.end_part()
        return True

    def _go_on(self, cycle: int) -> bool:
        moved = False
        for each in self.transfers:
            if each.buffered and each.fifo.has_room(1):
                each.fifo.put += 1
                each.buffered -= 1
                each.through += 1
                self.in_buffer -= 1
                moved = True
                if each.through == each.transfer.total:
                    each.ended = cycle + 1
        return moved

    def _request(self, cycle: int) -> bool:
        chosen = self.turn([each for each in self.transfers if each.to_ask])
        if chosen is None or self.outstanding == self.limit:
            return False
        beats = len(chosen.next_burst(self.port))
        if self.in_buffer + beats > self.port.buffer_beats:
            return False
        if cycle >= self.free_address:
            self.in_buffer += beats
            for later, part in enumerate(self.request(chosen, cycle)):
                self.send(part, cycle + later)
        return True


class ReferenceWrites(ReferenceDirection):
    """The writes of a port."""

    def step(self, cycle: int) -> bool:
        """Play a cycle; whether anything happened. Parts under way count for themselves."""
        moved = [self._answer(cycle), self._send_beat(cycle), self._request(cycle), self._come_in()]
        return any(moved)

    def _answer(self, cycle: int) -> bool:
        if not self.parts or self.parts[0].ready is None or self.parts[0].ready > cycle:
            return False
        owner = self.end_part().owner
        if not owner.open_bursts and not owner.to_ask:
            owner.ended = cycle + 1
        return True

    def _send_beat(self, cycle: int) -> bool:
        unsent = [part for part in self.parts if part.moved < part.beats]
        if not unsent:
            return False
        if cycle >= self.free_data:
            part = unsent[0]
            part.moved += 1
            self.free_data = cycle + self.port.ratio
            self.beats += 1
            self.in_buffer -= 1
            if part.moved == part.beats:
                self.send(part, cycle + self.port.ratio - 1)
        return True

    def _request(self, cycle: int) -> bool:
        chosen = self.turn(
            [each for each in self.transfers if each.to_ask and each.buffered >= len(each.next_burst(self.port))]
        )
        if chosen is None or self.outstanding == self.limit:
            return False
        if cycle >= self.free_address:
            chosen.buffered -= sum(part.beats for part in self.request(chosen, cycle))
        return True

    def _come_in(self) -> bool:
        moved = False
        for each in self.transfers:
            wanted = each.through < each.transfer.total
            if wanted and each.fifo.items > 0 and self.in_buffer < self.port.buffer_beats:
                each.fifo.taken += 1
                each.buffered += 1
                each.through += 1
                self.in_buffer += 1
                moved = True
        return moved
