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
from hwsim.parameters.provenance import UNCONFIRMED
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.schema import (
    Bound,
    DramUse,
    EnergyUse,
    Excluded,
    KindShare,
    Published,
    Report,
    UnconfirmedParameter,
    UnitUse,
)
from hwsim.report.steps import token_latencies
from hwsim.version import VERSION


def summarize(run: Run, spec_file: SpecFile[PimGptSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload = program.workload
    seconds = spec.time_base.seconds(run.ticks)
    dram = _dram(run)
    vectors = (
        workload.run.prompt * workload.run.batch
        if workload.run.phase == "prefill"
        else workload.run.tokens * workload.run.batch
    )
    prompt_end = run.ends[run.prompt_steps - 1] if run.prompt_steps else 0
    decode_seconds = spec.time_base.seconds(run.ticks - (prompt_end if workload.run.phase == "decode" else 0))
    begin = run.prompt_steps if workload.run.phase == "decode" else 0
    first = run.ends[begin if workload.run.phase == "decode" else -1]
    units = _units(run)
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
        tokens=workload.run.tokens if workload.run.phase == "decode" else workload.run.prompt,
        past=workload.run.past,
        prompt=workload.run.prompt,
        batch=workload.run.batch,
        lm_head=spec.lm_head if workload.run.lm_head == "included" else "excluded",
        schedule=spec.schedule,
        cycles=_cycles(run, run.ticks),
        clock_hz=float(spec.asic.clock_hz),
        latency_s=seconds,
        tokens_per_s=vectors / decode_seconds,
        time_to_first_token_s=spec.time_base.seconds(first),
        token_latencies=token_latencies(
            run.program.steps(),
            run.ends,
            run.prompt_steps if workload.run.phase == "decode" else 0,
            spec.time_base.ticks_per_second,
        ),
        energy_j=energy.joules if energy else None,
        energy=energy,
        breakdown=[
            KindShare(kind=kind, cycles=_cycles(run, ticks), share=ticks / run.ticks)
            for kind, ticks in sorted(run.trace.kinds.items(), key=lambda item: -item[1])
        ],
        units=units,
        bottleneck=_bottleneck(run, causes),
        bound=_bound(run, causes),
        dram=dram,
        offchip_bytes=sum(offchip.values()),
        offchip=offchip,
        resources=_resources(run),
        fits=True,  # a model that does not fit is an error before anything runs
        excluded=_excluded(run, seconds / max(vectors, 1)),
        published=_published(run, dram, seconds, energy.joules if energy else None),
        unconfirmed=_unconfirmed(spec, spec_file, energy),
        parameters=spec.model_dump(),
        workload_parameters=workload.fields(),
        seed=None,
        instructions=run.trace.pieces,
    )


def _cycles(run: Run, ticks: int) -> int:
    """Ticks as cycles of the report's clock, rounded up."""
    return run.asic.clock.edge(ticks)


def _units(run: Run) -> list[UnitUse]:
    spec = run.program.spec
    units = []
    linked = (run.link,) if spec.devices > 1 else ()
    for unit in (run.pim, run.asic, run.host, *linked):
        units.append(
            UnitUse(
                name=unit.name,
                busy_cycles=_cycles(run, unit.busy),
                utilisation=unit.busy / run.ticks,
                source=unit.source,
                proven=unit.proven,
            )
        )
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
                utilisation=cycles * run.asic.clock.period_ticks / run.ticks,
                source=f"{done:,} operations on {count} {name.removeprefix('asic.')}",
                proven=False,
            )
        )
    return units


def _dram(run: Run) -> DramUse:
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
        refresh_cycles=_cycles(run, refreshes * each),
        commands_represented=sum(counts.values()),
        steps_executed=package.steps,
    )


def _causes(run: Run) -> dict[str, int]:
    """DRAM cycles by cause over all kinds of work; they add up to the time in which the package was busy."""
    return {cause: sum(int(cycles[i]) for cycles in run.pim.causes.values()) for i, cause in enumerate(CAUSES)}


