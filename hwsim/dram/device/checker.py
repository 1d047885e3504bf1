"""Is a log of commands legal? Finds the first broken rule of a standard, in a log from any player.

Slow and obvious: it looks every constraint up among past issues. `stream_checker.py` does the same at speed.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Constraint, Standard

NEVER = -(1 << 60)
MODE_SWITCH = "TMOD"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A command that breaks a rule; `earliest` is the first cycle that the rule allows, for timing rules."""

    index: int
    command: LoggedCommand
    rule: str
    earliest: int | None = None

    def __str__(self) -> str:
        wait = "" if self.earliest is None else f"; legal from cycle {self.earliest} on"
        return f"command {self.index} ({self.command}): {self.rule}{wait}"


def first_violation(
    log: Sequence[LoggedCommand],
    standard: Standard,
    *,
    max_refresh_delay: int | None = None,
    check_modes: bool = False,
) -> Violation | None:
    """Check a channel's log in order of issue, from idle with all banks closed.

    Parameters
    ----------
    max_refresh_delay : the k-th refresh may come this many cycles after k intervals; not checked by default
    check_modes : register commands need the register mode and all others the array mode; TMOD switches between them,
        and a channel begins in array mode. Not checked by default: PIM-GPT's channels have no modes.

    Returns
    -------
    The first violation, or None if the log is legal. If one command breaks several constraints, the violation is of the
    one with the longest wait.
    """
    checker = ChannelChecker(standard, max_refresh_delay=max_refresh_delay, check_modes=check_modes)
    for index, entry in enumerate(log):
        broken = checker.broken_rule(entry)
        if broken:
            rule, earliest = broken
            return Violation(index=index, command=entry, rule=rule, earliest=earliest)
        checker.enter(entry)
    return None


class Issues(NamedTuple):
    """The last issues of one command at one level: by node, newest last."""

    by_node: list[deque[int]]
    banks_of_node: int


