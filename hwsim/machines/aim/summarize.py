"""From a finished run to its report."""

from __future__ import annotations

import math
from collections import Counter

from hwsim.dram.aim.energy import energy_parts
from hwsim.dram.aim.player import WAIT, ChannelResult
from hwsim.dram.aim.repeat import RepeatingPlayer
from hwsim.energy import Component
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.aim.model import Channels, Execution
from hwsim.machines.aim.parts import units
from hwsim.machines.aim.programs import HostWork, segments
from hwsim.machines.aim.spec import AimSpec
from hwsim.mapping.pim.row_mapping import longest_context
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.banks import banks_use, buffers_use
from hwsim.report.build import Distance, bound_use, build_report, busiest, unit_use, waits_for_turn
from hwsim.report.decoding import decoding_throughput, decoding_use, left_out_projection
from hwsim.report.energy_use import energy_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound, DramUse, EnergyUse, Excluded, MemoryUse, Report, ResourceUse, UnitUse

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


BOUND_NOTE = "what no order of the commands can undercut: columns of a row nCCDL apart, rows opened one after the other"


def summarize(run: Execution, spec_file: SpecFile[AimSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload, parts = program.workload, units(spec)
    time = RunTime(ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.aim.clock)
    decoding = decoding_use(
        workload.run,
        program.steps(),
        run.ends,
        time.ticks_per_second,
        lm_head="pim",
        longest_context=longest_context(program.mapped),
    )
    channels = run.channels.player.results()
    commands = _commands(run, channels)
    dram, causes = _dram(run, commands), _causes(run)
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule="turns",
        time=time,
        throughput=decoding_throughput(workload.run, decoding),
        kinds=run.trace.kinds,
        units=_units(run, time, parts, channels),
        bottleneck=_bottleneck(run, time, causes),
        bound=_bound(run, time, causes),
        memories=_memories(run, dram),
        offchip={"dram_pins": dram.io_bytes, **({"device_link": run.link.sent_bytes} if spec.devices > 1 else {})},
        energy=_energy(run, channels, commands),
        resources=_resources(parts),
        instructions=run.channels.instructions,
        excluded=_excluded(run, time),
        decoding=decoding,
        dram=dram,
    )


def _units(run: Execution, time: RunTime, parts: tuple[UnitSpec, ...], channels: list[ChannelResult]) -> list[UnitUse]:
    """The memory as a whole, the host, and below them the channels and the banks' MAC units."""
    busy = run.trace.busy
    named = {unit.name: unit for unit in parts}
    found = [
        unit_use(time, named[name], busy.get(name, 0), waits_for_turn(time, name, busy))
        for name in ("aim", "host", "link")
        if name in named
    ]
    held = sum(channel.busy_cycles for channel in channels)
    swept = sum(channel.commands.get("MAC16", 0) for channel in channels) * run.program.spec.standard.params["nCCDL"]
    for unit, name, cycles, doing in (
        (named["aim"], "aim.channels", held, "holding a request"),
        (named["aim.mac_units"], "aim.mac_units", swept, "sweeping columns"),
    ):
        found.append(
            UnitUse(
                name=name,
                kind=unit.kind,
                count=unit.count,
                busy_cycles=round(cycles / len(channels)),
                utilisation=time.share(run.aim.clock.ticks(cycles)) / len(channels),
                stalls=[],
                source=f"{doing}, mean of the channels",
                proven=unit.proven,
                compared=None,
            )
        )
    return found


def _commands(run: Execution, channels: list[ChannelResult]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for channel in channels:
        totals.update(channel.commands)
    return {name: totals[name] for name in run.program.spec.standard.commands if totals[name]}


def _dram(run: Execution, commands: dict[str, int]) -> DramUse:
    standard = run.program.spec.standard
    burst = standard.column_bytes

    def banks(*names: str) -> int:
        return sum(commands.get(n, 0) * standard.banks_below(standard.commands[n].scope) for n in names)

    accesses = banks(*(name for name, command in standard.commands.items() if command.kind == "column"))
    opened = banks("ACT", "ACT16")  # each for one access, which is no hit
    refreshes = commands.get("REFab", 0) + commands.get("REFpb", 0)
    each = standard.params["nRFC" if commands.get("REFab") else "nRFCpb"]
    return DramUse(
        standard=standard.name,
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
        trace_cycles=run.dram_cycles,
        refresh_cost_cycles=run.refresh_cycles,
        programs_played=run.channels.player.played,
        programs_repeated=run.channels.player.repeated,
    )


def _causes(run: Execution) -> dict[str, int]:
    """DRAM cycles by cause in the channel that sweeps most, as without refresh, and what refresh adds."""
    channels = (run.undisturbed or run.channels).player.results()
    busiest = max(channels, key=lambda channel: channel.commands.get("MAC16", 0))
    spent = busiest.cycles_by_command
    causes = {cause: sum(spent.get(name, 0) for name in names) for cause, names in CAUSES.items()}
    assert sum(causes.values()) == sum(spent.values()), "every command has its cause"
    return {**causes, "refresh": run.refresh_cycles}


def _bound(run: Execution, time: RunTime, causes: dict[str, int]) -> Bound:
    """Split the latency into the lower bound and what lies above it."""
    busy, dram = run.trace.busy, run.aim.clock
    bounds = sum(run.channels.bounds.values())
    others = {cause: dram.ticks(cycles) for cause, cycles in causes.items() if cause not in ("compute", "row")}
    assert sum(causes.values()) == run.dram_cycles, "the causes of DRAM time must add up to it"
    distance: list[Distance] = [
        ("rows and columns beyond the bound", "rows", dram.ticks(causes["compute"] + causes["row"] - bounds)),
        ("switches of the mode", "modes", others["mode"]),
        ("vectors to the buffers", "transfers", others["vectors"]),
        ("biases to the accumulators", "transfers", others["biases"]),
        ("results from the accumulators", "transfers", others["results"]),
        ("activation functions", "unit", others["activation"]),
        ("writes of K and V", "rows", others["cache writes"]),
        ("refresh, with what it disturbs", "refresh", others["refresh"]),
        ("waits for SYNC", "waits", others["barriers"]),
        ("host", "host", busy.get("host", 0)),
        ("waits for clock edges", "waits", run.ticks - sum(busy.values())),
    ]
    if run.program.spec.devices > 1:
        distance.insert(-1, ("link between devices", "link", busy.get("link", 0)))
    return bound_use(time, dram.ticks(bounds), BOUND_NOTE, distance)


def _bottleneck(run: Execution, time: RunTime, causes: dict[str, int]) -> str:
    """One line: the unit that is busiest, and the work and cause that keep it so."""
    unit, line = busiest(time, run.trace.busy, run.trace.kinds)
    if unit != "aim":
        return line
    total = sum(causes.values())
    shares = sorted(causes.items(), key=lambda item: -item[1])
    return f"{line}; the memory's time: " + ", ".join(f"{c} {n / total:.0%}" for c, n in shares if n / total >= 0.005)


def _energy(run: Execution, channels: list[ChannelResult], commands: dict[str, int]) -> EnergyUse | None:
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
                standing=part.standing,
            )
            for part in parts
        ],
        table,
        joules=math.fsum(part.picojoules for part in parts) * 1e-12,
        seconds=spec.time_base.seconds(run.ticks),
        passed=decoded.taken_in * decoded.batch,
        unit=decoded.unit,
        macs=commands.get("MAC16", 0) * spec.standard.banks * spec.target.lanes,
        coefficients=dict.fromkeys(c for part in parts for c in part.coefficients),
    )


def _memories(run: Execution, dram: DramUse) -> list[MemoryUse]:
    target, commands = run.program.spec.target, dram.commands
    return [
        banks_use(run.program.mapped.placement, dram),
        buffers_use("global buffers", target, reads=commands.get("MAC16", 0), writes=commands.get("WRGB", 0)),
    ]


def _resources(parts: tuple[UnitSpec, ...]) -> list[ResourceUse]:
    mac_units = sum(unit.count for unit in parts if unit.name == "aim.mac_units")
    return [ResourceUse(place="memory", resource="mac_units", used=mac_units, available=None)]


def _excluded(run: Execution, time: RunTime) -> list[Excluded]:
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
