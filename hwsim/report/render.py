"""A report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from hwsim.report.quantities import bytes_text, figure_text, hertz_text, joules_text, seconds_text
from hwsim.report.schema import Report


def render(report: Report, console: Console) -> None:
    """Print a report."""
    _headline(report, console)
    _table(
        console,
        "Operators",
        ("kind", "cycles", "share"),
        ((part.kind, f"{part.cycles:,}", f"{part.share:.1%}") for part in report.breakdown),
    )
    _table(
        console,
        "Units",
        ("unit", "busy cycles", "busy", "RTL", "timing from"),
        (
            (
                unit.name,
                f"{unit.busy_cycles:,}",
                f"{unit.utilisation:.1%}",
                "proven" if unit.proven else "none",
                unit.source,
            )
            for unit in report.units
        ),
    )
    console.print(f"Bottleneck: {report.bottleneck}", soft_wrap=True, highlight=False)
    _devices(report, console)
    _bound(report, console)
    _dram(report, console)
    _energy(report, console)
    _memory(report, console)
    for left_out in report.excluded:
        console.print(
            f"\nNot included: {left_out.name}, {seconds_text(left_out.seconds_per_token)} a token "
            f"({left_out.share:.1%} on top) — {left_out.note}",
            soft_wrap=True,
            highlight=False,
        )
    _published(report, console)
    _unconfirmed(report, console)


def _headline(report: Report, console: Console) -> None:
    console.print(
        f"[bold]{report.workload}[/bold] on [bold]{report.machine}[/bold]: {report.phase}, {report.tokens} tokens"
        + (f" after a prompt of {report.prompt}" if report.prompt and report.phase == "decode" else "")
        + (f", {report.past} in the cache before" if report.past else "")
        + f", batch {report.batch}, schedule {report.schedule}, lm_head {report.lm_head}",
        soft_wrap=True,
        highlight=False,
    )
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "latency", f"{seconds_text(report.latency_s)}  ({report.cycles:,} cycles at {hertz_text(report.clock_hz)})"
    )
    table.add_row("throughput", f"{report.tokens_per_s:,.1f} tokens/s")
    table.add_row("time to first token", seconds_text(report.time_to_first_token_s))
    each = "   ".join(f"{seconds_text(entry.seconds)} at context {entry.context}" for entry in report.token_latencies)
    table.add_row("per token", each)
    table.add_row("instructions", f"{report.instructions:,}")
    console.print(table, highlight=False)


def _devices(report: Report, console: Console) -> None:
    use = report.devices
    if use is None:
        return
    rows = (
        (
            f"{number}",
            f"{use.tensor_parallel}",
            f"{stage.layers}",
            seconds_text(stage.seconds),
            seconds_text(stage.link_seconds),
            f"{bytes_text(stage.memory_bytes)} of {bytes_text(stage.capacity_bytes)}",
        )
        for number, stage in enumerate(use.stages, 1)
    )
    title = f"Devices: {use.devices}, {use.simulated} of them simulated; each one's time and memory"
    _table(console, title, ("stage", "devices", "layers", "time", "on the link", "memory"), rows)


def _bound(report: Report, console: Console) -> None:
    bound = report.bound
    rows = [("lower bound of this placement", seconds_text(bound.lower_bound_s), "100.0%")]
    rows += [
        (part["cause"], seconds_text(part["seconds"]), f"{part['seconds'] / bound.lower_bound_s:+.1%}")
        for part in bound.distance
        if part["seconds"] and bound.lower_bound_s
    ]
    rows.append(("latency", seconds_text(report.latency_s), f"{bound.ratio:.1%}"))
    _table(console, "Where the time goes", ("", "time", "of the bound"), rows)


def _dram(report: Report, console: Console) -> None:
    dram = report.dram
    rows = [
        ("read in the banks", bytes_text(dram.bytes_read)),
        ("written in the banks", bytes_text(dram.bytes_written)),
        ("over the pins", bytes_text(dram.io_bytes)),
        ("row-hit rate", f"{dram.row_hit_rate:.2%}"),
        ("refreshes", f"{dram.refreshes:,} ({dram.refresh_cycles:,} channel cycles)"),
        ("commands", "  ".join(f"{name} {count:,}" for name, count in sorted(dram.commands.items()))),
        ("played", f"{dram.commands_represented:,} commands in {dram.steps_executed:,} steps"),
    ]
    _table(console, "DRAM", ("", ""), rows)


def _energy(report: Report, console: Console) -> None:
    energy = report.energy
    if energy is None:
        return
    rows = [
        (part.component.replace("_", " "), joules_text(part.joules), f"{part.share:.1%}", part.grade, part.source)
        for part in energy.components
    ]
    each = "" if energy.joules_per_mac is None else f", {joules_text(energy.joules_per_mac)} a MAC"
    rows.append(
        ("total", joules_text(energy.joules), "100.0%", "", f"{joules_text(energy.joules_per_token)} a token{each}")
    )
    title = f"Energy by table {energy.table}, mean power {energy.mean_power_w:,.2f} W"
    _table(console, title, ("component", "energy", "share", "grade", "source"), rows)


def _memory(report: Report, console: Console) -> None:
    r = report.resources
    rows = [
        ("weights", bytes_text(r["weights_bytes"])),
        ("K and V at the last token, as reserved", bytes_text(r["cache_bytes"])),
        ("peak use", f"{bytes_text(r['memory_bytes'])} of {bytes_text(r['capacity_bytes'])}"),
        ("padding in weight sweeps", bytes_text(r["padding_bytes"])),
        ("longest context that fits", f"{r['max_context']:,} tokens"),
    ]
    _table(console, "Memory", ("", ""), rows)


def _published(report: Report, console: Console) -> None:
    if not report.published:
        return
    rows = []
    for figure in report.published:
        ours = "not comparable" if figure.ours is None else figure_text(figure.ours, figure.unit)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}"
        reason = figure.note.removeprefix("not comparable: ")
        rows.append((figure.name, figure.theirs, ours, ratio, figure.grade, reason))
    if not rows:
        return
    _table(console, "Published figures", ("figure", "theirs", "ours", "ratio", "grade", "note"), rows)


def _unconfirmed(report: Report, console: Console) -> None:
    rows = [
        (p.name, str(p.value), p.grade + (f" {p.confidence:g}" if p.confidence is not None else ""), p.source)
        for p in report.unconfirmed
    ]
    title = "Unconfirmed parameters (M remembered with a confidence, A assumed; --set overrides)"
    _table(console, title, ("parameter", "value", "grade", "source"), rows)


def _table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    names = list(columns)
    table = Table(title=title, title_justify="left", show_header=any(names), box=None, padding=(0, 2, 0, 0))
    for name in names:
        numeric = name in ("cycles", "busy cycles", "share", "busy", "energy", "time", "of the bound", "ratio")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table, highlight=False)