class ChannelChecker:
    """One channel, command by command, with the state that the rules need: last issues, open rows, refreshes."""

    def __init__(self, standard: Standard, *, max_refresh_delay: int | None = None, check_modes: bool = False) -> None:
        self.standard = standard
        self.check_modes = check_modes
        self.register_mode = False
        self.max_refresh_delay = max_refresh_delay
        self.open = [-1] * standard.banks
        self.last_cycle = NEVER
        turns = standard.refresh.turns if standard.refresh else 1
        self.refreshes = [[0] * turns for _ in range(standard.ranks)]  # how often each turn of each rank came
        self.waits: dict[str, list[tuple[Issues, Constraint]]] = defaultdict(list)
        self.issues: dict[str, dict[str, Issues]] = defaultdict(dict)  # by command, then level
        longest = max((c.window for c in standard.constraints), default=1)
        for constraint in standard.constraints:
            if standard.shares_node(constraint):
                issues = self.issues[constraint.preceding]
                if constraint.level not in issues:
                    issues[constraint.level] = _no_issues(standard, constraint.level, longest)
                self.waits[constraint.following].append((issues[constraint.level], constraint))
        self.all_banks = {
            name for name, command in standard.commands.items() if standard.banks_below(command.scope) == standard.banks
        }

    def broken_rule(self, entry: LoggedCommand) -> tuple[str, int | None] | None:
        """The rule that a command breaks and, for a timing rule, the cycle until which the command must wait."""
        if entry.cycle <= self.last_cycle:
            return "one command a cycle, in order of time", self.last_cycle + 1
        command = self.standard.commands.get(entry.command)
        if command is None:
            return f"{self.standard.name} has no such command", None
        rule = self._bad_address(command, entry) or self._bad_state(command, entry) or self._late_refresh(entry)
        return (rule, None) if rule else self._too_early(entry)

    def enter(self, entry: LoggedCommand) -> None:
        """Record a legal command in the state."""
        for issues in self.issues[entry.command].values():
            for node in self._nodes(entry, issues):
                issues.by_node[node].append(entry.cycle)
        self.last_cycle = entry.cycle
        command = self.standard.commands[entry.command]
        if command.kind == "activate":
            self._set_open(entry, entry.row)
        elif command.kind == "precharge" or command.auto_precharge:
            self._set_open(entry, -1)
        elif entry.command == MODE_SWITCH:
            self.register_mode = not self.register_mode
        elif self.standard.refresh and entry.command == self.standard.refresh.command:
            rank, bank = divmod(max(entry.bank, 0), self.standard.banks_per_rank)
            self.refreshes[rank][bank % self.standard.refresh.turns] += 1

    def _bad_address(self, command: Command, entry: LoggedCommand) -> str | None:
        standard = self.standard
        if entry.command in self.all_banks:
            if entry.bank != -1:
                return f"works on all banks and names none, found {entry.bank}"
        elif not 0 <= entry.bank < standard.banks:
            return f"needs a bank below {standard.banks}"
        rows = standard.rows + (standard.reserved_rows if command.reserved or command.kind == "activate" else 0)
        if command.kind in ("activate", "column") and not 0 <= entry.row < rows:
            return f"needs a row below {rows}"
        if command.kind == "column" and not 0 <= entry.column < standard.columns:
            return f"needs a column below {standard.columns}"
        return None

    def _bad_state(self, command: Command, entry: LoggedCommand) -> str | None:
        if self.check_modes and command.kind != "other" and (command.kind == "register") != self.register_mode:
            return f"needs the {'array' if self.register_mode else 'register'} mode"
        if command.kind == "column":
            rows = self._open_rows(entry)
            if rows != {entry.row}:
                return f"needs row {entry.row} open, found {_listed(rows)}"
        elif command.kind in ("activate", "refresh"):
            rows = self._open_rows(entry)
            # one command for several banks may find its row open in some of them
            again = {entry.row} if command.kind == "activate" and len(self._banks(entry)) > 1 else set()
            if rows - again - {-1} or rows == again:
                return f"needs closed banks, found {_listed(rows)}"
        return None

    def _late_refresh(self, entry: LoggedCommand) -> str | None:
        """Any command after the deadline of a refresh shows that the refresh is late, even the refresh itself."""
        rule = self.standard.refresh
        if self.max_refresh_delay is None or rule is None:
            return None
        due = min(
            self.standard.refresh_due(done * rule.turns + turn, rank)
            for rank, refreshes in enumerate(self.refreshes)
            for turn, done in enumerate(refreshes)
        )
        if entry.cycle <= due + self.max_refresh_delay:
            return None
        return f"refresh due at cycle {due} must come by {due + self.max_refresh_delay}"

    def _too_early(self, entry: LoggedCommand) -> tuple[str, int] | None:
        earliest, binding = entry.cycle, None
        for issues, constraint in self.waits[entry.command]:
            nodes = self._nodes(entry, issues)
            if constraint.siblings:
                nodes = [node for node in range(len(issues.by_node)) if node not in nodes]
            for node in nodes:
                allowed = issues.by_node[node][-constraint.window] + constraint.latency
                if allowed > earliest:
                    earliest, binding = allowed, constraint
        if binding is None:
            return None
        found = binding.latency - (earliest - entry.cycle)
        window = f" (window of {binding.window})" if binding.window > 1 else ""
        place = f"in another {binding.level}" if binding.siblings else f"at {binding.level}"
        pair = f"{binding.preceding} -> {binding.following} {place}{window}"
        return f"{pair}: {binding.latency} cycles, found {found}", earliest

    def _open_rows(self, entry: LoggedCommand) -> set[int]:
        return {self.open[bank] for bank in self._banks(entry)}

    def _set_open(self, entry: LoggedCommand, row: int) -> None:
        for bank in self._banks(entry):
            self.open[bank] = row

    def _banks(self, entry: LoggedCommand) -> range:
        return self.standard.banks_of(entry.command, entry.bank)

    def _nodes(self, entry: LoggedCommand, issues: Issues) -> Collection[int]:
        """The nodes of a level that one issue addresses: one, except for a command that skips banks."""
        if self.standard.commands[entry.command].stride is None:
            return (max(entry.bank, 0) // issues.banks_of_node,)
        return {bank // issues.banks_of_node for bank in self._banks(entry)}


def _no_issues(standard: Standard, level: str, longest: int) -> Issues:
    banks_of_node = standard.banks_below(level)
    nodes = range(standard.banks // banks_of_node)
    return Issues([deque([NEVER] * longest, maxlen=longest) for _ in nodes], banks_of_node)


def _listed(rows: set[int]) -> str:
    return ", ".join("closed" if row < 0 else f"row {row}" for row in sorted(rows))
