"""The slow, obvious controller of one channel: cycle by cycle, every constraint looked up in the channel's own log.

The rules are those of docs/dram.md, in the same order. Cycle 0 is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Constraint, Standard
from hwsim.dram.random_access.address import Place
from hwsim.dram.random_access.parameters import ControllerParameters

HIT, MISS, CONFLICT = range(3)


@dataclass(kw_only=True, eq=False)
class Entry:
    """A waiting access."""

    write: bool
    block: int
    place: Place
    age: int  # number of the access among all that the memory took
    taken: int  # cycle in which the controller took it
    beat: Any = None  # what the port wants to know about when it completes
    kind: int = HIT  # how its access is counted
    opened: bool = False  # its row was opened for it and is still open


class _Issue(NamedTuple):
    """A past command; `banks` are those that it counts for in waits of banks."""

    cycle: int
    command: str
    banks: tuple[int, ...]


class ReferenceChannel:
    """One channel: queues, scheduler and bank state."""

    def __init__(self, standard: Standard, parameters: ControllerParameters) -> None:
        self.standard = standard
        self.parameters = parameters
        self.log: list[LoggedCommand] = []
        self.reads: list[Entry] = []
        self.writes: list[Entry] = []
        self.kinds = [0, 0, 0]  # hits, misses, conflicts
        self.accesses = [0] * standard.banks
        self.activates = [0] * standard.banks
        self._issues: list[_Issue] = []
        self._open = [-1] * standard.banks
        self._used = [0] * standard.banks  # accesses to the open row since it was opened
        self._refreshes = [0] * standard.ranks
        self._writing = False
        self._served = parameters.least_reads_between  # accesses of the queue since the last change of direction
        self._bypassed = {False: 0, True: 0}

    @property
    def empty(self) -> bool:
        return not self.reads and not self.writes

    def queue(self, write: bool) -> list[Entry]:
        return self.writes if write else self.reads

    def full(self, write: bool) -> bool:
        return len(self.queue(write)) == (self.parameters.write_queue if write else self.parameters.read_queue)

    def tick(self, cycle: int) -> tuple[Entry, int] | None:
        """Issue at most one command; if it was an access, return its entry and its completion."""
        held = self._held(cycle)
        if held and self._refresh(cycle):
            return None
        self._take_turns()
        entry = self._choose(cycle, held)
        if entry is None:
            return None
        command = self._needed(entry)
        self._issue(command, (entry.place.bank,), cycle, entry.place.row, entry.place.column)
        if command.kind != "column":
            self._open_or_close(entry, command)
            return None
        self._serve(entry, command)
        return entry, cycle + command.duration

    # Refresh

    def _due(self, rank: int) -> int:
        return self.standard.refresh_due(self._refreshes[rank], rank)

    def _targets(self, rank: int) -> tuple[int, ...]:
        """The banks of the rank's next refresh."""
        rule = self.standard.refresh
        assert rule is not None
        first = rank * self.standard.banks_per_rank
        return tuple(first + bank for bank in self.standard.refresh_targets(self._refreshes[rank] % rule.turns))

    def _held(self, cycle: int) -> set[int]:
        """Banks that serve nothing before the refresh that is due."""
        return {bank for rank in self._late(cycle) for bank in self._targets(rank)}

    def _late(self, cycle: int) -> list[int]:
        """Ranks whose refresh is due."""
        if self.standard.refresh is None:
            return []
        return [rank for rank in range(self.standard.ranks) if cycle >= self._due(rank)]

    def _refresh(self, cycle: int) -> bool:
        """Issue the next command of a refresh that is due, the first rank first; False if none can be issued."""
        rule = self.standard.refresh
        assert rule is not None
        for rank in self._late(cycle):
            targets = self._targets(rank)
            still_open = [bank for bank in targets if self._open[bank] >= 0]
            if not still_open and self._ready(self.standard.commands[rule.command], targets, cycle):
                self._issue(self.standard.commands[rule.command], targets, cycle)
                self._refreshes[rank] += 1
                return True
            close = self.standard.commands[rule.precharge]
            whole = self.standard.banks_below(close.scope) > 1
            for banks in [targets] if whole and still_open else [(bank,) for bank in still_open]:
                if self._ready(close, banks, cycle):
                    self._issue(close, banks, cycle)
                    self._close(banks)
                    return True
        return False

    # The choice

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

    def _choose(self, cycle: int, held: set[int]) -> Entry | None:
        """The entry whose next command is issued in this cycle."""
        waiting = sorted([*self.reads, *self.writes], key=lambda entry: entry.age)
        for entry in waiting:
            if entry.opened and self._can_issue(entry, waiting, cycle, held):
                return entry
        queue = self.queue(self._writing)
        eligible = queue
        if queue and self._bypassed[self._writing] >= self.parameters.bypass_cap:
            oldest = queue[0]
            eligible = [e for e in queue if e is oldest or e.place.bank != oldest.place.bank]
            if self._can_issue(oldest, eligible, cycle, held):
                return oldest
        able = [entry for entry in eligible if self._can_issue(entry, eligible, cycle, held)]
        accesses = [entry for entry in able if self._needed(entry).kind == "column"]
        return next(iter(accesses or able), None)

    def _can_issue(self, entry: Entry, eligible: list[Entry], cycle: int, held: set[int]) -> bool:
        bank = entry.place.bank
        command = self._needed(entry)
        if bank in held:
            return False
        if command.kind == "activate" and any(
            bank // self.standard.banks_per_rank == rank for rank in self._late(cycle)
        ):
            return False  # activates could keep the refresh from its turn for ever
        if command.kind == "precharge" and any(
            other.place.bank == bank and other.place.row == self._open[bank]
            for other in [*eligible, *(e for e in [*self.reads, *self.writes] if e.opened)]
        ):
            return False  # the row is still wanted
        return self._ready(command, (bank,), cycle)

    def _needed(self, entry: Entry) -> Command:
        row = self._open[entry.place.bank]
        if row == entry.place.row:
            return self._access(entry)
        access = self.standard.commands["WR" if entry.write else "RD"]
        name = access.activate if row < 0 else access.precharge
        assert name is not None, "every column command names its activate and precharge"
        return self.standard.commands[name]

    def _access(self, entry: Entry) -> Command:
        """The access itself, which may close its row: by the row policy, or as the last that the row may serve."""
        p, bank = self.parameters, entry.place.bank
        others = [e for e in [*self.reads, *self.writes] if e is not entry and e.place.bank == bank]
        wanted = any(e.place.row == entry.place.row for e in others)
        closes = {
            "open": False,
            "open_adaptive": bool(others) and not wanted,
            "closed_adaptive": not wanted,
            "closed": True,
        }[p.row_policy]
        last = p.row_cap > 0 and self._used[bank] + 1 >= p.row_cap
        return self.standard.commands[("WR" if entry.write else "RD") + ("A" if closes or last else "")]

    # What commands do

    def _open_or_close(self, entry: Entry, command: Command) -> None:
        bank = entry.place.bank
        entry.kind = max(entry.kind, CONFLICT if command.kind == "precharge" else MISS)
        if command.kind == "precharge":
            self._close((bank,))
            return
        self._open[bank], self._used[bank] = entry.place.row, 0
        self.activates[bank] += 1
        entry.opened = True

    def _serve(self, entry: Entry, command: Command) -> None:
        bank, queue = entry.place.bank, self.queue(entry.write)
        self._bypassed[entry.write] = 0 if entry is queue[0] else self._bypassed[entry.write] + 1
        queue.remove(entry)
        self._served += entry.write == self._writing
        self.kinds[entry.kind] += 1
        self.accesses[bank] += 1
        self._used[bank] += 1
        if command.auto_precharge:
            self._close((bank,))

    def _close(self, banks: tuple[int, ...]) -> None:
        for bank in banks:
            self._open[bank] = -1
        for entry in [*self.reads, *self.writes]:
            entry.opened = entry.opened and entry.place.bank not in banks

    def _issue(self, command: Command, banks: tuple[int, ...], cycle: int, row: int = -1, column: int = -1) -> None:
        self._issues.append(_Issue(cycle, command.name, banks))
        whole = self.standard.banks_below(command.scope) == self.standard.banks
        self.log.append(
            LoggedCommand(
                cycle=cycle,
                command=command.name,
                bank=-1 if whole else banks[0],
                row=row if command.kind in ("activate", "column") else -1,
                column=column if command.kind == "column" else -1,
            )
        )

    # Timing

    def _ready(self, command: Command, banks: tuple[int, ...], cycle: int) -> bool:
        """Whether the table allows a command in this cycle, from the log alone."""
        if self._issues and self._issues[-1].cycle >= cycle:
            return False
        waits = [c for c in self.standard.constraints if c.following == command.name and self.standard.shares_node(c)]
        return all(self._kept(wait, bank, cycle) for wait in waits for bank in banks)

    def _kept(self, wait: Constraint, bank: int, cycle: int) -> bool:
        seen = 0
        node = self.standard.node(wait.level, bank)
        for past in reversed(self._issues):
            if past.cycle + wait.latency <= cycle:
                return True
            nodes = {self.standard.node(wait.level, other) for other in past.banks}
            applies = bool(nodes - {node}) if wait.siblings else node in nodes
            if past.command == wait.preceding and applies:
                seen += 1
                if seen == wait.window:
                    return False
        return True
