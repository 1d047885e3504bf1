"""From a finished run to its report."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from hwsim.devices.combine import LINK
from hwsim.dram.aim.energy import energy_parts
from hwsim.dram.aim.player import WAIT, ChannelResult
from hwsim.dram.aim.repeat import RepeatingPlayer
from hwsim.energy import Component
from hwsim.machines.aim.model import Channels, Run
from hwsim.machines.aim.programs import HostWork, segments
from hwsim.machines.aim.spec import AimSpec
from hwsim.mapping.pim.row_mapping import max_context
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import bound, breakdown, busiest, unconfirmed, unit_use
from hwsim.report.decoding import left_out_projection, token_times
from hwsim.report.energy_use import energy_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound, DramUse, EnergyUse, Excluded, Report, UnitUse
from hwsim.version import VERSION

# Cycles by the commands that they are spent on (`ChannelResult.cycles_by_command`), as causes.
CAUSES = {
    "compute": ("MAC16",),
    "row": ("ACT", "ACT16", "PRE", "PREA"),
    "mode": ("TMOD",),
    "vectors": ("WRGB",),
    "biases": ("WRMAC16",),
    "results": ("RDMAC16", "RDAF16"),
    "activation": ("AF16",),
    "cache writes": ("WR", "WRA16"),
    "barriers": (WAIT,),
}
IO_COMMANDS = ("WRGB", "WRMAC16", "RDMAC16", "RDAF16", "WR", "WRA16")


def summarize(run: Run, spec_file: SpecFile[AimSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload = program.workload
    time = RunTime(ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.aim.clock)
    tokens = token_times(workload.run, program.steps(), run.ends, time.ticks_per_second)
    channels = run.channels.player.results()
    commands = _commands(run, channels)
    dram = _dram(run, commands)
    causes = _causes(run)
    offchip = {"dram_pins": dram.io_bytes, **({"device_link": run.link.sent_bytes} if spec.devices > 1 else {})}
    energy = _energy(run, channels, commands)
    return Report(
        hwsim_version=VERSION,
        machine=spec.name,
        workload=workload.name,
        phase=workload.run.phase,
        tokens=tokens.tokens,
        past=workload.run.past,
        prompt=workload.run.prompt,
        batch=workload.run.batch,
        lm_head="pim" if workload.run.lm_head == "included" else "excluded",
        schedule="turns",
        cycles=time.cycles(time.ticks),
        clock_hz=float(time.clock.freq_hz),
        latency_s=time.seconds(time.ticks),
        tokens_per_s=tokens.tokens_per_s,
        time_to_first_token_s=tokens.time_to_first_token_s,
        token_latencies=tokens.latencies,
        energy_j=energy.joules if energy else None,
        energy=energy,
        breakdown=breakdown(time, run.trace.kinds),
        units=_units(run, time, channels),
        bottleneck=_bottleneck(run, time, causes),
        bound=_bound(run, time, causes),
        dram=dram,
        offchip_bytes=sum(offchip.values()),
        offchip=offchip,
        resources=_resources(run),
        fits=True,  # a model that does not fit is an error before anything runs
        excluded=_excluded(run, time),
        published=[],
        unconfirmed=unconfirmed(spec_file, spec, energy),
        parameters=spec.model_dump(),
        workload_parameters=workload.fields(),
        seed=None,
        instructions=run.channels.instructions,
    )


def _units(run: Run, time: RunTime, channels: list[ChannelResult]) -> list[UnitUse]:
    """The memory as a whole, the host, and below them the channels and the banks' MAC units."""
    linked = [run.link] if run.program.spec.devices > 1 else []
    units = [unit_use(time, unit, proven=unit.proven) for unit in (run.aim, run.host, *linked)]
    spent = {
        "aim.channels": (sum(c.busy_cycles for c in channels), "holding a request, mean of the channels"),
        "aim.mac_units": (
            sum(c.commands.get("MAC16", 0) for c in channels) * run.program.spec.standard.params["nCCDL"],
            "sweeping columns, mean of the channels",
        ),
    }
    for name, (cycles, source) in spent.items():
        mean = round(cycles / len(channels))
        share = time.share(run.aim.clock.ticks(cycles)) / len(channels)
        units.append(UnitUse(name=name, busy_cycles=mean, utilisation=share, source=source, proven=False))
    return units


