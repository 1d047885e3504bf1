"""From a finished run to its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hwsim.dram.random_access.served import Served
from hwsim.engine.trace import Cause
from hwsim.fpga.budget import Budget
from hwsim.fpga.units import units_budget
from hwsim.machines.edge_moe.energy import energy_of
from hwsim.machines.edge_moe.kinds import NO_IMAGE, NOTHING
from hwsim.machines.edge_moe.memory import memory_system, time_base
from hwsim.machines.edge_moe.model import Execution
from hwsim.machines.edge_moe.parts import fabric, memory, units
from hwsim.machines.edge_moe.published import figures_beside
from hwsim.machines.edge_moe.rates import macs_a_cycle, peak_macs_per_s
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.workload.image_run import TaskRun
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import Distance, bound_use, build_report, busiest, unit_use
from hwsim.report.fpga import fpga_resources, fpga_use
from hwsim.report.loads import load_use
from hwsim.report.passes import PassTime, passes_use
from hwsim.report.ports import axi_port_uses
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound, Contents, DramUse, LoadUse, MemoryPart, MemoryUse, Report, Throughput, UnitUse

BOUND_NOTE = (
    "each unit's multiplications at its full rate, one unit after the other as an image's data depend, or the bytes of "
    "the ports at the DRAM's peak rate, whichever is longer"
)


def summarize(run: Execution, spec_file: SpecFile[EdgeMoeSpec]) -> Report:
    """The report of a run."""
    program, spec = run.program, run.program.spec
    workload = program.workload
    time = RunTime(
        ticks=run.ticks, ticks_per_second=run.diagram.time_base.ticks_per_second, clock=run.diagram.clocks["fabric"]
    )
    served, uses = run.memory.player.served(), run.memory.player.port_use()
    offchip = {use.port: 0 for use in uses}
    for use in uses:
        offchip[use.port] += use.size_bytes
    macs, seconds = sum(run.counts.macs.values()), time.seconds(time.ticks)
    budget = _budget(run)
    energy = energy_of(run, time, budget)
    fpga = fpga_use(
        budget,
        clock_hz=float(spec.clock_hz),
        peak_macs_per_s=peak_macs_per_s(run),
        achieved_macs_per_s=macs / seconds,
    )
    produced = workload.run.produced
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule=spec.schedule,
        time=time,
        throughput=Throughput(value=produced / seconds, unit=workload.run.unit, count=produced),
        kinds=run.shares.ticks,
        units=_units(run, time),
        bottleneck=busiest(time, _busy(run), run.shares.ticks)[1],
        bound=_bound(run, time, sum(offchip.values())),
        memories=_memories(run, served),
        offchip=offchip,
        energy=energy,
        resources=fpga_resources(fpga),
        instructions=run.instructions,
        published=figures_beside(run, time, energy, spec_file),
        dram=_dram(run, served),
        fpga=fpga,
        loads=_loads(run),
        ports=axi_port_uses(time, time_base(spec), memory_system(spec), uses),
        passes=passes_use(time, workload.run, list(_passes(run))),
    )


def _passes(run: Execution) -> Iterator[PassTime]:
    """A pass for another task or image reads other weights of gates, and begins where the one before has ended."""
    names = getattr(run.program.workload.model, "task_names", ("images",))
    before = run.once_ticks
    for each in run.passes:
        yield PassTime(
            task=names[each.step.task],
            images=each.step.batch,
            arrives=each.arrives,
            begun=each.begun,
            ended=each.ended,
            waited=each.begun - max(each.arrives, before),
        )
        before = each.ended


def _budget(run: Execution) -> Budget:
    design = run.program.design
    return units_budget(units(design.spec, design.sizes), design.spec.name, design.spec.board)


def _units(run: Execution, time: RunTime) -> list[UnitUse]:
    design, trace = run.program.design, run.diagram.trace
    found = []
    for unit in fabric(design):
        stalls: dict[str | Cause, int] = {cause: ticks for cause, ticks in trace.stalls.get(unit.name, {}).items()}
        found.append(unit_use(time, unit, trace.busy.get(unit.name, 0), stalls))
    found.append(unit_use(time, memory(design.spec), _pins_busy(run)))
    return found


def _pins_busy(run: Execution) -> int:
    """Ticks in which the DRAM's pins carried data."""
    commands = run.memory.player.served().commands
    bursts = commands.get("RD", 0) + commands.get("WR", 0)
    return run.diagram.clocks["memory"].ticks(bursts * run.program.spec.standard.params["nBL"])


