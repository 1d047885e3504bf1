"""From a finished run to its report."""

from __future__ import annotations

from typing import Any

from hwsim.baselines.ratios import Ratio, baseline_ratios
from hwsim.data_file import read_data
from hwsim.dram.fast import Package
from hwsim.dram.kernel import CAUSES
from hwsim.dram.overlap import OverlappedPackage
from hwsim.machines.pim_gpt.energy import IO_COMMANDS, energy_of
from hwsim.machines.pim_gpt.spec import PimGptSpec
from hwsim.machines.pim_gpt.units import Run
from hwsim.mapping.pim.map_graph import max_context
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import bound, breakdown, busiest, unconfirmed, unit_use
from hwsim.report.decoding import left_out_projection, token_times
from hwsim.report.published import published_beside, read_published
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound, DramUse, EnergyUse, Excluded, Published, Report, UnitUse
from hwsim.version import VERSION


def summarize(run: Run, spec_file: SpecFile[PimGptSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload = program.workload
    time = RunTime(ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.asic.clock)
    tokens = token_times(workload.run, program.steps(), run.ends, time.ticks_per_second)
    dram = _dram(run, time)
    causes = _causes(run)
    offchip = {"dram_pins": dram.io_bytes, "host_link": run.host.link_bytes}
    if spec.devices > 1:
        offchip["device_link"] = run.link.link_bytes
    energy = energy_of(run)
    return Report(
        hwsim_version=VERSION,
        machine=spec.name,
        workload=workload.name,
        phase=workload.run.phase,
        tokens=tokens.tokens,
        past=workload.run.past,
        prompt=workload.run.prompt,
        batch=workload.run.batch,
        lm_head=spec.lm_head if workload.run.lm_head == "included" else "excluded",
        schedule=spec.schedule,
        cycles=time.cycles(time.ticks),
        clock_hz=float(time.clock.freq_hz),
        latency_s=time.seconds(time.ticks),
        tokens_per_s=tokens.tokens_per_s,
        time_to_first_token_s=tokens.time_to_first_token_s,
        token_latencies=tokens.latencies,
        energy_j=energy.joules if energy else None,
        energy=energy,
        breakdown=breakdown(time, run.trace.kinds),
        units=_units(run, time),
        bottleneck=_bottleneck(run, time, causes),
        bound=_bound(run, time, causes),
        dram=dram,
        offchip_bytes=sum(offchip.values()),
        offchip=offchip,
        resources=_resources(run),
        fits=True,  # a model that does not fit is an error before anything runs
        excluded=_excluded(run, time),
        published=_published(run, time, dram, energy),
        unconfirmed=unconfirmed(spec_file, spec, energy),
        parameters=spec.model_dump(),
        workload_parameters=workload.fields(),
        seed=None,
        instructions=run.trace.pieces,
    )


def _units(run: Run, time: RunTime) -> list[UnitUse]:
    spec = run.program.spec
    linked = [unit_use(time, run.link, proven=run.link.proven)] if spec.devices > 1 else []
    units = [
        unit_use(time, run.pim, proven=run.pim.proven),
        unit_use(time, run.asic, proven=run.asic.proven),
        unit_use(time, run.host, proven=run.host.proven),
        *linked,
    ]
    contract = spec.vector_unit
    for name, done, count in (
        ("asic.adders", run.asic.adds, contract.adders),
        ("asic.multipliers", run.asic.multiplies, contract.multipliers),
    ):
        cycles = -(-done // count)
        units.append(
            UnitUse(
                name=name,
                busy_cycles=cycles,
                utilisation=time.share(run.asic.clock.ticks(cycles)),
                source=f"{done:,} operations on {count} {name.removeprefix('asic.')}",
                proven=contract.proven,
            )
        )
    return units


def _dram(run: Run, time: RunTime) -> DramUse:
    package = run.pim.package
    standard, counts = package.standard, package.counts
    burst = standard.column_bytes

    def moved(name: str) -> int:
        # WRA16 carries one burst for all banks, an element each; the other all-bank commands work on a burst a bank
        command = standard.commands[name]
        banks = 1 if name == "WRA16" else standard.banks_below(command.scope)
        return counts.get(name, 0) * banks * burst

    refreshes = counts.get("REFab", 0)
    each = run.pim.clock.ticks(standard.params["nRFC"])
    return DramUse(
        bytes_read=moved("MAC16") + moved("RD"),
        bytes_written=moved("WR") + moved("WRA16"),
        io_bytes=sum(counts.get(name, 0) for name in IO_COMMANDS) * burst,
        commands=counts,
        row_hit_rate=package.row_hits / package.column_accesses if package.column_accesses else 0.0,
        refreshes=refreshes,
        refresh_cycles=time.cycles(refreshes * each),
        commands_represented=sum(counts.values()),
        steps_executed=package.steps,
    )


def _causes(run: Run) -> dict[str, int]:
    """DRAM cycles by cause over all kinds of work; they add up to the time in which the package was busy."""
    return {cause: sum(int(cycles[i]) for cycles in run.pim.causes.values()) for i, cause in enumerate(CAUSES)}


def _bound(run: Run, time: RunTime, causes: dict[str, int]) -> Bound:
    """Split the latency into the lower bound and what lies above it.

    Where units work side by side, their busy times are more than the latency, and what they share is taken off.
    """
    spec, dram = run.program.spec, run.pim.clock
    bounds = sum(run.pim.bounds.values())
    busy = run.trace.busy
    assert busy.get("pim", 0) == dram.ticks(sum(causes.values())), "the causes of DRAM time must add up to it"
    return bound(
        time,
        dram.ticks(bounds),
        [
            ("refresh, with the rows it closes", dram.ticks(causes["refresh"])),
            ("transfers between ASIC and DRAM", dram.ticks(causes["io"])),
            (
                "rows, columns and cache writes beyond the bound",
                dram.ticks(causes["compute"] + causes["row"] + causes["write"] - bounds),
            ),
            ("ASIC work", busy.get("asic", 0)),
            ("host", busy.get("host", 0)),
            *([("link between devices", busy.get("link", 0))] if spec.devices > 1 else []),
            (
                "waits for clock edges" if spec.schedule == "paper" else "units at work side by side",
                run.ticks - sum(busy.values()),
            ),
        ],
    )


def _bottleneck(run: Run, time: RunTime, causes: dict[str, int]) -> str:
    """One line: the unit that is busiest, and the work and cause that keep it so."""
    unit, line = busiest(time, run.trace.busy, run.trace.kinds)
    if unit != "pim":
        return line
    share = time.share(run.trace.busy[unit])
    kind = max(run.pim.causes, key=lambda name: int(run.pim.causes[name].sum()))
    total = sum(causes.values())
    shares = ", ".join(f"{cause} {cycles / total:.0%}" for cause, cycles in causes.items() if cycles)
    return f"pim: busy {share:.1%} of the time, mostly {kind}; its time: {shares}"


def _resources(run: Run) -> dict[str, Any]:
    program, spec = run.program, run.program.spec
    mapped, target = program.mapped, program.mapped.placement.target
    row = target.row_bytes_everywhere
    asic = run.asic.resources() + spec.sram.resources()
    return {
        "weights_bytes": mapped.placement.weight_rows * row,
        "cache_bytes": mapped.placement.cache_rows * row,
        "padding_bytes": mapped.placement.padding_bytes,
        "memory_bytes": mapped.placement.rows * row,
        "capacity_bytes": target.capacity_bytes,
        "max_context": max_context(mapped),
        "mac_units": run.pim.copies,
        "asic_adders": asic.adders,
        "asic_multipliers": asic.multipliers,
        "asic_sram_bytes": asic.sram_bytes,
    }


def _excluded(run: Run, time: RunTime) -> list[Excluded]:
    """The vocabulary projection on the PIM channels, played once on an idle package."""
    program, spec = run.program, run.program.spec
    if program.left_out is None:
        return []
    dram_program, asic_cycles = program.left_out
    standard = spec.standard.without_refresh()
    if spec.schedule == "overlap":
        overlapped = OverlappedPackage(standard, spec.channels, spec.accumulators)
        dram_cycles = overlapped.play_overlapped(dram_program, 0).finish
    else:
        dram_cycles = Package(standard, spec.channels).play(dram_program, 0)
    ticks = run.pim.clock.ticks(dram_cycles) + run.asic.clock.ticks(asic_cycles)
    return left_out_projection(time, program.workload.run.produced, ticks=ticks, where="PIM")


def _published(run: Run, time: RunTime, dram: DramUse, energy: EnergyUse | None) -> list[Published]:
    workload = run.program.workload
    if workload.model.family != "gpt":  # the paper ran no other models
        return []
    figures = read_published(read_data("hwsim.machines.pim_gpt", "published.yaml"))
    ours = {
        "row_hit_rate": Ratio(value=dram.row_hit_rate, note=""),
        "max_context": Ratio(value=float(max_context(run.program.mapped)), note=""),
        **baseline_ratios(
            workload,
            latency_s=time.seconds(time.ticks),
            energy_j=energy.joules if energy else None,
            keys=[figure.baseline for figure in figures if figure.baseline],
        ),
    }
    return list(published_beside(figures, workload.name, ours))
