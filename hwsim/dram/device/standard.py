"""A DRAM standard as data: its commands, its organisation and its table of timing constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

from hwsim.errors import DramError

CommandKind = Literal["activate", "precharge", "column", "register", "refresh", "other"]
Access = Literal["read", "write", "compute"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """One DRAM command.

    `scope` is the level that one issue addresses: a command of scope `channel` works on all banks. A `column` command
    needs its row open in every bank of its scope; `activate` and `precharge` name the commands that open and close it.
    `duration` is the number of cycles from issue to completion; a `reserved` command may address the reserved rows
    after the others.
    """

    name: str
    scope: str
    kind: CommandKind
    activate: str | None = None
    precharge: str | None = None
    access: Access | None = None
    auto_precharge: bool = False
    duration: int = 1
    reserved: bool = False


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """`following` waits `latency` cycles after the `window`-th last `preceding` in the same node of `level`.

    With `siblings` it waits for issues in the other nodes of `level` in the channel instead, such as other ranks.
    `hazard` marks a data dependency: the wait holds only between two commands that touch the same column of the vector
    buffer. An in-order controller that does not track columns applies it to all commands.
    """

    level: str
    preceding: str
    following: str
    latency: int
    window: int = 1
    hazard: bool = False
    siblings: bool = False


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """`command` is due every `interval` cycles; `precharge` first closes the banks to be refreshed.

    With `turns` the banks are refreshed one after the other: refresh k, from 0, is for bank k mod turns and due at
    cycle (k + 1) x interval // turns. With `postponed` that many refreshes wait for the next one and become due with
    it.
    """

    command: str
    precharge: str
    interval: int
    turns: int = 1
    postponed: int = 0

    def due(self, k: int) -> int:
        """The cycle in which the k-th refresh falls due, from 0."""
        return self.end_of_group(k) * self.interval // self.turns

    def end_of_group(self, k: int) -> int:
        """The first refresh after the group that becomes due together with the k-th."""
        group = self.postponed + 1
        return (k // group + 1) * group


@dataclass(frozen=True, kw_only=True)
class Standard:
    """A DRAM channel of one standard.

    Attributes
    ----------
    clock_hz : command clock; all latencies are in its cycles
    levels : (name, count within the parent), outermost first, from channel to bank
    rows, columns : rows per bank; column accesses per row
    column_bytes : bytes that one column access moves in one bank
    reserved_rows : further rows, after these, that hold tables of the device
    params : every timing parameter in cycles, by the name that the table uses (`nRCD`)
    """

    name: str
    clock_hz: Fraction
    levels: tuple[tuple[str, int], ...]
    rows: int
    columns: int
    column_bytes: int
    params: Mapping[str, int]
    commands: Mapping[str, Command]
    constraints: tuple[Constraint, ...]
    refresh: Refresh | None
    reserved_rows: int = 0

    @cached_property
    def banks(self) -> int:
        """Banks in a channel."""
        return math.prod(count for _, count in self.levels)

    @cached_property
    def command_ids(self) -> Mapping[str, int]:
        """Number of each command, as encoded programs hold it."""
        return {name: index for index, name in enumerate(self.commands)}

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.levels)

    def banks_below(self, level: str) -> int:
        """Number of banks in one node of `level`; bank b lies in node b // that number."""
        depth = self.level_names.index(level)
        return math.prod(count for _, count in self.levels[depth + 1 :])

    def node(self, level: str, bank: int) -> int:
        """The node, counted within `level`, that holds `bank`."""
        return bank // self.banks_below(level)

    def shares_node(self, constraint: Constraint) -> bool:
        """Whether both commands of a constraint address a single node of its level."""
        depth = self.level_names.index(constraint.level)
        return all(
            self.level_names.index(self.commands[name].scope) >= depth
            for name in (constraint.preceding, constraint.following)
        )

    def without_refresh(self) -> Standard:
        return replace(self, refresh=None)

    def without_hazards(self) -> Standard:
        """The standard without data dependencies, for a controller that itself tracks the content of columns."""
        return replace(self, constraints=tuple(c for c in self.constraints if not c.hazard))


def check_standard(standard: Standard) -> None:
    for field in ("rows", "columns", "column_bytes"):
        if getattr(standard, field) < 1:
            raise DramError(f"standard {standard.name}: {field} must be at least 1")
    for level, count in standard.levels:
        if count < 1:
            raise DramError(f"standard {standard.name}: {level} count must be at least 1, got {count}")
    if standard.refresh:
        _check_refresh(standard, standard.refresh)


def _check_refresh(standard: Standard, refresh: Refresh) -> None:
    """There must be time between two refreshes to open, use and close a row; otherwise a program would never end."""
    if standard.banks_below(standard.commands[refresh.command].scope) != standard.banks:
        raise DramError(f"standard {standard.name}: refresh of several ranks in turn is not played; use one rank")

    def longest(preceding: tuple[str, ...], following: tuple[str, ...]) -> int:
        kinds = {name: command.kind for name, command in standard.commands.items()}
        waits = [
            c.latency
            for c in standard.constraints
            if kinds[c.preceding] in preceding and kinds[c.following] in following and c.window == 1
        ]
        return max(waits, default=0)

    busy = (
        longest(("refresh",), ("activate", "refresh"))
        + longest(("activate",), ("column",))
        + longest(("activate", "column"), ("precharge",))
        + longest(("precharge", "column"), ("refresh",))
    )
    if refresh.interval <= busy:
        raise DramError(
            f"standard {standard.name}: refresh every {refresh.interval} cycles leaves no time for work, "
            f"a refresh and one row take up to {busy}"
        )
