"""Two or more reports side by side: their figures, ratios to the first, and what was set differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from hwsim.errors import UserError
from hwsim.parameters.nested import flatten
from hwsim.report.attention import attention_figures
from hwsim.report.compare_attention import plans_side_by_side
from hwsim.report.incomparable import incomparable
from hwsim.report.read import read_report
from hwsim.report.schema import DramUse, Report

COMPARISON_SCHEMA_VERSION = "2.1"
GROUPS = ("headline", "kinds", "units", "memories", "resources", "dram", "commands", "attention")

Getter = Callable[[Report], float | None]


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
    """Reports side by side, in the order in which they were given; notes call the first A, the next B, and so on."""

    schema_version: str = COMPARISON_SCHEMA_VERSION
    reports: list[str]
    titles: list[str]
    figures: list[Figure] = Field(description=f"groups {', '.join(GROUPS)}, in this order")
    differences: list[Difference]
    notes: list[str] = Field(description="what cannot be compared, and why")

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


def compare(reports: Sequence[Report], names: Sequence[str]) -> Comparison:
    """Compare reports; `names` stand for them."""
    return Comparison(
        reports=list(names),
        titles=[f"{report.workload} on {report.machine}" for report in reports],
        figures=[*_headline(reports), *_tables(reports)],
        differences=[*_differences(reports), *_patterns(reports)],
        notes=incomparable(reports),
    )


def _headline(reports: Sequence[Report]) -> Iterator[Figure]:
    def figure(name: str, unit: str, of: Getter, *, comparable: bool = True) -> Figure:
        return _figure("headline", name, unit, [of(report) for report in reports], comparable=comparable)

    yield figure("latency", "s", lambda report: report.latency_s)
    one_clock = len({report.clock_hz for report in reports}) == 1
    yield figure("cycles", "", lambda report: report.cycles, comparable=one_clock)
    for unit in dict.fromkeys(report.throughput.unit for report in reports):
        yield figure("throughput", f"{unit}/s", partial(_throughput, unit))
    if any(report.decoding for report in reports):
        yield figure("time to first token", "s", _first_token)
    yield figure("energy", "J", lambda report: report.energy_j)
    yield figure("lower bound", "s", lambda report: report.bound.lower_bound_s)
    yield figure("over the lower bound", "", lambda report: report.bound.ratio)
    yield figure("off chip", "B", lambda report: report.offchip_bytes)


def _throughput(unit: str, report: Report) -> float | None:
    """Of that unit alone."""
    return report.throughput.value if report.throughput.unit == unit else None


def _first_token(report: Report) -> float | None:
    return report.decoding.time_to_first_token_s if report.decoding else None


def _tables(reports: Sequence[Report]) -> Iterator[Figure]:
    # times, since reports may count different clocks
    yield from _named("kinds", "s", [{k.kind: k.cycles / r.clock_hz for k in r.breakdown} for r in reports])
    yield from _named("units", "%", [{unit.name: unit.utilisation for unit in r.units} for r in reports])
    yield from _named("memories", "B", [_memories(report) for report in reports])
    yield from _named("resources", "", [{f"{u.place} {u.resource}": u.used for u in r.resources} for r in reports])
    for name, unit, of in DRAM:
        if any(report.dram for report in reports):
            yield _figure("dram", name, unit, [of(report.dram) if report.dram else None for report in reports])
    yield from _named("commands", "", [report.dram.commands if report.dram else {} for report in reports])
    one_clock = len({report.clock_hz for report in reports}) == 1
    for group in plans_side_by_side(reports):
        for row in attention_figures(group.uses):
            comparable = one_clock or row.unit != "cycles"
            yield _figure("attention", f"{group.title}{row.name}", row.unit, row.values, comparable=comparable)


DRAM: tuple[tuple[str, str, Callable[[DramUse], float]], ...] = (
    ("read in the banks", "B", lambda dram: dram.bytes_read),
    ("written in the banks", "B", lambda dram: dram.bytes_written),
    ("over the pins", "B", lambda dram: dram.io_bytes),
    ("row-hit rate", "%", lambda dram: dram.row_hit_rate),
    ("refreshes", "", lambda dram: dram.refreshes),
)


def _memories(report: Report) -> dict[str, float | None]:
    """Size of each memory, and what of it is in use."""
    found: dict[str, float | None] = {}
    for memory in report.memories:
        found |= {f"{memory.name}, in use": memory.used_bytes} if memory.used_bytes is not None else {}
        found[memory.name] = memory.size_bytes
    return found


def _figure(group: str, name: str, unit: str, values: Sequence[float | None], *, comparable: bool = True) -> Figure:
    first = values[0]
    ratios = [value / first if comparable and first and value is not None else None for value in values]
    return Figure(group=group, name=name, unit=unit, values=list(values), ratios=ratios)


def _named(group: str, unit: str, tables: Sequence[Mapping[str, float | None]]) -> Iterator[Figure]:
    """A figure for each name that any of the reports has, in the order in which they come."""
    for name in dict.fromkeys(name for table in tables for name in table):
        yield _figure(group, name, unit, [table.get(name) for table in tables])


def _differences(reports: Sequence[Report]) -> list[Difference]:
    """Settings of the run, parameters of the machine, fields of the workload."""
    tables = [_settings(report) for report in reports]
    rows = []
    for name in dict.fromkeys(name for table in tables for name in table):
        values = [table.get(name) for table in tables]
        if any(value != values[0] for value in values[1:]):
            rows.append(Difference(name=name, values=values))
    return rows


def _patterns(reports: Sequence[Report]) -> Iterator[Difference]:
    """Of attention whose figures stand side by side."""
    for group in plans_side_by_side(reports):
        if not group.alike:
            values = [use.pattern if use else None for use in group.uses]
            yield Difference(name=f"pattern of attention {group.number}", values=values)


def _settings(report: Report) -> dict[str, Any]:
    """What the report itself says of how it was run, then the parameters that it has not said yet."""
    said: dict[str, Any] = {"machine": report.machine, "workload": report.workload, "schedule": report.schedule}
    if report.decoding:
        said |= report.decoding.model_dump(include={"phase", "tokens", "past", "prompt", "batch", "lm_head"})
    for load in report.loads or ():
        said |= {f"load {load.name}": load.source, f"load {load.name}, seed": load.seed}
    said["hwsim_version"] = report.hwsim_version
    machine = {name: value for name, value in flatten(report.parameters).items() if name not in said}
    own = flatten(report.workload_parameters)
    workload = {f"workload.{name}": value for name, value in own.items() if name not in (*said, "name")}
    return {**said, **machine, **workload}
