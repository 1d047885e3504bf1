"""Two or more reports side by side: their figures, ratios to the first, and what was set differently."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hwsim.errors import UserError
from hwsim.mapping.yaml_file import first_problem
from hwsim.report.schema import SCHEMA_VERSION, KindShare, Report, UnitUse

COMPARISON_SCHEMA_VERSION = "1.0"
MAX_BYTES = 64 << 20
SETTINGS = ("machine", "workload", "phase", "tokens", "prompt", "batch", "lm_head", "schedule", "seed", "hwsim_version")
# (figure, where it lies in a report, unit)
HEADLINE = (
    ("latency", "latency_s", "s"),
    ("cycles", "cycles", ""),
    ("throughput", "tokens_per_s", "tokens/s"),
    ("time to first token", "time_to_first_token_s", "s"),
    ("energy", "energy_j", "J"),
    ("lower bound", "bound.lower_bound_s", "s"),
    ("over the lower bound", "bound.ratio", ""),
)
DRAM = (
    ("read in the banks", "dram.bytes_read", "B"),
    ("written in the banks", "dram.bytes_written", "B"),
    ("over the pins", "dram.io_bytes", "B"),
    ("off chip", "offchip_bytes", "B"),
    ("row-hit rate", "dram.row_hit_rate", "%"),
    ("refreshes", "dram.refreshes", ""),
    ("memory in use", "resources.memory_bytes", "B"),
)


class ReadReport(BaseModel):
    """What a comparison takes from a report; an older or newer minor version may lack or have more fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: str
    machine: str
    workload: str
    phase: str | None = None
    tokens: int | None = None
    prompt: int | None = None
    batch: int | None = None
    lm_head: str | None = None
    schedule: str | None = None
    seed: int | None = None
    hwsim_version: str | None = None
    cycles: int | None = None
    clock_hz: float | None = None
    latency_s: float | None = None
    tokens_per_s: float | None = None
    time_to_first_token_s: float | None = None
    energy_j: float | None = None
    breakdown: list[KindShare] | None = None
    units: list[UnitUse] | None = None
    bound: dict[str, Any] | None = None
    dram: dict[str, Any] | None = None
    offchip_bytes: float | None = None
    resources: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    workload_parameters: dict[str, Any] | None = None


class Figure(BaseModel):
    """A figure of every report, null where a report has none; ratios are to the first report."""

    group: str
    name: str
    unit: str
    values: list[float | None]
    ratios: list[float | None]


class Difference(BaseModel):
    """A setting that is not the same in all reports; null where a report does not say."""

    name: str
    values: list[Any]


class Comparison(BaseModel):
    """Reports side by side, in the order in which they were given."""

    schema_version: str = COMPARISON_SCHEMA_VERSION
    reports: list[str]
    titles: list[str]
    figures: list[Figure] = Field(description="groups headline, kinds, units, dram, commands, in this order")
    differences: list[Difference]

    def to_json(self) -> str:
        """The comparison as text."""
        return self.model_dump_json(indent=2) + "\n"


def compare_files(paths: Sequence[Path]) -> Comparison:
    """Compare the reports in some files.

    Raises
    ------
    UserError : fewer than two files; one that is missing, no report, or of another schema
    """
    if len(paths) < 2:
        raise UserError(f"compare: expected two or more reports, got {len(paths)}")
    return compare([read_report(path) for path in paths], [str(path) for path in paths])


def read_report(path: Path) -> ReadReport:
    """The report in a file.

    Raises
    ------
    UserError : the file cannot be read, is no JSON, no report, or of another schema
    """
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder, expected a report")
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES} bytes, expected a report")
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as cause:
        raise UserError(f"{path}: cannot be read: {cause.strerror or cause}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text, expected a report as JSON") from None
    except (ValueError, RecursionError) as cause:
        raise UserError(f"{path}: not JSON: {cause}") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, str) or "latency_s" not in document:
        raise UserError(f"{path}: not a report of hwsim run --json")
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        ours = SCHEMA_VERSION.partition(".")[0]
        raise UserError(f"{path}: report of schema {version}, this hwsim compares those of schema {ours}.x")
    try:
        return ReadReport.model_validate(document)
    except ValidationError as cause:
        raise UserError(f"{path}: not a report: {first_problem(cause)}") from None


def compare(reports: Sequence[ReadReport | Report], names: Sequence[str]) -> Comparison:
    """Compare reports; `names` stand for them."""
    dumps = [report.model_dump() for report in reports]
    figures = [
        _figure(group, name, unit, [_number(_at(dump, path)) for dump in dumps])
        for group, table in (("headline", HEADLINE), ("dram", DRAM))
        for name, path, unit in table
    ]
    figures += _named(dumps, "kinds", "s", _kind_seconds)
    figures += _named(
        dumps, "units", "%", lambda dump: {unit["name"]: unit["utilisation"] for unit in dump["units"] or ()}
    )
    figures += _named(dumps, "commands", "", lambda dump: _at(dump, "dram.commands"))
    order = ("headline", "kinds", "units", "dram", "commands")
    return Comparison(
        reports=list(names),
        titles=[f"{dump['workload']} on {dump['machine']}" for dump in dumps],
        figures=sorted(figures, key=lambda figure: order.index(figure.group)),
        differences=_differences(dumps),
    )


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _at(dump: Mapping[str, Any], path: str) -> Any:
    value: Any = dump
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _figure(group: str, name: str, unit: str, values: list[float | None]) -> Figure:
    first = values[0]
    ratios = [value / first if first and value is not None else None for value in values]
    return Figure(group=group, name=name, unit=unit, values=values, ratios=ratios)


def _named(
    dumps: Sequence[Mapping[str, Any]], group: str, unit: str, of: Callable[[Mapping[str, Any]], Any]
) -> list[Figure]:
    """A figure for each name that any of the reports has, in the order in which they come."""
    tables = [table if isinstance(table, Mapping) else {} for table in map(of, dumps)]
    names = dict.fromkeys(name for table in tables for name in table)
    return [_figure(group, name, unit, [_number(table.get(name)) for table in tables]) for name in names]


def _kind_seconds(dump: Mapping[str, Any]) -> dict[str, float]:
    """Times, since reports may count different clocks."""
    clock = dump["clock_hz"]
    return {part["kind"]: part["cycles"] / clock for part in dump["breakdown"] or ()} if clock else {}


def _differences(dumps: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Settings, parameters, fields of the workload; what an older report does not hold is no difference."""
    rows: list[Difference] = []
    for group, prefix in (("", ""), ("parameters", ""), ("workload_parameters", "workload.")):
        tables = [{name: dump[name] for name in SETTINGS} if not group else dump[group] for dump in dumps]
        flat = [None if table is None else _flat(table, prefix) for table in tables]
        known = [table for table in flat if table is not None]
        for name in dict.fromkeys(name for table in known for name in table):
            # the report itself has these already
            if (name.removeprefix("workload.") in SETTINGS and group) or name == "workload.name":
                continue
            if any(table.get(name) != known[0].get(name) for table in known[1:]):
                rows.append(Difference(name=name, values=[table and table.get(name) for table in flat]))
    return rows


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value})
    return flat