def _bound(run: Run, causes: dict[str, int]) -> Bound:
    """Split the latency into the lower bound and what lies above it.

    Where units work side by side, their busy times are more than the latency, and what they share is taken off.
    """
    spec = run.program.spec
    seconds = spec.time_base.seconds
    dram = run.pim.clock
    bounds = sum(run.pim.bounds.values())
    busy = run.trace.busy
    pim = busy.get("pim", 0)
    structure = dram.ticks(causes["compute"] + causes["row"] + causes["write"] - bounds)
    waits = run.ticks - sum(busy.values())
    distance = [
        ("refresh, with the rows it closes", dram.ticks(causes["refresh"])),
        ("transfers between ASIC and DRAM", dram.ticks(causes["io"])),
        ("rows, columns and cache writes beyond the bound", structure),
        ("ASIC work", busy.get("asic", 0)),
        ("host", busy.get("host", 0)),
        *([("link between devices", busy.get("link", 0))] if spec.devices > 1 else []),
        ("waits for clock edges" if spec.schedule == "paper" else "units at work side by side", waits),
    ]
    assert pim == dram.ticks(sum(causes.values())), "the causes of DRAM time must add up to it"
    lower = seconds(dram.ticks(bounds))
    return Bound(
        lower_bound_s=lower,
        ratio=seconds(run.ticks) / lower if lower else 0.0,
        distance=[{"cause": cause, "seconds": seconds(ticks)} for cause, ticks in distance],
    )


def _bottleneck(run: Run, causes: dict[str, int]) -> str:
    """One line: the unit that is busiest, and the work and cause that keep it so."""
    busy = run.trace.busy
    unit = max(busy, key=lambda name: busy[name])
    share = busy[unit] / run.ticks
    if unit != "pim":
        kinds = ", ".join(kind for kind, _ in sorted(run.trace.kinds.items(), key=lambda item: -item[1])[:2])
        return f"{unit}: busy {share:.1%} of the time; most time goes to {kinds}"
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


def _excluded(run: Run, seconds_per_token: float) -> list[Excluded]:
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
    seconds = spec.time_base.seconds(run.pim.clock.ticks(dram_cycles) + run.asic.clock.ticks(asic_cycles))
    return [
        Excluded(
            name="lm_head",
            seconds_per_token=seconds,
            share=seconds / seconds_per_token,
            note="embedding, final norm, vocabulary projection on PIM and argmax, without refresh; include with "
            "--set workload.lm_head=included",
        )
    ]


def _unconfirmed(
    spec: PimGptSpec, spec_file: SpecFile[PimGptSpec], energy: EnergyUse | None
) -> list[UnconfirmedParameter]:
    """Parameters of the machine, then coefficients of the energy table in use."""
    found = [UnconfirmedParameter(**vars(entry)) for entry in spec_file.unconfirmed(spec)]
    for entry in energy.coefficients if energy else ():
        if entry.grade in UNCONFIRMED:
            found.append(UnconfirmedParameter(**{**entry.model_dump(), "name": f"energy_table.{entry.name}"}))
    return found


def _published(run: Run, dram: DramUse, latency_s: float, energy_j: float | None) -> list[Published]:
    workload = run.program.workload
    if workload.model.family != "gpt":  # the paper ran no other models
        return []
    entries = read_data("hwsim.machines.pim_gpt", "published.yaml")
    baselines = [entry["baseline"] for entry in entries if "baseline" in entry]
    figures = {
        "row_hit_rate": Ratio(value=dram.row_hit_rate, note=""),
        "max_context": Ratio(value=float(max_context(run.program.mapped)), note=""),
        **baseline_ratios(workload, latency_s=latency_s, energy_j=energy_j, keys=baselines),
    }
    found = []
    for entry in entries:
        if entry.get("only", workload.name) != workload.name:
            continue
        none = Ratio(value=None, note=f"not comparable: {entry.get('not_comparable')}")
        ours = figures[entry["ours"]] if "ours" in entry else none
        found.append(
            Published(
                name=entry["name"],
                theirs=entry["theirs"],
                ours=ours.value,
                ratio=ours.value / entry["value"] if ours.value is not None and "value" in entry else None,
                unit=entry.get("unit", ""),
                grade=entry["grade"],
                note=entry.get("note") or ours.note,
            )
        )
    return found
