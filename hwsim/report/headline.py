"""A run in a line, and its figures that one looks at first: for token by token, and for whole images or rows."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.workload.run import Unit
from hwsim.report.quantities import bytes_text, hertz_text, joules_text, seconds_text
from hwsim.report.schema import ArrivalUse, EnergyUse, FpgaUse, Report, UnitUse

ONE: dict[Unit, str] = {
    "tokens": "a token",
    "images": "an image",
    "frames": "a frame",
    "rows": "a row",
    "sequences": "a sequence",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure with its name and a remark."""

    name: str
    value: str
    remark: str


def one_of(report: Report) -> str:
    """One of the run's own unit, with its article."""
    return ONE[report.throughput.unit]


def describe_run(report: Report) -> str:
    """What was run, in a line without the names of workload and machine."""
    decoding = report.decoding
    if decoding is None:
        return f"{_counted(report.throughput.count, report.throughput.unit)}, schedule {report.schedule}"
    prompt = f" after a prompt of {decoding.prompt:,}" if decoding.prompt and decoding.phase == "decode" else ""
    past = f", {decoding.past:,} in the cache before" if decoding.past else ""
    return (
        f"{decoding.phase}, {decoding.tokens:,} tokens{prompt}{past}, batch {decoding.batch}, "
        f"schedule {report.schedule}, lm_head {decoding.lm_head}"
    )


def speed(report: Report) -> list[Figure]:
    """Latency, throughput, and the time to the first token or of one image, frame or row."""
    throughput = report.throughput
    return [
        Figure(
            name="latency",
            value=seconds_text(report.latency_s),
            remark=f"{report.cycles:,} cycles at {hertz_text(report.clock_hz)}",
        ),
        Figure(
            name="throughput",
            value=f"{throughput.value:,.1f} {throughput.unit}/s",
            remark=_counted(throughput.count, throughput.unit),
        ),
        _of_one(report),
    ]


def headline(report: Report) -> list[Figure]:
    """The figures that one looks at first."""
    figures = [
        *speed(report),
        _energy(report),
        Figure(
            name="over the lower bound",
            value=f"{report.bound.ratio:.2f} x",
            remark=f"bound {seconds_text(report.bound.lower_bound_s)}",
        ),
    ]
    if report.dram:
        refreshes = f"{report.dram.refreshes:,} refreshes"
        figures.append(Figure(name="row-hit rate", value=f"{report.dram.row_hit_rate:.2%}", remark=refreshes))
    if report.fpga:
        figures.append(_fullest(report.fpga))
    for memory in report.memories:
        if memory.used_bytes is not None:
            share = f"{memory.used_bytes / memory.size_bytes:.1%}"
            remark = f"{bytes_text(memory.used_bytes)} reserved"
            figures.append(Figure(name=f"{memory.name} in use", value=share, remark=remark))
    return figures


def fitted_lines(energy: EnergyUse) -> list[str]:
    """A line for each coefficient that was fitted: by what, and what that means."""
    return [
        f"Fitted: {entry.name} = {entry.value:.4g}, {entry.fitted}. Power and energy are no predictions."
        for entry in energy.fitted
    ]


def waits_text(unit: UnitUse) -> str:
    """What a unit waited for, as shares of the run; what does not show in a per mille is left out."""
    return ", ".join(f"{stall.cause} {stall.share:.1%}" for stall in unit.stalls if stall.share >= 0.0005)


def _of_one(report: Report) -> Figure:
    decoding = report.decoding
    if decoding is None:
        each = seconds_text(report.latency_s / max(report.throughput.count, 1))
        return Figure(name=f"time of {one_of(report)}", value=each, remark="latency over their number")
    first = seconds_text(decoding.time_to_first_token_s)
    return Figure(name="time to first token", value=first, remark=f"prompt of {decoding.prompt:,}")


def _energy(report: Report) -> Figure:
    if report.energy is None:
        return Figure(name="energy", value="\N{EM DASH}", remark="not modelled for this run")
    each = f"{joules_text(report.energy.joules_per_unit)} {one_of(report)}, {report.energy.mean_power_w:,.2f} W"
    return Figure(name="energy", value=joules_text(report.energy.joules), remark=each)


def _fullest(fpga: FpgaUse) -> Figure:
    """The kind of cell of which the design takes the largest share of the part."""
    shares = {name: used / getattr(fpga.available, name) for name, used in fpga.used if getattr(fpga.available, name)}
    kind = max(shares, key=lambda name: shares[name])
    remark = f"{kind.upper()}; {'fits' if fpga.fits else 'does not fit'}"
    return Figure(name="of the FPGA", value=f"{shares[kind]:.1%}", remark=remark)


def arrivals_text(use: ArrivalUse) -> str:
    """How a machine kept up with images or frames that arrived, in a line."""
    lost = f"{use.unserved_per_s:,.2f} a second cannot be served" if use.unserved_per_s else "all can be served"
    late = f"{use.late:,} began late, by up to {seconds_text(use.longest_wait_s)}" if use.late else "none began late"
    served = f"{use.per_s:g} a second arrive, {use.served_per_s:,.2f} could be served"
    return f"{served}: {lost}; idle for {use.idle_cycles:,} cycles, {late}"


def _counted(count: int, unit: Unit) -> str:
    """So many of the run's unit."""
    return f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
