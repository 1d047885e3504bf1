"""The slow, obvious player: every command on its own, every constraint looked up in the log of what was issued."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Constraint, Standard, refuse_ranks, refuse_turns
from hwsim.dram.in_order.program import Request, accesses_of, encode


class ReferenceChannel:
    """One channel with an in-order controller; the oracle of the fast player.

    Without refresh it plays several ranks too.

    Attributes
    ----------
    log : every command issued, in order
    column_accesses, row_hits : column accesses (each bank of a command counts), and how many of them found their row
    open
    """

    def __init__(self, standard: Standard, *, first_refresh: int | None = None) -> None:
        if standard.refresh:
            refuse_ranks(standard, "the in-order controller with refresh")
            refuse_turns(standard, "the in-order controller")
        self.standard = standard
        self.log: list[LoggedCommand] = []
        self.column_accesses = 0
        self.row_hits = 0
        self._counts: dict[str, int] = defaultdict(int)
        self._open = [-1] * standard.banks
        self._issued: dict[str, list[LoggedCommand]] = defaultdict(list)
        self._waits: dict[str, list[tuple[Constraint, int]]] = defaultdict(list)  # each with the banks of a node
        for constraint in standard.constraints:
            if standard.shares_node(constraint):
                self._waits[constraint.following].append((constraint, standard.banks_below(constraint.level)))
        interval = standard.refresh.interval if standard.refresh else 0
        self._due = interval if first_refresh is None else first_refresh

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    def play(self, requests: Sequence[Request], start: int) -> int:
        """Play a program from cycle `start` on; return the cycle in which its last command completes.

        Raises
        ------
        DramError : a command or an address that the standard does not have
        """
        encode(requests, self.standard)  # only for its checks
        finish = start
        for request in requests:
            command = self.standard.commands[request.command]
            for row, column in self._accesses(request, command):
                finish = max(finish, self._access(command, request.bank, row, column, start))
        return finish

    def _accesses(self, request: Request, command: Command) -> Iterator[tuple[int, int]]:
        """(row, column) of each issue; (-1, -1) for commands without address."""
        if command.kind != "column":
            yield from [(-1, -1)] * (request.count * request.repeat)
            return
        yield from accesses_of(request, self.standard)

    def _access(self, command: Command, bank: int, row: int, column: int, start: int) -> int:
        """Issue a command, the commands it needs first, and refreshes that fall due; return its completion."""
        hit = True
        while True:
            needed = self._next_needed(command, bank, row)
            cycle = max(start, self._earliest(needed, bank))
            if self.standard.refresh and cycle >= self._due:
                self._refresh()
                continue
            if needed is command:
                break
            hit = False
            self._issue(needed, bank, row if needed.kind == "activate" else -1, -1, cycle)
        self._issue(command, bank, row, column, cycle)
        if command.kind == "column":
            width = len(self._banks(command, bank))
            self.column_accesses += width
            self.row_hits += width * hit
        return cycle + command.duration

    def _next_needed(self, command: Command, bank: int, row: int) -> Command:
        if command.kind != "column":
            return command
        rows = [self._open[b] for b in self._banks(command, bank)]
        if all(open_row == row for open_row in rows):
            return command
        name = command.precharge if any(open_row >= 0 for open_row in rows) else command.activate
        assert name is not None, "every column command names its activate and precharge"
        return self.standard.commands[name]

    def _refresh(self) -> None:
        rule = self.standard.refresh
        assert rule is not None
        if any(row >= 0 for row in self._open):
            precharge = self.standard.commands[rule.precharge]
            self._issue(precharge, -1, -1, -1, max(self._due, self._earliest(precharge, -1)))
        refresh = self.standard.commands[rule.command]
        self._issue(refresh, -1, -1, -1, max(self._due, self._earliest(refresh, -1)))
        self._due += rule.interval

    def _issue(self, command: Command, bank: int, row: int, column: int, cycle: int) -> None:
        banks = self._banks(command, bank)
        named = bank if len(banks) < self.standard.banks else -1
        entry = LoggedCommand(cycle=cycle, command=command.name, bank=named, row=row, column=column)
        self.log.append(entry)
        self._issued[command.name].append(entry)
        self._counts[command.name] += 1
        if command.kind == "activate":
            self._set_open(banks, row)
        elif command.kind == "precharge" or command.auto_precharge:
            self._set_open(banks, -1)

    def _set_open(self, banks: range, row: int) -> None:
        for b in banks:
            self._open[b] = row

    def _earliest(self, command: Command, bank: int) -> int:
        """First cycle that the bus and every constraint allow, from the log alone."""
        bound = self.log[-1].cycle + 1 if self.log else -(10**18)
        for constraint, banks_of_node in self._waits[command.name]:
            node = max(bank, 0) // banks_of_node
            seen = 0
            for entry in reversed(self._issued[constraint.preceding]):
                if entry.cycle + constraint.latency <= bound:
                    break  # older issues cannot delay it either
                if (max(entry.bank, 0) // banks_of_node == node) == constraint.siblings:
                    continue
                seen += 1
                if seen == constraint.window:
                    bound = max(bound, entry.cycle + constraint.latency)
                    break
        return bound

    def _banks(self, command: Command, bank: int) -> range:
        """The banks that one issue covers."""
        block = self.standard.banks_below(command.scope)
        first = max(bank, 0) // block * block
        return range(first, first + block)
