"""From a finished run to its report."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.trace import Cause
from hwsim.fpga.budget import Budget
from hwsim.fpga.units import units_budget
from hwsim.machines.m3vit.beside import published
from hwsim.machines.m3vit.counts import fpga_counts
from hwsim.machines.m3vit.model import Execution
from hwsim.machines.m3vit.onchip import on_chip
from hwsim.machines.m3vit.parts import activation_bytes, keys_values_bytes, units
from hwsim.machines.m3vit.resident import resident_load_cycles
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.workload.image_run import Arriving, TaskRun
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.build import Distance, bound_use, build_report, busiest, unit_use
from hwsim.report.energy_use import fpga_energy_use
from hwsim.report.fpga import fpga_resources, fpga_use
from hwsim.report.loads import load_use
from hwsim.report.passes import PassTime, passes_use
from hwsim.report.ports import axi_port_uses
from hwsim.report.run_time import RunTime
from hwsim.report.schema import (
    Bound,
    Contents,
    DramUse,
    Excluded,
    LoadUse,
    MemoryKind,
    MemoryPart,
    MemoryUse,
    Report,
    Throughput,
    UnitUse,
)

BOUND_NOTE = "the model's multiply-accumulates at the engine's full rate; those of the gate have a unit of their own"


def summarize(run: Execution, spec_file: SpecFile[M3vitSpec]) -> Report:
    """The report of a run."""
    program, spec, ledger = run.program, run.program.spec, run.ledger
    workload = program.workload
    assert isinstance(workload.run, Arriving)
    time = RunTime(
        ticks=run.ticks, ticks_per_second=spec.time_base.ticks_per_second, clock=run.diagram.clocks["fabric"]
    )
    budget = units_budget(units(spec, program.sizes), spec.name, spec.board)
    seconds, produced = time.seconds(time.ticks), workload.run.produced
    energy = fpga_energy_use(fpga_counts(run, time, budget), spec.energies, passed=produced, unit=workload.run.unit)
    offchip = dict.fromkeys((use.port for use in run.ports if use.beats), 0)
    for use in run.ports:
        if use.beats:
            offchip[use.port] += use.size_bytes
    fpga = fpga_use(
        budget,
        clock_hz=float(spec.clock_hz),
        peak_macs_per_s=spec.head_engine.macs_per_cycle * float(spec.clock_hz),
        achieved_macs_per_s=ledger.macs / seconds,
    )
    return build_report(
        machine=spec.name,
        spec=spec,
        spec_file=spec_file,
        workload=workload,
        schedule=spec.mode,
        time=time,
        throughput=Throughput(value=produced / seconds, unit=workload.run.unit, count=produced),
        kinds=_kinds(run, time),
        units=_units(run, time),
        bottleneck=busiest(time, run.diagram.trace.busy, _kinds(run, time))[1],
        bound=_bound(run, time),
        memories=_memories(run),
        offchip=offchip,
        energy=energy,
        resources=fpga_resources(fpga),
        instructions=ledger.works + ledger.loads,
        excluded=_excluded(run, time, budget),
        published=published(run, time, energy),
        dram=_dram(run),
        fpga=fpga,
        loads=_loads(run),
        ports=axi_port_uses(time, spec.time_base, spec.memory_system, run.ports),
        passes=passes_use(time, workload.run, list(_passes(run, time))),
    )


def _kinds(run: Execution, time: RunTime) -> dict[str, int]:
    """Ticks by kind of work, and of the time between; they add up to the run."""
    ledger, clock = run.ledger, time.clock
    between = {"waiting for weights": ledger.weight_wait, "waiting for images": ledger.no_image}
    return {
        kind: clock.ticks(cycles)
        for kind, cycles in {**ledger.kinds, **between}.items()
        if cycles or kind in ledger.kinds
    }


def _units(run: Execution, time: RunTime) -> list[UnitUse]:
    """The units that work; memories are in the FPGA's section."""
    trace, found = run.diagram.trace, []
    for unit in units(run.program.spec, run.program.sizes):
        if unit.name in run.diagram.units:
            stalls: dict[str | Cause, int] = {cause: ticks for cause, ticks in trace.stalls.get(unit.name, {}).items()}
            found.append(unit_use(time, unit, trace.busy.get(unit.name, 0), stalls))
    return found


