"""The slow, obvious memory: host and channels cycle by cycle, every constraint looked up in the channel's own log.

The rules are those of docs/dram.md, in the same order. Cycle 0 is the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Standard, refuse_ranks, refuse_turns
from hwsim.dram.random_access.address import AddressMapping, Place
from hwsim.dram.random_access.parameters import ControllerParameters

HIT, MISS, CONFLICT = range(3)


@dataclass(kw_only=True)
class _Entry:
    write: bool
    block: int
    place: Place
    arrival: int
    kind: int = HIT  # how its access is counted


class ReferenceMemory:
    """Host and channels; the oracle of the fast player.

    Attributes
    ----------
    finish : the cycle in which the last access completes
    latencies : of reads and of writes, from acceptance to completion, in the order of their issue
    forwarded : reads answered by a waiting write; merged : writes that replace a waiting one
    """

    def __init__(
        self,
        mapping: AddressMapping,
        parameters: ControllerParameters,
        *,
        width: int = 1,
        every: int = 1,
    ) -> None:
        self.mapping = mapping
        self.width, self.every = width, every
        self.channels = [ReferenceMemoryChannel(mapping.standard, parameters) for _ in range(mapping.channels)]
        self.forwarded = 0
        self.merged = 0
        self.finish = 0
        self.latencies: tuple[list[int], list[int]] = ([], [])

    def play(self, requests: Iterable[tuple[bool, int]]) -> None:
        """Play (write, address) requests from cycle 0 until all queues are empty."""
        waiting = list(requests)
        cycle = next_offer = at = 0
        while True:
            if cycle >= next_offer:
                sent = 0
                while at < len(waiting) and sent < self.width and self._offer(*waiting[at], cycle):
                    at += 1
                    sent += 1
                if sent:
                    next_offer = cycle + self.every
            for channel in self.channels:
                done = channel.tick(cycle)
                if done:
                    entry, completion = done
                    self.latencies[entry.write].append(completion - entry.arrival)
                    self.finish = max(self.finish, completion)
            if at == len(waiting) and not any(channel.reads or channel.writes for channel in self.channels):
                return
            cycle += 1

    def _offer(self, write: bool, address: int, cycle: int) -> bool:
        """Hand a request to its channel; False if it, and so all requests after it, must wait."""
        place = self.mapping.place(address)
        channel = self.channels[place.channel]
        block = address // self.mapping.standard.column_bytes
        if write:
            if any(entry.block == block for entry in channel.reads):
                return False  # the older read must see the old value
            if any(entry.block == block for entry in channel.writes):
                self.merged += 1
                return True
        elif any(entry.block == block for entry in channel.writes):
            self.forwarded += 1
            self.latencies[0].append(1)
            self.finish = max(self.finish, cycle + 1)
            return True
        queue, size = channel.queue(write)
        if len(queue) == size:
            return False
        queue.append(_Entry(write=write, block=block, place=place, arrival=cycle))
        return True


class ReferenceMemoryChannel:
    """One channel: queues, scheduler and bank state."""

    def __init__(self, standard: Standard, parameters: ControllerParameters) -> None:
        refuse_ranks(standard, "the memory controller")
        refuse_turns(standard, "the memory controller")
        self.standard = standard
        self.parameters = parameters
        self.log: list[LoggedCommand] = []
        self.reads: list[_Entry] = []
        self.writes: list[_Entry] = []
        self.kinds = [0, 0, 0]  # hits, misses, conflicts
        self._open = [-1] * standard.banks
        self._due = standard.refresh.interval if standard.refresh else 0
        self._writing = False
        self._served = parameters.least_reads_between  # accesses since the last switch between reads and writes
        self._bypassed = {False: 0, True: 0}

    def queue(self, write: bool) -> tuple[list[_Entry], int]:
        return (self.writes, self.parameters.write_queue) if write else (self.reads, self.parameters.read_queue)

    def tick(self, cycle: int) -> tuple[_Entry, int] | None:
        """Issue at most one command; if it was an access, return its request and its completion."""
        if self.standard.refresh and cycle >= self._due:
            self._refresh(cycle)
            return None
        self._take_turns()
        entry = self._choose(cycle)
        if entry is None:
            return None
        command = self._needed(entry)
        self._issue(command, entry.place, cycle)
        if command.kind != "column":
            entry.kind = max(entry.kind, CONFLICT if command.kind == "precharge" else MISS)
            return None
        queue, _ = self.queue(entry.write)
        self._bypassed[entry.write] = 0 if entry is queue[0] else self._bypassed[entry.write] + 1
        queue.remove(entry)
        self._served += 1
        self.kinds[entry.kind] += 1
        return entry, cycle + command.duration

    def _refresh(self, cycle: int) -> None:
        rule = self.standard.refresh
        assert rule is not None
        closed = all(row < 0 for row in self._open)
        command = self.standard.commands[rule.command if closed else rule.precharge]
        if not self._ready(command, 0, cycle):
            return
        self.log.append(LoggedCommand(cycle=cycle, command=command.name))
        self._open = [-1] * self.standard.banks
        if closed:
            self._due += rule.interval

    def _take_turns(self) -> None:
        p = self.parameters
        if self._writing:
            enough = len(self.writes) <= p.write_low or self._served >= p.most_writes_a_drain
            change = not self.writes or (bool(self.reads) and enough)
        else:
            many = len(self.writes) >= p.write_high and self._served >= p.least_reads_between
            change = bool(self.writes) and (many or not self.reads)
        if change:
            self._writing = not self._writing
            self._served = 0

    def _choose(self, cycle: int) -> _Entry | None:
        """The request whose next command is issued in this cycle."""
        queue, _ = self.queue(self._writing)
        eligible = queue
        if queue and self._bypassed[self._writing] >= self.parameters.bypass_cap:
            oldest = queue[0]
            eligible = [e for e in queue if e is oldest or e.place.bank != oldest.place.bank]
            if self._can_issue(oldest, eligible, cycle):
                return oldest
        able = [entry for entry in eligible if self._can_issue(entry, eligible, cycle)]
        accesses = [entry for entry in able if self._needed(entry).kind == "column"]
        return next(iter(accesses or able), None)

    def _can_issue(self, entry: _Entry, eligible: list[_Entry], cycle: int) -> bool:
        command = self._needed(entry)
        bank = entry.place.bank
        if command.kind == "precharge" and any(
            other.place.bank == bank and other.place.row == self._open[bank] for other in eligible
        ):
            return False  # the row is still wanted
        return self._ready(command, bank, cycle)

    def _needed(self, entry: _Entry) -> Command:
        access = self.standard.commands["WR" if entry.write else "RD"]
        row = self._open[entry.place.bank]
        if row == entry.place.row:
            return access
        name = access.activate if row < 0 else access.precharge
        assert name is not None, "every column command names its activate and precharge"
        return self.standard.commands[name]

    def _ready(self, command: Command, bank: int, cycle: int) -> bool:
        """Whether the table allows a command in this cycle, from the log alone."""
        for constraint in self.standard.constraints:
            if constraint.following != command.name or not self.standard.shares_node(constraint):
                continue
            node = self.standard.node(constraint.level, bank)
            seen = 0
            for past in reversed(self.log):
                if past.cycle + constraint.latency <= cycle:
                    break
                if past.command == constraint.preceding and (
                    self.standard.node(constraint.level, max(past.bank, 0)) == node
                ):
                    seen += 1
                    if seen == constraint.window:
                        return False
        return True

    def _issue(self, command: Command, place: Place, cycle: int) -> None:
        row = place.row if command.kind in ("activate", "column") else -1
        column = place.column if command.kind == "column" else -1
        self.log.append(LoggedCommand(cycle=cycle, command=command.name, bank=place.bank, row=row, column=column))
        if command.kind == "activate":
            self._open[place.bank] = place.row
        elif command.kind == "precharge":
            self._open[place.bank] = -1
