"""A log that leads to one constraint: what must come before it, its two commands, when two witnesses allow the second.

The witnesses share no code: the compiled bank state, which looks forward from each issue, and the checker of logs,
which looks back from each command.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hwsim.dram.device.bank_state import BankState, earliest, new_bank_state, note
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Constraint, Standard
from hwsim.dram.device.tables import Tables, compile_tables

ROW = 0


@dataclass(kw_only=True)
class Script:
    """Commands issued as early as they may be, in a channel that was idle."""

    standard: Standard
    tables: Tables
    state: BankState = field(init=False)
    log: list[LoggedCommand] = field(default_factory=list)
    open: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.state = new_bank_state(self.tables, 1)

    def issue(self, name: str, bank: int, *, at: int = 0) -> int:
        """Issue a command in the first cycle from `at` on that the bank state allows; return the cycle."""
        self.prepare(name, bank)
        cycle = max(at, self.allowed(name, bank))
        self._enter(name, bank, cycle)
        return cycle

    def allowed(self, name: str, bank: int) -> int:
        """The first cycle that the bank state allows, for a command of skipped banks in all of them."""
        command = self.standard.command_ids[name]
        return max(int(earliest(self.state, self.tables, 0, command, target)) for target in self._targets(name, bank))

    def prepare(self, name: str, bank: int) -> None:
        """Open or close the rows that a command needs open or closed."""
        command, banks = self.standard.commands[name], set(self.standard.banks_of(name, bank))
        if command.kind == "column" and not banks <= self.open:
            self.issue(str(command.activate), bank)
        elif command.kind in ("activate", "refresh"):
            while banks & self.open:
                self.issue(self._closing(banks & self.open), min(banks & self.open))

    def open_singly(self, bank: int) -> None:
        """Open one bank with the activate of the smallest scope."""
        activates = [c.name for c in self.standard.commands.values() if c.kind == "activate"]
        self.issue(min(activates, key=lambda name: len(self.standard.banks_of(name, bank))), bank)

    def entry(self, name: str, bank: int, cycle: int) -> LoggedCommand:
        command = self.standard.commands[name]
        whole = self.standard.banks_below(command.scope) == self.standard.banks
        return LoggedCommand(
            cycle=cycle,
            command=name,
            bank=-1 if whole else bank,
            row=ROW if command.kind in ("activate", "column") else -1,
            column=0 if command.kind == "column" else -1,
        )

    def _closing(self, opened: set[int]) -> str:
        """The precharge that closes these banks with the fewest commands."""
        kinds = [c for c in self.standard.commands.values() if c.kind == "precharge"]
        bank = min(opened)
        covering = [c for c in kinds if opened <= set(self.standard.banks_of(c.name, bank))]
        return min(covering or kinds, key=lambda c: len(self.standard.banks_of(c.name, bank))).name

    def _enter(self, name: str, bank: int, cycle: int) -> None:
        for target in self._targets(name, bank):
            note(self.state, self.tables, 0, self.standard.command_ids[name], target, cycle)
        self.log.append(self.entry(name, bank, cycle))
        command, banks = self.standard.commands[name], set(self.standard.banks_of(name, bank))
        if command.kind == "activate":
            self.open |= banks
        elif command.kind == "precharge" or command.auto_precharge:
            self.open -= banks

    def _targets(self, name: str, bank: int) -> list[int]:
        """The banks whose waits and issues an issue is, for tables that know no skipped banks."""
        if self.standard.commands[name].stride is None:
            return [bank]
        return list(self.standard.banks_of(name, bank))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """When the second command of a constraint may go, in the place where the fewest other rules delay it.

    Attributes
    ----------
    wait : cycles after the first command (or the first of a window) until both witnesses allow the second
    without : the same if the standard had no such constraint
    """

    constraint: Constraint
    wait: int
    without: int

    @property
    def verdict(self) -> str:
        """binds: it alone sets the cycle. shared: another path leads to the same cycle. hidden: to a later one."""
        if self.wait > self.constraint.latency:
            return "hidden"
        return "binds" if self.without < self.wait else "shared"


def examine(standard: Standard, constraint: Constraint) -> Finding:
    """Play the two commands of a constraint in all kinds of places; both witnesses must agree on the cycle in each.

    Raises
    ------
    AssertionError : the witnesses disagree, or one allows the second command earlier than the constraint says
    """
    lesser = replace(standard, constraints=tuple(c for c in standard.constraints if c != constraint))
    tables, fewer = compile_tables(standard), compile_tables(lesser)
    waits = []
    for banks in places(standard, constraint):
        wait = _wait(standard, tables, constraint, banks)
        assert wait >= constraint.latency, f"{constraint} in {banks}: allowed after {wait}"
        waits.append((wait, _wait(lesser, fewer, constraint, banks)))
    wait, without = min(waits)
    return Finding(constraint=constraint, wait=wait, without=without)


def places(standard: Standard, constraint: Constraint) -> list[list[int]]:
    """Banks for the first command, once for each issue in the window, and for the second; near and far ones.

    Those of a window lie as far apart as the node allows.
    """
    node = standard.banks_below(constraint.level)
    blocks = [standard.banks_below(standard.commands[c].scope) for c in (constraint.preceding, constraint.following)]
    candidates = range(node, standard.banks) if constraint.siblings else range(node)
    steps = {0, *(standard.banks_below(level) for level in standard.level_names if standard.banks_below(level) < node)}
    if constraint.window > 1:
        apart = [bank for offset in range(4) for bank in candidates if bank % 4 == offset]
        return [apart[: constraint.window + 1]]
    seconds = {candidates[step] // blocks[1] * blocks[1] for step in steps}
    return [[0, second] for second in sorted(seconds)]


def _wait(standard: Standard, tables: Tables, constraint: Constraint, banks: list[int]) -> int:
    """Cycles from the first issue to the first in which both witnesses allow the second command."""
    script = Script(standard=standard, tables=tables)
    *firsts, second = banks
    _set_the_scene(script, constraint, firsts, second)
    start = script.log[-1].cycle + 10 * tables.reach if script.log else 0
    issued = [script.issue(constraint.preceding, bank, at=start) for bank in firsts]
    script.prepare(constraint.following, second)
    cycle = max(script.allowed(constraint.following, second), 0)
    exactly, early = (script.entry(constraint.following, second, at) for at in (cycle, cycle - 1))
    rules = _about(standard, [*script.log, exactly])
    assert first_violation([*script.log, exactly], rules) is None
    violation = first_violation([*script.log, early], rules)
    assert violation is not None, f"{constraint} in {banks}: the checker allows it before cycle {cycle}"
    assert violation.earliest == cycle, f"{constraint} in {banks}: {violation}, bank state {cycle}"
    return cycle - issued[0]


def _about(standard: Standard, log: list[LoggedCommand]) -> Standard:
    """The standard with the constraints between the commands of a log; the others cannot matter to it."""
    names = {entry.command for entry in log}
    return replace(standard, constraints=tuple(c for c in standard.constraints if {c.preceding, c.following} <= names))


def _set_the_scene(script: Script, constraint: Constraint, firsts: list[int], second: int) -> None:
    """Long before: rows that the first command needs, and those of the second that the first leaves as they are."""
    standard = script.standard
    first, following = standard.commands[constraint.preceding], standard.commands[constraint.following]
    changes_rows = first.kind in ("activate", "precharge", "refresh") or first.auto_precharge
    touched = {bank for at in firsts for bank in standard.banks_of(first.name, at)}
    wanted = set(standard.banks_of(following.name, second)) if following.kind == "column" else set()
    if wanted and not (changes_rows and wanted & touched):
        script.prepare(following.name, second)
    for bank in firsts:
        script.prepare(first.name, bank)
    if first.kind == "activate" and wanted & touched:
        for bank in sorted(wanted - touched - script.open):
            script.open_singly(bank)
