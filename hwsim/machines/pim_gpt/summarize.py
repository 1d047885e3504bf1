"""From a finished run to its report."""

from __future__ import annotations

from hwsim.baselines.ratios import Ratio, baseline_ratios
from hwsim.data_file import read_data
from hwsim.dram.in_order.causes import CAUSES
from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.dram.in_order.package import Package
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.pim_gpt.energy import IO_COMMANDS, energy_of
from hwsim.machines.pim_gpt.parts import units
from hwsim.machines.pim_gpt.spec import PimGptSpec
from hwsim.machines.pim_gpt.units import Execution
from hwsim.mapping.pim.map_graph import longest_context
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.banks import banks_use, buffers_use
from hwsim.report.build import Distance, bound_use, build_report, busiest, chip_resources, unit_use, waits_for_turn
from hwsim.report.decoding import decoding_throughput, decoding_use, left_out_projection
from hwsim.report.published import published_beside, read_published
from hwsim.report.run_time import RunTime
from hwsim.report.schema import (
    Bound,
    DramUse,
    EnergyUse,
    Excluded,
    MemoryUse,
    Published,
    Report,
    ResourceUse,
    UnitUse,
)

BOUND_NOTE = "what the placement cannot undercut: every row that is touched is opened once, every column accessed once"


def summarize(run: Execution, spec_file: SpecFile[PimGptSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload, parts = program.workload, units(spec)
    time = RunTime(ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.asic.clock)
    decoding = decoding_use(
        workload.run,
        program.steps(),
        run.ends,
        time.ticks_per_second,
        lm_head=spec.lm_head,
        longest_context=longest_context(program.mapped),
    )
    dram, causes, energy = _dram(run, time), _causes(run), energy_of(run)
    offchip = {"dram_pins": dram.io_bytes, "host_link": run.host.link_bytes}
    if spec.devices > 1:
        offchip["device_link"] = run.link.link_bytes
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule=spec.schedule,
        time=time,
        throughput=decoding_throughput(workload.run, decoding),
        kinds=run.trace.kinds,
        units=_units(run, time, parts),
        bottleneck=_bottleneck(run, time, causes),
        bound=_bound(run, time, causes),
        memories=_memories(run, dram),
        offchip=offchip,
        energy=energy,
        resources=_resources(parts),
        instructions=run.trace.pieces,
        excluded=_excluded(run, time),
        published=_published(run, time, dram, energy, decoding.longest_context),
        decoding=decoding,
        dram=dram,
    )


def _units(run: Execution, time: RunTime, parts: tuple[UnitSpec, ...]) -> list[UnitUse]:
    """The units that instructions are for, and the ASIC's adders and multipliers as operations over units."""
    busy, turns = run.trace.busy, run.program.spec.schedule == "paper"
    named = {unit.name: unit for unit in parts}
    found = [
        unit_use(time, named[name], busy.get(name, 0), waits_for_turn(time, name, busy) if turns else None)
        for name in ("pim", "asic", "host", "link")
        if name in named
    ]
    contract = run.program.spec.vector_unit
    for name, done, count in (
        ("adders", run.asic.adds, contract.adders),
        ("multipliers", run.asic.multiplies, contract.multipliers),
    ):
        cycles = -(-done // count)
        found.append(
            UnitUse(
                name=f"asic.{name}",
                kind="asic",
                count=count,
                busy_cycles=cycles,
                utilisation=time.share(run.asic.clock.ticks(cycles)),
                stalls=[],
                source=f"{done:,} operations on {count} {name}",
                proven=named["asic"].proven,
                compared=None,
            )
        )
    return found


def _dram(run: Execution, time: RunTime) -> DramUse:
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
        standard=standard.name,
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


def _causes(run: Execution) -> dict[str, int]:
    """DRAM cycles by cause over all kinds of work; they add up to the time in which the package was busy."""
    return {cause: sum(int(cycles[i]) for cycles in run.pim.causes.values()) for i, cause in enumerate(CAUSES)}


def _bound(run: Execution, time: RunTime, causes: dict[str, int]) -> Bound:
    """Split the latency into the lower bound and what lies above it.

    Where units work side by side, their busy times are more than the latency, and what they share is taken off.
    """
    spec, dram = run.program.spec, run.pim.clock
    bounds = sum(run.pim.bounds.values())
    busy = run.trace.busy
    assert busy.get("pim", 0) == dram.ticks(sum(causes.values())), "the causes of DRAM time must add up to it"
    rows = causes["compute"] + causes["row"] + causes["write"] - bounds
    distance: list[Distance] = [
        ("refresh, with the rows it closes", "refresh", dram.ticks(causes["refresh"])),
        ("transfers between ASIC and DRAM", "transfers", dram.ticks(causes["io"])),
        ("rows, columns and cache writes beyond the bound", "rows", dram.ticks(rows)),
        ("ASIC work", "unit", busy.get("asic", 0)),
        ("host", "host", busy.get("host", 0)),
    ]
    if spec.devices > 1:
        distance.append(("link between devices", "link", busy.get("link", 0)))
    waits = "waits for clock edges" if spec.schedule == "paper" else "units at work side by side"
    distance.append((waits, "waits", run.ticks - sum(busy.values())))
    return bound_use(time, dram.ticks(bounds), BOUND_NOTE, distance)


def _bottleneck(run: Execution, time: RunTime, causes: dict[str, int]) -> str:
    """One line: the unit that is busiest, and the work and cause that keep it so."""
    unit, line = busiest(time, run.trace.busy, run.trace.kinds)
    if unit != "pim":
        return line
    share = time.share(run.trace.busy[unit])
    kind = max(run.pim.causes, key=lambda name: int(run.pim.causes[name].sum()))
    total = sum(causes.values())
    shares = ", ".join(f"{cause} {cycles / total:.0%}" for cause, cycles in causes.items() if cycles)
    return f"pim: busy {share:.1%} of the time, mostly {kind}; its time: {shares}"


def _memories(run: Execution, dram: DramUse) -> list[MemoryUse]:
    spec, issued = run.program.spec, run.pim.package.counts
    return [
        banks_use(run.program.mapped.placement, dram),
        buffers_use("vector buffers", spec.target, reads=issued.get("MAC16", 0), writes=issued.get("WRGB", 0)),
        MemoryUse(
            name="asic.sram",
            kind="sram",
            size_bytes=spec.sram.size_bytes,
            used_bytes=None,
            padding_bytes=None,
            bytes_read=None,
            bytes_written=None,
            parts=[],
        ),
    ]


def _resources(parts: tuple[UnitSpec, ...]) -> list[ResourceUse]:
    mac_units = sum(unit.count for unit in parts if unit.name == "pim.mac_units")
    in_memory = ResourceUse(place="memory", resource="mac_units", used=mac_units, available=None)
    return [in_memory, *chip_resources(parts, "memory"), *chip_resources(parts, "asic")]


def _excluded(run: Execution, time: RunTime) -> list[Excluded]:
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


def _published(
    run: Execution, time: RunTime, dram: DramUse, energy: EnergyUse | None, longest_context: int | None
) -> tuple[Published, ...]:
    workload = run.program.workload
    if workload.model.family != "gpt":  # the paper ran no other models
        return ()
    figures = read_published(read_data("hwsim.machines.pim_gpt", "published.yaml"))
    ours = {
        "row_hit_rate": Ratio(value=dram.row_hit_rate, note=""),
        "max_context": Ratio(value=longest_context, note=""),
        **baseline_ratios(
            workload,
            latency_s=time.seconds(time.ticks),
            energy_j=energy.joules if energy else None,
            keys=[figure.baseline for figure in figures if figure.baseline],
        ),
    }
    return published_beside(figures, workload.name, ours)
