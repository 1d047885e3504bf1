"""A DRAM standard as data: its commands, its organisation and its table of timing constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

from hwsim.errors import DramError

CommandKind = Literal["activate", "precharge", "column", "register", "refresh", "other"]
Access = Literal["read", "write", "compute"]
RANK_LEVELS = ("rank", "pseudochannel")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One DRAM command.

    `scope` is the level that one issue addresses: a command of scope `channel` works on all banks. With a `stride`, a
    command of scope `bank` works on all banks of the rank that lie a multiple of `stride` from the one that it names,
    such as the same bank in every bank group. A `column` command needs its row open in every bank of its scope;
    `activate` and `precharge` name the commands that open and close it. `duration` is the number of cycles from issue
    to completion; a `reserved` command may address the reserved rows after the others.
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
    stride: int | None = None


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

    With `turns` the banks of a rank are refreshed one set after the other (`Standard.refresh_targets`): refresh k, from
    0, is turn k mod turns and due at cycle (k + 1) x interval / turns, so that each bank is refreshed once an interval.
    Ranks are refreshed one after the other in each of these times: rank r comes r / ranks of the time later. With
    `postponed` that many refreshes wait for the next one and become due with it.
    """

    command: str
    precharge: str
    interval: int
    turns: int = 1
    postponed: int = 0

    def due(self, k: int, *, rank: int = 0, ranks: int = 1) -> int:
        """The cycle in which the k-th refresh of one of the ranks falls due, from 0; fractions are rounded down."""
        return (self.end_of_group(k) * ranks + rank) * self.interval // (self.turns * ranks)

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
    def rank_level(self) -> str:
        """The level whose nodes are refreshed independently of each other: the channel, if there are no ranks."""
        return next((level for level in self.level_names if level in RANK_LEVELS), self.level_names[0])

    @cached_property
    def banks_per_rank(self) -> int:
        return self.banks_below(self.rank_level)

    @cached_property
    def ranks(self) -> int:
        """Ranks in a channel, 1 if the standard has none."""
        return self.banks // self.banks_per_rank

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

    def banks_of(self, command: str, bank: int) -> range:
        """The banks of the channel that one issue works on; -1 where the command names none."""
        block = self.banks_below(self.commands[command].scope)
        first = max(bank, 0) // block * block
        stride = self.commands[command].stride
        if stride is None:
            return range(first, first + block)
        rank = first // self.banks_per_rank * self.banks_per_rank
        return range(rank + (first - rank) % stride, rank + self.banks_per_rank, stride)

    def refresh_targets(self, turn: int) -> tuple[int, ...]:
        """The banks that a refresh covers in its turn, counted within their rank; the first is the one it names."""
        if self.refresh is None or not 0 <= turn < self.refresh.turns:
            raise ValueError(f"standard {self.name} has no refresh in turn {turn}")
        return tuple(self.banks_of(self.refresh.command, turn if self.refresh.turns > 1 else 0))

    def refresh_due(self, k: int, rank: int = 0) -> int:
        """The cycle in which the k-th refresh of a rank falls due, from 0."""
        if self.refresh is None:
            raise ValueError(f"standard {self.name} is not refreshed")
        return self.refresh.due(k, rank=rank, ranks=self.ranks)

    def shares_node(self, constraint: Constraint) -> bool:
        """Whether each of the two commands of a constraint, in each of its banks, addresses one node of its level.

        Only then can a player look the constraint up by nodes. A constraint between siblings relates the node of the
        second command to the others of the level.
        """
        depth = self.level_names.index(constraint.level)
        return all(
            self.level_names.index(self.commands[name].scope) >= depth
            for name in (constraint.preceding, constraint.following)
        )

    def without_refresh(self) -> Standard:
        return replace(self, refresh=None)

    def with_refresh(self, refresh: Refresh) -> Standard:
        return replace(self, refresh=refresh)

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


def refuse_ranks(standard: Standard, player: str) -> None:
    """For a player that knows no ranks.

    Raises
    ------
    DramError : the standard has several
    """
    if standard.ranks > 1:
        raise DramError(f"standard {standard.name}: {player} plays one rank, found {standard.ranks}")


def refuse_turns(standard: Standard, player: str) -> None:
    """For a player that refreshes all banks at once.

    Raises
    ------
    DramError : the standard's refresh takes turns
    """
    refresh = standard.refresh
    if refresh and refresh.turns > 1:
        raise DramError(
            f"standard {standard.name}: {player} refreshes all banks at once, found {refresh.command}, "
            f"which takes {refresh.turns} turns"
        )


def _check_refresh(standard: Standard, refresh: Refresh) -> None:
    """There must be time between two refreshes to open, use and close a row; otherwise a program would never end."""

    def longest(preceding: Sequence[str], following: Sequence[str]) -> int:
        waits = [
            c.latency
            for c in standard.constraints
            if c.preceding in preceding and c.following in following and c.window == 1
        ]
        return max(waits, default=0)

    def of_kind(*kinds: CommandKind) -> list[str]:
        return [name for name, command in standard.commands.items() if command.kind in kinds]

    own = [refresh.command]
    if not longest(own, of_kind("activate")):
        raise DramError(
            f"standard {standard.name}: {refresh.command} takes no time; set the timing of a refresh, or play without"
        )
    busy = (
        longest(own, [*own, *of_kind("activate")])
        + longest(of_kind("activate"), of_kind("column"))
        + longest(of_kind("activate", "column"), of_kind("precharge"))
        + longest(of_kind("precharge", "column"), own)
    )
    if refresh.interval <= busy:
        raise DramError(
            f"standard {standard.name}: refresh every {refresh.interval} cycles leaves no time for work, "
            f"a refresh and one row take up to {busy}"
        )
    apart, turn = longest(own, own), refresh.interval // refresh.turns
    if refresh.turns > 1 and turn <= apart:
        raise DramError(
            f"standard {standard.name}: {refresh.command} every {turn} cycles leaves no time for work, "
            f"two of them lie {apart} apart"
        )
