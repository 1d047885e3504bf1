"""A DRAM standard as data: its commands, its organisation and its table of timing constraints."""

from __future__ import annotations

import ast
import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from hwsim.data_file import read_data, read_text
from hwsim.errors import DramError, nearest

CommandKind = Literal["activate", "precharge", "column", "register", "refresh", "other"]
Access = Literal["read", "write", "compute"]

STANDARDS = ("pim_gpt", "gddr6_aim", "ddr4_2133", "gddr6", "hbm2", "hbm2_newton", "hbm_pim")
MOST_TIME = 10**9  # largest value of a timing parameter, in ns or cycles


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

    `hazard` marks a data dependency: the wait holds only between two commands that touch the same column of the vector
    buffer. An in-order controller that does not track columns applies it to all commands.
    """

    level: str
    preceding: str
    following: str
    latency: int
    window: int = 1
    hazard: bool = False


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


def timing_defaults(name: str) -> dict[str, float]:
    """Timing parameters of a standard as its file states them, `tX_ns` in ns or `nX` in cycles."""
    return {key: entry["value"] for key, entry in _read_yaml(name)["timing"].items()}


def timing_provenance(name: str) -> dict[str, dict[str, Any]]:
    """Grade, confidence and source of each timing parameter of a standard."""
    return {key: {k: v for k, v in entry.items() if k != "value"} for key, entry in _read_yaml(name)["timing"].items()}


def split_timing(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split settings into those called `timing.NAME`, by NAME, and the others."""
    timing = {k.removeprefix("timing."): value for k, value in settings.items() if k.startswith("timing.")}
    return timing, {k: value for k, value in settings.items() if not k.startswith("timing.")}


def load_standard(
    name: str,
    *,
    timing: Mapping[str, float | Fraction] | None = None,
    clock_hz: int | Fraction | None = None,
    levels: Mapping[str, int] | None = None,
    rows: int | None = None,
    columns: int | None = None,
    column_bytes: int | None = None,
    refresh: bool = True,
) -> Standard:
    """Load a standard by name, with any of its parameters replaced.

    Parameters
    ----------
    timing : replaces parameters by the name that the standard's file uses (`tRCD_ns` or `nRCD`)
    refresh : False plays without refresh

    Raises
    ------
    DramError : unknown standard or parameter, a latency that the table uses but nothing defines
    """
    raw = _read_yaml(name)
    values: dict[str, float | Fraction] = dict(timing_defaults(name))
    for key, value in (timing or {}).items():
        if key not in values:
            raise DramError(f"standard {name}: no timing parameter {key!r}{nearest(key, values)}")
        values[key] = value
    clock = Fraction(clock_hz) if clock_hz is not None else Fraction(str(raw["clock_hz"]))
    if clock <= 0:
        raise DramError(f"standard {name}: clock_hz must be positive, got {clock}")
    for level in levels or ():
        if level not in raw["levels"]:
            raise DramError(f"standard {name}: no level {level!r}; there are {', '.join(raw['levels'])}")
    params = {_cycles_name(key): _cycles(name, key, value, clock) for key, value in values.items()}
    commands = {
        command: Command(name=command, **{**entry, "duration": evaluate(str(entry.get("duration", 1)), params)})
        for command, entry in raw["commands"].items()
    }
    level_counts = {**raw["levels"], **(levels or {})}
    rule = raw["refresh"]
    standard = Standard(
        name=name,
        clock_hz=clock,
        levels=tuple(level_counts.items()),
        rows=raw["rows"] if rows is None else rows,
        columns=raw["columns"] if columns is None else columns,
        column_bytes=raw["column_bytes"] if column_bytes is None else column_bytes,
        params=params,
        commands=commands,
        constraints=_read_constraints(raw["constraints"], commands, params),
        refresh=Refresh(
            command=rule["command"],
            precharge=rule["precharge"],
            interval=evaluate(rule["interval"], params),
        )
        if refresh
        else None,
        reserved_rows=raw.get("reserved_rows", 0),
    )
    _check(standard)
    return standard


def evaluate(expression: str, params: Mapping[str, int]) -> int:
    """Value of a sum or difference of parameters and integers, such as `nCL + nBL + 3 - nCWL`."""
    try:
        parsed = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise DramError(f"latency {expression!r}: no expression") from None
    return _evaluate(parsed, expression, params)


def _evaluate(node: ast.expr, text: str, params: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.Name(id=name):
            if name not in params:
                raise DramError(f"latency {text!r}: no parameter {name!r}{nearest(name, params)}")
            return params[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate(left, text, params) + _evaluate(right, text, params)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _evaluate(left, text, params) - _evaluate(right, text, params)
        case _:
            raise DramError(f"latency {text!r}: only sums and differences of parameters and integers are understood")


def _read_constraints(file: str, commands: Mapping[str, Command], params: Mapping[str, int]) -> tuple[Constraint, ...]:
    """Expand the table: each row stands for every pair of a preceding and a following command."""
    found: dict[tuple[str, str, str, int, bool], int] = {}
    for row in csv.DictReader(io.StringIO(read_text("hwsim.dram", f"standards/{file}"))):
        latency = evaluate(row["latency"], params)
        window = int(row.get("window") or 1)
        hazard = bool(row.get("hazard"))
        for preceding in row["preceding"].split():
            for following in row["following"].split():
                if preceding not in commands or following not in commands:
                    continue  # the published table names commands that no program can contain (SYNC, EOC)
                key = (row["level"], preceding, following, window, hazard)
                found[key] = max(latency, found.get(key, latency))
    return tuple(
        Constraint(level=level, preceding=preceding, following=following, latency=latency, window=window, hazard=hazard)
        for (level, preceding, following, window, hazard), latency in found.items()
        if latency > 0
    )


def _check(standard: Standard) -> None:
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


def _cycles_name(key: str) -> str:
    return "n" + key[1:].removesuffix("_ns") if key.endswith("_ns") else key


def _cycles(standard: str, key: str, value: float | Fraction, clock_hz: Fraction) -> int:
    if not re.fullmatch(r"t\w+_ns|n\w+", key):
        raise DramError(f"standard {standard}: timing parameter {key!r} is neither tX_ns nor nX")
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or not 0 <= value <= MOST_TIME:
        raise DramError(f"standard {standard}: timing.{key} must be a number from 0 to 1e9, got {value}")
    if key.endswith("_ns"):
        return math.ceil(Fraction(str(value)) * clock_hz / 10**9)
    if value != int(value):
        raise DramError(f"standard {standard}: timing.{key} counts cycles and must be whole, got {value!r}")
    return int(value)


def _read_yaml(name: str) -> dict[str, Any]:
    if name not in STANDARDS:
        raise DramError(f"no DRAM standard {name!r}; there are {', '.join(STANDARDS)}")
    document: dict[str, Any] = read_data("hwsim.dram", f"standards/{name}.yaml")
    return document
