"""Is a log of commands legal? The first broken rule of a standard, whoever wrote the log."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.dram.log import LoggedCommand
from hwsim.dram.standard import Command, Constraint, Standard


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A command that breaks a rule; `earliest` is the first cycle that the rule allows, for rules of timing."""

    index: int
    command: LoggedCommand
    rule: str
    earliest: int | None = None

    def __str__(self) -> str:
        wait = "" if self.earliest is None else f"; legal from cycle {self.earliest} on"
        return f"command {self.index} ({self.command}): {self.rule}{wait}"


def first_violation(
    log: Sequence[LoggedCommand], standard: Standard, *, max_refresh_delay: int | None = None
) -> Violation | None:
    """Check a channel's log in order of issue.

    Parameters
    ----------
    max_refresh_delay : the k-th refresh may come this many cycles after k intervals; not checked by default

    Returns
    -------
    The first violation, or None where the log is legal.
    """
    checker = _Checker(standard, max_refresh_delay)
    for index, entry in enumerate(log):
        violation = checker.check(index, entry)
        if violation:
            return violation
        checker.enter(entry)
    return None


class _Checker:
    """State that the rules need: last issues per node, open rows, refreshes."""

    def __init__(self, standard: Standard, max_refresh_delay: int | None) -> None:
        self.standard = standard
        self.max_refresh_delay = max_refresh_delay
        self.open = [-1] * standard.banks
        self.last_cycle: int | None = None
        self.refreshes = 0
        usable = [c for c in standard.constraints if standard.shares_node(c)]
        self.waits: dict[str, list[Constraint]] = defaultdict(list)
        longest: dict[str, int] = defaultdict(lambda: 1)
        for constraint in usable:
            self.waits[constraint.following].append(constraint)
            longest[constraint.preceding] = max(longest[constraint.preceding], constraint.window)
        self.longest = longest
        self.issued: dict[tuple[str, int, str], deque[int]] = {}

    def check(self, index: int, entry: LoggedCommand) -> Violation | None:
        def broken(rule: str, earliest: int | None = None) -> Violation:
            return Violation(index=index, command=entry, rule=rule, earliest=earliest)

        command = self.standard.commands.get(entry.command)
        if command is None:
            return broken(f"{self.standard.name} has no such command")
        address = self._bad_address(command, entry)
        if address:
            return broken(address)
        if self.last_cycle is not None and entry.cycle <= self.last_cycle:
            return broken("one command a cycle, in order of time", self.last_cycle + 1)
        state = self._bad_state(command, entry)
        if state:
            return broken(state)
        for constraint in self.waits[entry.command]:
            node = self.standard.node(constraint.level, max(entry.bank, 0))
            past = self.issued.get((constraint.level, node, constraint.preceding))
            if past and len(past) >= constraint.window:
                earliest = past[-constraint.window] + constraint.latency
                if entry.cycle < earliest:
                    found = entry.cycle - past[-constraint.window]
                    window = f" (window of {constraint.window})" if constraint.window > 1 else ""
                    return broken(
                        f"{constraint.preceding} -> {constraint.following} at {constraint.level}{window}: "
                        f"{constraint.latency} cycles, found {found}",
                        earliest,
                    )
        return self._late_refresh(command, entry, index)

    def enter(self, entry: LoggedCommand) -> None:
        """Take a legal command into the state."""
        standard = self.standard
        command = standard.commands[entry.command]
        depth = standard.level_names.index(command.scope)
        for level in standard.level_names[: depth + 1]:
            key = (level, standard.node(level, max(entry.bank, 0)), entry.command)
            if key not in self.issued:
                self.issued[key] = deque(maxlen=self.longest[entry.command])
            self.issued[key].append(entry.cycle)
        self.last_cycle = entry.cycle
        if command.kind == "activate":
            self._set_open(command, entry, entry.row)
        elif command.kind == "precharge" or command.auto_precharge:
            self._set_open(command, entry, -1)
        elif command.kind == "refresh":
            self.refreshes += 1

    def _bad_address(self, command: Command, entry: LoggedCommand) -> str | None:
        standard = self.standard
        whole = standard.banks_below(command.scope) == standard.banks
        if not whole and not 0 <= entry.bank < standard.banks:
            return f"needs a bank below {standard.banks}"
        if command.kind in ("activate", "column") and not 0 <= entry.row < standard.rows:
            return f"needs a row below {standard.rows}"
        if command.kind == "column" and not 0 <= entry.column < standard.columns:
            return f"needs a column below {standard.columns}"
        return None

    def _bad_state(self, command: Command, entry: LoggedCommand) -> str | None:
        rows = {self.open[b] for b in self._banks(command, entry)}
        if command.kind == "column" and rows != {entry.row}:
            return f"needs row {entry.row} open, found {_rows(rows)}"
        if command.kind in ("activate", "refresh") and rows != {-1}:
            return f"needs closed banks, found {_rows(rows)}"
        return None

    def _late_refresh(self, command: Command, entry: LoggedCommand, index: int) -> Violation | None:
        rule = self.standard.refresh
        if self.max_refresh_delay is None or rule is None or command.name == rule.command:
            return None
        due = (self.refreshes + 1) * rule.interval
        if command.name != rule.precharge and entry.cycle > due + self.max_refresh_delay:
            return Violation(index=index, command=entry, rule=f"refresh due at cycle {due} has not come")
        return None

    def _set_open(self, command: Command, entry: LoggedCommand, row: int) -> None:
        for b in self._banks(command, entry):
            self.open[b] = row

    def _banks(self, command: Command, entry: LoggedCommand) -> range:
        block = self.standard.banks_below(command.scope)
        first = max(entry.bank, 0) // block * block
        return range(first, first + block)


def _rows(rows: set[int]) -> str:
    return ", ".join("closed" if row < 0 else f"row {row}" for row in sorted(rows))