def _commands(run: Run, channels: list[ChannelResult]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for channel in channels:
        totals.update(channel.commands)
    return {name: totals[name] for name in run.program.spec.standard.commands if totals[name]}


def _dram(run: Run, commands: dict[str, int]) -> DramUse:
    standard = run.program.spec.standard
    burst = standard.column_bytes

    def banks(*names: str) -> int:
        return sum(commands.get(n, 0) * standard.banks_below(standard.commands[n].scope) for n in names)

    accesses = banks(*(name for name, command in standard.commands.items() if command.kind == "column"))
    opened = banks("ACT", "ACT16")  # each for one access, which is no hit
    refreshes = commands.get("REFab", 0) + commands.get("REFpb", 0)
    each = standard.params["nRFC" if commands.get("REFab") else "nRFCpb"]
    return DramUse(
        bytes_read=banks("MAC16", "AF16") * burst,
        # WRA16 carries one burst for all banks, an element each
        bytes_written=(commands.get("WR", 0) + commands.get("WRA16", 0)) * burst,
        io_bytes=sum(commands.get(name, 0) for name in IO_COMMANDS) * burst,
        commands=commands,
        row_hit_rate=1 - opened / accesses if accesses else 0.0,
        refreshes=refreshes,
        refresh_cycles=refreshes * each,
        commands_represented=sum(commands.values()),
        steps_executed=run.channels.player.instructions,
    )


def _causes(run: Run) -> dict[str, int]:
    """DRAM cycles by cause in the channel that sweeps most, as without refresh, and what refresh adds."""
    channels = (run.undisturbed or run.channels).player.results()
    busiest = max(channels, key=lambda channel: channel.commands.get("MAC16", 0))
    spent = busiest.cycles_by_command
    causes = {cause: sum(spent.get(name, 0) for name in names) for cause, names in CAUSES.items()}
    assert sum(causes.values()) == sum(spent.values()), "every command has its cause"
    return {**causes, "refresh": run.refresh_cycles}


def _bound(run: Run, time: RunTime, causes: dict[str, int]) -> Bound:
    """Split the latency into the lower bound and what lies above it."""
    busy, dram = run.trace.busy, run.aim.clock
    bounds = sum(run.channels.bounds.values())
    others = {cause: dram.ticks(cycles) for cause, cycles in causes.items() if cause not in ("compute", "row")}
    assert sum(causes.values()) == run.dram_cycles, "the causes of DRAM time must add up to it"
    return bound(
        time,
        dram.ticks(bounds),
        [
            ("rows and columns beyond the bound", dram.ticks(causes["compute"] + causes["row"] - bounds)),
            ("switches of the mode", others["mode"]),
            ("vectors to the buffers", others["vectors"]),
            ("biases to the accumulators", others["biases"]),
            ("results from the accumulators", others["results"]),
            ("activation functions", others["activation"]),
            ("writes of K and V", others["cache writes"]),
            ("refresh, with what it disturbs", others["refresh"]),
            ("waits for SYNC", others["barriers"]),
            ("host", busy.get("host", 0)),
            *([(LINK, busy.get("link", 0))] if run.program.spec.devices > 1 else []),
            ("waits for clock edges", run.ticks - sum(busy.values())),
        ],
    )


def _bottleneck(run: Run, time: RunTime, causes: dict[str, int]) -> str:
    """One line: the unit that is busiest, and the work and cause that keep it so."""
    unit, line = busiest(time, run.trace.busy, run.trace.kinds)
    if unit != "aim":
        return line
    total = sum(causes.values())
    shares = sorted(causes.items(), key=lambda item: -item[1])
    return f"{line}; the memory's time: " + ", ".join(f"{c} {n / total:.0%}" for c, n in shares if n / total >= 0.005)


def _energy(run: Run, channels: list[ChannelResult], commands: dict[str, int]) -> EnergyUse | None:
    """Energy of the channels by the table of `hwsim aim`; while the host works they stand by as they were left.

    The host's own energy is not known and not counted.
    """
    spec = run.program.spec
    table = spec.energies
    if table is None:
        return None
    open_cycles = sum(channel.open_cycles for channel in channels)
    played = run.dram_cycles * len(channels)
    elsewhere = (run.aim.clock.edge(run.ticks) - run.dram_cycles) * len(channels)  # rows stay as they are
    active = open_cycles + round(elsewhere * open_cycles / played)
    refreshes = elsewhere / spec.standard.refresh.interval if spec.standard.refresh else 0.0
    parts = energy_parts(
        commands,
        active_cycles=active,
        precharged_cycles=played + elsewhere - active,
        standard=spec.standard,
        table=table,
        idle_refreshes=refreshes,
    )
    decoded = run.program.workload.run
    return energy_use(
        [
            Component(
                name=part.name,
                joules=part.picojoules * 1e-12,
                source=part.source,
                grade=table.worst_grade(part.coefficients),
            )
            for part in parts
        ],
        table,
        joules=math.fsum(part.picojoules for part in parts) * 1e-12,
        seconds=spec.time_base.seconds(run.ticks),
        vectors=decoded.taken_in * decoded.batch,
        macs=commands.get("MAC16", 0) * spec.standard.banks * spec.target.lanes,
        coefficients=dict.fromkeys(c for part in parts for c in part.coefficients),
    )


def _resources(run: Run) -> dict[str, Any]:
    mapped = run.program.mapped
    target, row = mapped.placement.target, mapped.placement.target.row_bytes_everywhere
    return {
        "weights_bytes": mapped.placement.weight_rows * row,
        "cache_bytes": mapped.placement.cache_rows * row,
        "padding_bytes": mapped.placement.padding_bytes,
        "memory_bytes": mapped.placement.rows * row,
        "capacity_bytes": target.rows * row,
        "max_context": max_context(mapped),
        "mac_units": target.all_banks,
        "trace_cycles": run.dram_cycles,
        "refresh_cost_cycles": run.refresh_cycles,
        "refresh_cost_share": run.refresh_cycles / run.dram_cycles,
        "programs_played": run.channels.player.played,
        "programs_repeated": run.channels.player.repeated,
    }


def _excluded(run: Run, time: RunTime) -> list[Excluded]:
    """The vocabulary projection on the channels, played once on an idle memory."""
    program, spec = run.program, run.program.spec
    if program.left_out is None:
        return []
    channels = Channels.of(RepeatingPlayer(spec.standard_without_refresh, spec.channels))
    ticks = 0
    for part in segments(program.left_out):
        if isinstance(part, HostWork):
            ticks += run.host.clock.ticks(part.cycles)
        else:
            ticks += run.aim.clock.ticks(sum(channels.play(part)))
    return left_out_projection(time, program.workload.run.produced, ticks=ticks, where="the channels")
