"""The sections that some runs have, as tables for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from hwsim.fpga.inclusion import included_notes
from hwsim.fpga.origins import origin_notes, origin_words
from hwsim.fpga.shortage import shortage_text
from hwsim.report.attention import attention_figures, attention_notes
from hwsim.report.headline import arrivals_text
from hwsim.report.quantities import bytes_text, count_text, hertz_text, seconds_text
from hwsim.report.schema import AttentionUse, AxiPortUse, DevicesUse, DramUse, FpgaUse, LoadUse, PassesUse, Report
from hwsim.report.tables import print_line, print_rows, print_table


def render_sections(report: Report, console: Console) -> None:
    """Print the sections that are there."""
    if report.devices:
        _devices(report.devices, console)
    if report.dram:
        _dram(report.dram, console)
    if report.fpga:
        _fpga(report.fpga, console)
    if report.ports:
        _ports(report.ports, console)
    if report.loads:
        _loads(report.loads, console)
    if report.passes:
        _passes(report.passes, console)
    if report.attention:
        _attention(report.attention, console)


def _devices(use: DevicesUse, console: Console) -> None:
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
    print_table(console, title, ("stage", "devices", "layers", "time", "on the link", "memory"), rows)


def _dram(dram: DramUse, console: Console) -> None:
    rows = [
        ("read in the banks", bytes_text(dram.bytes_read)),
        ("written in the banks", bytes_text(dram.bytes_written)),
        ("over the pins", bytes_text(dram.io_bytes)),
        ("row-hit rate", f"{dram.row_hit_rate:.2%}"),
        ("refreshes", f"{dram.refreshes:,} ({dram.refresh_cycles:,} channel cycles)"),
        ("commands", "  ".join(f"{name} {count:,}" for name, count in sorted(dram.commands.items()))),
        ("played", f"{dram.commands_represented:,} commands in {dram.steps_executed:,} steps"),
    ]
    if dram.trace_cycles is not None:
        cost = f", {dram.refresh_cost_cycles:,} of them for refresh" if dram.refresh_cost_cycles else ""
        rows.append(("cycles of its instructions", f"{dram.trace_cycles:,}{cost}"))
    print_table(console, f"DRAM, standard {dram.standard}", ("", ""), rows)


def _fpga(fpga: FpgaUse, console: Console) -> None:
    heads = ("unit", "block", "count", "LUT", "FF", "DSP", "BRAM36", "URAM", "from")
    origins = [unit.origin for unit in fpga.units]
    words = origin_words(origins)
    rows = [
        (unit.unit, unit.block, f"{unit.count:,}", *(count_text(count) for _, count in unit.cells), words[unit.origin])
        for unit in fpga.units
    ]
    rows += [
        ("all units", "", "", *(count_text(count) for _, count in fpga.used), ""),
        ("available", "", "", *(count_text(count) for _, count in fpga.available), ""),
        ("share", "", "", *(_share(count, getattr(fpga.available, name)) for name, count in fpga.used), ""),
    ]
    print_table(console, f"FPGA: {fpga.part} on {fpga.board}, {'fits' if fpga.fits else 'does not fit'}", heads, rows)
    for note in (*origin_notes(origins), *included_notes(fpga.included, fpga.uncounted)):
        print_line(console, note)
    if not fpga.fits:
        print_line(console, f"Does not fit: lacks {shortage_text(dict(fpga.used), dict(fpga.available))}.")
    reached = "no place and route made" if fpga.achieved_clock_hz is None else hertz_text(fpga.achieved_clock_hz)
    figures = [("clock", f"{hertz_text(fpga.clock_hz)} (reached: {reached})")]
    if fpga.peak_macs_per_s is not None and fpga.achieved_macs_per_s is not None:
        share = fpga.achieved_macs_per_s / fpga.peak_macs_per_s
        peak, mean = fpga.peak_macs_per_s / 1e9, fpga.achieved_macs_per_s / 1e9
        figures.append(("multiply-accumulates", f"{mean:,.1f} of {peak:,.1f} GMAC/s ({share:.1%})"))
    print_table(console, "", ("", ""), figures)


def _share(used: float, available: float) -> str:
    return f"{used / available:.1%}" if available else "-"


def _ports(ports: list[AxiPortUse], console: Console) -> None:
    rows = (
        (
            port.port,
            port.direction,
            f"{port.transactions:,}",
            bytes_text(port.size_bytes),
            f"{port.bytes_per_s / 1e9:.2f} GB/s",
            f"{port.utilisation:.1%}",
            f"{port.cycles_per_single_beat:.2f}",
        )
        for port in ports
    )
    heads = ("port", "", "transactions", "bytes", "mean rate", "busy", "cycles a single beat")
    print_table(console, "AXI ports", heads, rows)


def _loads(loads: list[LoadUse], console: Console) -> None:
    rows = (
        (
            load.name,
            load.source + ("" if load.seed is None else f", seed {load.seed}"),
            f"{count_text(load.mean)} {load.unit}",
            f"{count_text(load.p99)} {load.unit}",
        )
        for load in loads
    )
    print_table(console, "Work that depends on data", ("load", "from", "mean", "p99"), rows)


def _passes(use: PassesUse, console: Console) -> None:
    rows = ((switch.before, switch.after, f"{switch.passes:,}", f"{switch.cycles:,}") for switch in use.switches)
    title = f"Passes over the layers: {use.passes:,}; from one to the next, and cycles that it cost"
    print_table(console, title, ("from", "to", "count", "cycles"), rows)
    if use.arrivals:
        print_line(console, arrivals_text(use.arrivals))


def _attention(uses: list[AttentionUse], console: Console) -> None:
    """A column a plan; patterns are long, so they stand above by number."""
    numbers = [str(number) for number in range(1, len(uses) + 1)]
    print_line(console, "\n[italic]Attention on cores that hold a key each; figures are of one head[/italic]")
    print_rows(console, zip(numbers, (escape(use.pattern) for use in uses)))
    figures = ((figure.name, *figure.texts()) for figure in attention_figures(uses))
    print_table(console, "", ("", *numbers), figures, numeric=numbers)
    for note in attention_notes(uses):
        print_line(console, note)
