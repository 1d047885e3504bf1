"""A report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console

from hwsim.report.headline import describe_run, fitted_lines, one_of, speed, waits_text
from hwsim.report.quantities import bytes_text, count_text, figure_text, joules_text, seconds_text
from hwsim.report.render_sections import render_sections
from hwsim.report.schema import Contents, Report
from hwsim.report.tables import print_line, print_rows, print_table

HOLDS: dict[Contents, str] = {
    "weights": "weights",
    "cache": "K and V at the last token, as reserved",
    "activations": "activations",
    "tables": "tables",
    "other": "other",
}


def render(report: Report, console: Console) -> None:
    """Print a report."""
    print_line(console, f"[bold]{report.workload}[/bold] on [bold]{report.machine}[/bold]: {describe_run(report)}")
    print_rows(console, _headline(report))
    operators = ((part.kind, f"{part.cycles:,}", f"{part.share:.1%}") for part in report.breakdown)
    print_table(console, "Operators", ("kind", "cycles", "share"), operators)
    _units(report, console)
    print_line(console, f"Bottleneck: {report.bottleneck}")
    _bound(report, console)
    render_sections(report, console)
    _energy(report, console)
    print_table(console, "Memory", ("", "", ""), _memories(report))
    _resources(report, console)
    for left_out in report.excluded:
        print_line(
            console,
            f"\nNot included: {left_out.name}, {seconds_text(left_out.seconds_per_unit)} {one_of(report)} "
            f"({left_out.share:.1%} on top) — {left_out.note}",
        )
    _published(report, console)
    _unconfirmed(report, console)


def _headline(report: Report) -> Iterator[tuple[str, str]]:
    """Latency, throughput and time to the first token; what stands in tables below is not repeated."""
    for figure in speed(report):
        remark = f"  ({figure.remark})" if figure.name == "latency" else ""
        yield figure.name, f"{figure.value}{remark}"
    if report.decoding:
        latencies = report.decoding.token_latencies
        each = (f"{seconds_text(entry.seconds)} at context {entry.context}" for entry in latencies)
        yield "per token", "   ".join(each)
    yield "instructions", f"{report.instructions:,}"


def _units(report: Report, console: Console) -> None:
    rows = (
        (
            unit.name,
            f"{unit.count:,}",
            f"{unit.busy_cycles:,}",
            f"{unit.utilisation:.1%}",
            waits_text(unit),
            "proven" if unit.proven else "none",
            unit.source + (f"; compared {unit.compared}" if unit.compared else ""),
        )
        for unit in report.units
    )
    print_table(console, "Units", ("unit", "count", "busy cycles", "busy", "waits", "RTL", "timing from"), rows)


def _bound(report: Report, console: Console) -> None:
    bound = report.bound
    rows = [("lower bound", seconds_text(bound.lower_bound_s), "100.0%")]
    rows += [
        (part.cause, seconds_text(part.seconds), f"{part.seconds / bound.lower_bound_s:+.1%}")
        for part in bound.distance
        if part.seconds and bound.lower_bound_s
    ]
    rows.append(("latency", seconds_text(report.latency_s), f"{bound.ratio:.1%}"))
    print_table(console, "Where the time goes", ("", "time", "of the bound"), rows)
    print_line(console, f"The bound is {bound.note}.")


def _energy(report: Report, console: Console) -> None:
    energy = report.energy
    if energy is None:
        return
    rows = [
        (part.component.replace("_", " "), joules_text(part.joules), f"{part.share:.1%}", part.grade, part.source)
        for part in energy.components
    ]
    each = "" if energy.joules_per_mac is None else f", {joules_text(energy.joules_per_mac)} a MAC"
    per_unit = f"{joules_text(energy.joules_per_unit)} {one_of(report)}{each}"
    rows.append(("total", joules_text(energy.joules), "100.0%", "", per_unit))
    title = f"Energy by table {energy.table}, mean power {energy.mean_power_w:,.2f} W"
    print_table(console, title, ("component", "energy", "share", "grade", "source"), rows)
    for line in fitted_lines(energy):
        print_line(console, line)


def _memories(report: Report) -> Iterator[tuple[str, str, str]]:
    for memory in report.memories:
        size = bytes_text(memory.size_bytes)
        in_use = size if memory.used_bytes is None else f"peak use {bytes_text(memory.used_bytes)} of {size}"
        moved = ""
        if memory.bytes_read is not None and memory.bytes_written is not None:
            moved = f"{bytes_text(memory.bytes_read)} read, {bytes_text(memory.bytes_written)} written"
        yield f"{memory.name} ({memory.kind})", in_use, moved
        for part in memory.parts:
            yield f"  {HOLDS[part.holds]}", bytes_text(part.size_bytes), ""
        if memory.padding_bytes is not None:
            yield "  padding, of these", bytes_text(memory.padding_bytes), ""
    if report.decoding and report.decoding.longest_context is not None:
        yield "longest context that fits", f"{report.decoding.longest_context:,} tokens", ""


def _resources(report: Report, console: Console) -> None:
    """What chips without a budget take; that of an FPGA stands in its section."""
    rows = (
        (f"{use.place} {use.resource.replace('_', ' ')}", count_text(use.used))
        for use in report.resources
        if not (report.fpga and use.place == "fpga")
    )
    print_table(console, "Resources", ("", "used"), rows)


def _published(report: Report, console: Console) -> None:
    rows = []
    for figure in report.published:
        ours = "not comparable" if figure.ours is None else figure_text(figure.ours, figure.unit)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}"
        reason = figure.note.removeprefix("not comparable: ")
        rows.append((figure.name, figure.theirs, ours, ratio, figure.grade, reason))
    print_table(console, "Published figures", ("figure", "theirs", "ours", "ratio", "grade", "note"), rows)


def _unconfirmed(report: Report, console: Console) -> None:
    rows: Iterable[tuple[str, str, str, str]] = (
        (p.name, str(p.value), p.grade + (f" {p.confidence:g}" if p.confidence is not None else ""), p.source)
        for p in report.unconfirmed
    )
    title = "Unconfirmed parameters (M remembered with a confidence, A assumed; --set overrides)"
    print_table(console, title, ("parameter", "value", "grade", "source"), rows)