def _busy(run: Execution) -> dict[str, int]:
    trace = run.diagram.trace
    return {unit.name: trace.busy.get(unit.name, 0) for unit in fabric(run.program.design)}


def _bound(run: Execution, time: RunTime, moved: int) -> Bound:
    """Split the latency into the lower bound, waits for ports by kind of work, and what units take beyond."""
    spec = run.program.spec
    rates = macs_a_cycle(run)
    cycles = sum(-(-count // rates[unit]) for unit, count in run.counts.macs.items())
    standard = spec.standard
    peak = standard.column_bytes / standard.params["nBL"]  # bytes a cycle of the DRAM
    dram = run.diagram.clocks["memory"].ticks(-(-moved // int(peak)))
    lower = max(time.clock.ticks(cycles), dram)
    waits = Counter(run.shares.waits)
    distance: list[Distance] = [
        (f"{kind}: waits for its ports", "transfers", ticks) for kind, ticks in waits.most_common() if ticks
    ]
    idle, empty = run.shares.ticks[NOTHING], run.shares.ticks[NO_IMAGE]
    rest = time.ticks - lower - sum(waits.values()) - idle - empty
    distance.append(("filling and emptying pipelines, padding, units without multipliers", "unit", rest))
    distance += [("between calls", "waits", idle), ("no image to work on", "waits", empty)]
    return bound_use(time, lower, BOUND_NOTE, distance)


def _dram(run: Execution, served: Served) -> DramUse:
    standard = run.program.spec.standard
    reads, writes = served.commands.get("RD", 0), served.commands.get("WR", 0)
    refreshes = served.commands.get("REFab", 0)
    return DramUse(
        standard=standard.name,
        bytes_read=reads * standard.column_bytes,
        bytes_written=writes * standard.column_bytes,
        io_bytes=(reads + writes) * standard.column_bytes,
        commands={name: count for name, count in served.commands.items() if count},
        row_hit_rate=served.row_hit_rate,
        refreshes=refreshes,
        refresh_cycles=refreshes * standard.params["nRFC"] if refreshes else 0,
        commands_represented=sum(served.commands.values()),
        steps_executed=run.memory.player.steps,
    )


def _memories(run: Execution, served: Served) -> list[MemoryUse]:
    placed, spec = run.program.mapped.memory, run.program.spec
    standard = spec.standard
    sizes: dict[Contents, int] = {
        "weights": sum(array.size_bytes for array in placed.arrays.values()),
        "activations": sum(buffer.size_bytes for buffer in placed.buffers.values()),
    }
    return [
        MemoryUse(
            name="DDR4",
            kind="dram",
            size_bytes=run.program.design.target.size_bytes,
            used_bytes=sum(sizes.values()),
            padding_bytes=None,
            bytes_read=served.commands.get("RD", 0) * standard.column_bytes,
            bytes_written=served.commands.get("WR", 0) * standard.column_bytes,
            parts=[MemoryPart(holds=holds, size_bytes=size) for holds, size in sizes.items()],
        )
    ]


def _loads(run: Execution) -> list[LoadUse] | None:
    workload = run.program.workload
    if not run.queue_lengths or not isinstance(workload.run, TaskRun):
        return None
    return [load_use("tokens of an expert", workload.run.routing, run.queue_lengths, unit="tokens")]