def _bound(run: Execution, time: RunTime) -> Bound:
    """Split the latency into the lower bound and what lies above it."""
    ledger, engine = run.ledger, run.program.spec.head_engine
    least = -(-ledger.macs // engine.macs_per_cycle)
    worked = sum(ledger.kinds.values())
    parts: list[Distance] = [
        ("tiles that are not full", "unit", ledger.tiles - least),
        ("filling and emptying the units, units without matrices", "unit", worked - ledger.tiles),
        ("waiting for weights", "transfers", ledger.weight_wait),
        ("waiting for images", "waits", ledger.no_image),
    ]
    ticks: list[Distance] = [(cause, kind, time.clock.ticks(cycles)) for cause, kind, cycles in parts]
    return bound_use(time, time.clock.ticks(least), BOUND_NOTE, ticks)


def _memories(run: Execution) -> list[MemoryUse]:
    """The board's memory, then what lies on the chip by its parts."""
    program, spec, chip = run.program, run.program.spec, on_chip(run.program)
    commands, column = run.served.commands, run.program.spec.standard.column_bytes
    held = [
        ("resident weights", chip.resident),
        ("attention weights", chip.attention),
        ("expert buffers", chip.experts),
    ]
    kinds: dict[str, tuple[MemoryKind, Contents, int]] = {name: ("uram", "weights", size) for name, size in held}
    kinds["gate"] = ("bram", "weights", chip.gate)
    kinds["queues"] = ("bram", "tables", chip.queues)
    for name, size in (("keys and values", keys_values_bytes), ("activations", activation_bytes)):
        kinds[name] = ("uram", "activations", program.mapped.batch * size(spec, program.sizes))
    parameters = program.mapped.placement.end
    buffers = program.activations.end - parameters
    board = MemoryUse(
        name="DDR4",
        kind="dram",
        size_bytes=spec.memory_system.mapping.capacity_bytes,
        used_bytes=parameters + buffers,
        padding_bytes=None,
        bytes_read=commands.get("RD", 0) * column,
        bytes_written=commands.get("WR", 0) * column,
        parts=[MemoryPart(holds="weights", size_bytes=parameters), MemoryPart(holds="activations", size_bytes=buffers)],
    )
    return [board, *(_memory(name, *entry) for name, entry in kinds.items() if entry[2])]


def _memory(name: str, kind: MemoryKind, holds: Contents, size: int) -> MemoryUse:
    return MemoryUse(
        name=name, kind=kind, size_bytes=size, used_bytes=size, padding_bytes=None, bytes_read=None, bytes_written=None,
        parts=[MemoryPart(holds=holds, size_bytes=size)],
    )  # fmt: skip


def _excluded(run: Execution, time: RunTime, budget: Budget) -> list[Excluded]:
    """What stays on the chip is there when a run begins."""
    seconds = time.seconds(time.clock.ticks(resident_load_cycles(run.program)))
    each = seconds / run.program.workload.run.produced
    return [
        Excluded(
            name="first load of what stays on the chip",
            seconds_per_unit=each,
            share=seconds / time.seconds(time.ticks),
            note="weights of patches, final norm and classifier, once after start, over the images of this run",
        )
    ]


def _dram(run: Execution) -> DramUse:
    standard, commands = run.program.spec.standard, run.served.commands
    reads, writes = commands.get("RD", 0), commands.get("WR", 0)
    refreshes = commands.get("REFab", 0)
    return DramUse(
        standard=standard.name,
        bytes_read=reads * standard.column_bytes,
        bytes_written=writes * standard.column_bytes,
        io_bytes=(reads + writes) * standard.column_bytes,
        commands={name: count for name, count in commands.items() if count},
        row_hit_rate=run.served.row_hit_rate,
        refreshes=refreshes,
        refresh_cycles=refreshes * standard.params["nRFC"] if refreshes else 0,
        commands_represented=sum(commands.values()),
        steps_executed=run.steps_played,
    )


def _loads(run: Execution) -> list[LoadUse] | None:
    workload = run.program.workload
    experts = [op for op in run.program.mapped.graph.operators if isinstance(op, ExpertFfn)]
    if not experts or not isinstance(workload.run, TaskRun):
        return None
    met = [length for step in workload.steps() for op in experts for length in op.queue_lengths(step)]
    in_order = run.program.spec.mode == "cache"
    found = [load_use("tokens of an expert", workload.run.routing, met, unit="tokens", dealt=in_order)]
    if in_order:
        visits = run.ledger.visits
        found.append(
            load_use(
                "visits of experts from one fetch to the next", workload.run.routing, visits, unit="visits", dealt=True
            )
        )
    return found


def _passes(run: Execution, time: RunTime) -> Iterator[PassTime]:
    names = getattr(run.program.workload.model, "task_names", ("images",))
    for record in run.ledger.steps:
        ticks = time.clock.ticks
        yield PassTime(
            task=names[record.step.task],
            images=record.step.batch,
            arrives=ticks(record.arrives),
            begun=ticks(record.begun),
            ended=ticks(record.ended),
            waited=ticks(record.begin_wait + record.gate_wait),
        )
