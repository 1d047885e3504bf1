"""The slow, obvious memory: a port with its masters and the channels, cycle by cycle.

The rules are those of docs/dram.md, in the same order. `reference_channel.py` has the controller of a channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.masters import Completion, Master, Policy, Run
from hwsim.dram.random_access.parameters import ControllerParameters
from hwsim.dram.random_access.reference_channel import Entry, ReferenceChannel


@dataclass(kw_only=True, eq=False)
class _Beat:
    """Accesses that complete together: those of a beat, or of a whole run."""

    ticket: int
    number: int
    accesses: int
    finish: int = 0


@dataclass(kw_only=True, eq=False)
class _Access:
    address: int
    write: bool
    arrival: int
    beat: _Beat


@dataclass(kw_only=True, eq=False)
class _Asking:
    """A master's accesses that are not taken, and what limits it."""

    master: Master
    waiting: deque[_Access] = field(default_factory=deque)
    under_way: list[int] = field(default_factory=list)  # completions that are known
    queued: int = 0  # accesses in queues
    next_offer: int = 0
    taken_now: int = 0
    since: int = 0  # since when the first waiting access is the first

    def may_ask(self, cycle: int) -> bool:
        if not self.waiting or self.waiting[0].arrival > cycle:
            return False
        limit = self.master.outstanding
        if limit is not None and self.queued + len(self.under_way) >= limit:
            return False
        return self.taken_now < self.master.width if self.taken_now else cycle >= self.next_offer


class ReferenceMemory:
    """Masters, port and channels; the oracle of the fast memory.

    Attributes
    ----------
    cycle : everything before it has happened
    finish : the cycle in which the last access completes
    latencies : of reads and of writes, from the cycle in which they were taken, in the order of their issue
    forwarded : reads answered by a waiting write; merged : writes that replace a waiting one
    """

    def __init__(
        self,
        mapping: AddressMapping,
        parameters: ControllerParameters,
        masters: Sequence[Master],
        *,
        policy: Policy = "round_robin",
        width: int = 1,
    ) -> None:
        self.mapping = mapping
        self.policy = policy
        self.width = width
        self.masters = [_Asking(master=master) for master in masters]
        self.channels = [ReferenceChannel(mapping.standard, parameters) for _ in range(mapping.channels)]
        self.cycle = 0
        self.finish = 0
        self.forwarded = 0
        self.merged = 0
        self.latencies: tuple[list[int], list[int]] = ([], [])
        self._last = -1
        self._taken = 0
        self._tickets = 0
        self._done: list[Completion] = []

    def offer(self, master: int, run: Run, *, beats: bool = False) -> int:
        """Append a run to what a master wants; with `beats`, each beat has its own completion."""
        ticket = self._tickets
        self._tickets += 1
        accesses = run.accesses(self.mapping.standard.column_bytes)
        whole = _Beat(ticket=ticket, number=run.count - 1, accesses=sum(map(len, accesses)))
        for number, addresses in enumerate(accesses):
            beat = _Beat(ticket=ticket, number=number, accesses=len(addresses)) if beats else whole
            self.masters[master].waiting.extend(
                _Access(address=address, write=run.write, arrival=run.arrival, beat=beat) for address in addresses
            )
        return ticket

    def advance(self, until: int) -> list[Completion]:
        """Play the cycles before `until`; return what completes up to and in it."""
        while self.cycle < until:
            self._play_cycle()
        done = sorted(completion for completion in self._done if completion.cycle <= until)
        self._done = [completion for completion in self._done if completion.cycle > until]
        return done

    def drain(self) -> list[Completion]:
        """Play until nothing waits; return all further completions."""
        while any(asking.waiting for asking in self.masters) or not all(channel.empty for channel in self.channels):
            self._play_cycle()
        done, self._done = sorted(self._done), []
        return done

    def _play_cycle(self) -> None:
        self._take()
        for channel in self.channels:
            served = channel.tick(self.cycle)
            if served:
                entry, completion = served
                self.latencies[entry.write].append(completion - entry.taken)
                asking, beat = entry.beat
                asking.queued -= 1
                self._complete(asking, beat, completion)
        self.cycle += 1

    def _take(self) -> None:
        """Take up to `width` accesses, chosen one after the other."""
        for asking in self.masters:
            asking.under_way = [completion for completion in asking.under_way if completion > self.cycle]
            asking.taken_now = 0
        for _ in range(self.width):
            able = [m for m, asking in enumerate(self.masters) if asking.may_ask(self.cycle) and self._room(asking)]
            if not able:
                break
            chosen = self._choose(able)
            self._last = chosen
            self._accept(self.masters[chosen])
        for asking in self.masters:
            if asking.taken_now:
                asking.next_offer = self.cycle + asking.master.every

    def _choose(self, able: list[int]) -> int:
        if self.policy == "priority":
            return able[0]
        if self.policy == "round_robin":
            return next((m for m in able if m > self._last), able[0])
        return min(able, key=lambda m: (max(self.masters[m].since, self.masters[m].waiting[0].arrival), m))

    def _room(self, asking: _Asking) -> bool:
        """Whether a master's first access could be taken."""
        access = asking.waiting[0]
        channel = self.channels[self.mapping.place(access.address).channel]
        block = access.address // self.mapping.standard.column_bytes
        if access.write and any(entry.block == block for entry in channel.reads):
            return False  # the older read must see the old value
        return any(entry.block == block for entry in channel.writes) or not channel.full(access.write)

    def _accept(self, asking: _Asking) -> None:
        access = asking.waiting.popleft()
        asking.taken_now += 1
        asking.since = self.cycle
        place = self.mapping.place(access.address)
        channel = self.channels[place.channel]
        block = access.address // self.mapping.standard.column_bytes
        if any(entry.block == block for entry in channel.writes):
            self.merged += access.write
            self.forwarded += not access.write
            if not access.write:
                self.latencies[0].append(1)
            self._complete(asking, access.beat, self.cycle + 1)
            return
        asking.queued += 1
        channel.queue(access.write).append(
            Entry(
                write=access.write,
                block=block,
                place=place,
                age=self._taken,
                taken=self.cycle,
                beat=(asking, access.beat),
            )
        )
        self._taken += 1

    def _complete(self, asking: _Asking, beat: _Beat, completion: int) -> None:
        asking.under_way.append(completion)
        self.finish = max(self.finish, completion)
        beat.accesses -= 1
        beat.finish = max(beat.finish, completion)
        if not beat.accesses:
            self._done.append(Completion(beat.finish, beat.ticket, beat.number))
