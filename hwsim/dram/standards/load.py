"""Standards from their files: YAML for commands, organisation and timing, CSV for the table of constraints."""

from __future__ import annotations

import ast
import csv
import io
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hwsim.data_file import read_data, read_text
from hwsim.dram.device.standard import Command, Constraint, Refresh, Standard, check_standard
from hwsim.errors import DramError, nearest

STANDARDS = ("pim_gpt", "gddr6_aim", "ddr4_2133", "gddr6", "hbm2", "hbm2_newton", "hbm_pim")
MOST_TIME = 10**9  # largest value of a timing parameter, in ns or cycles


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
    check_standard(standard)
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
