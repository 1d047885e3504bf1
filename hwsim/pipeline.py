"""The one path from a workload to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwsim.errors import UserError
from hwsim.machines.find import choose_machine, load_machine
from hwsim.machines.machine import Dumpable, Machine, Progress
from hwsim.machines.own_format import in_own_format, states_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import decoder_of
from hwsim.mapping.parallel import PipelineStage, split_model
from hwsim.mapping.workload.computed_load import ComputedLoad
from hwsim.mapping.workload.load import load_workload as load_workload_file
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.settings import parse_settings
from hwsim.report.details import Details
from hwsim.report.schema import Report
from hwsim.report.write import write_pieces
from hwsim.shipped import find_workload

AnyWorkload = Workload[Any, Any]

# Tokens that a trace shows unless told otherwise.
TRACE_TOKENS = 2


@dataclass(frozen=True, kw_only=True)
class Stages:
    """What each stage of the path made of a workload, up to the program.

    With several devices it is what the first of them holds, and `devices` has one for each stage of the pipeline, in
    order and the same where they are alike.
    """

    workload: AnyWorkload
    machine: Machine[Any, Any, Any, Any]
    spec: Any
    graph: OperatorGraph
    mapped: Dumpable
    program: Dumpable
    devices: tuple[DeviceProgram, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeviceProgram:
    """The program of one device of a pipeline's stage, where there are several devices."""

    stage: PipelineStage
    program: Any


def load_workload(source: str | Path, /, **overrides: Any) -> AnyWorkload:
    """A workload from a file, or a shipped one by name, with some of its fields replaced."""
    return load_workload_file(find_workload(source), overrides)


def prepare(workload: AnyWorkload, machine: str | None = None, settings: Mapping[str, Any] | None = None) -> Stages:
    """Take a workload down to the machine's program."""
    model, spec = load_machine(choose_machine(machine, workload), settings or {})
    workload = in_own_format(workload, model, spec)
    if getattr(spec, "devices", 1) > 1:
        return _prepare_devices(workload, model, spec)
    workload = _with_experts(workload, model, spec)
    graph = build_graph(workload)
    mapped = model.map_graph(graph, workload, spec)
    program = model.lower(mapped, workload, spec)
    return Stages(workload=workload, machine=model, spec=spec, graph=graph, mapped=mapped, program=program)


def _with_experts(workload: AnyWorkload, model: Machine[Any, Any, Any, Any], spec: Any) -> AnyWorkload:
    """The workload with the machine's choice of experts, where the run leaves that to be computed."""
    routing = getattr(workload.run, "routing", None)
    if routing is None or routing.load != "computed":
        return workload
    load = ComputedLoad.of(routing, model.choose_experts(workload, spec))
    return replace(workload, run=workload.run.model_copy(update={"routing": load}))


def _prepare_devices(workload: AnyWorkload, model: Machine[Any, Any, Any, Any], spec: Any) -> Stages:
    """The same for each stage of a pipeline of devices; stages that are alike are made once."""
    made: dict[PipelineStage, tuple[OperatorGraph, Any, DeviceProgram]] = {}
    order = split_model(decoder_of(workload, spec.name), spec.tensor_parallel, spec.pipeline_parallel)
    for stage in order:
        if stage not in made:
            graph = build_graph(stage.share, stage.split)
            mapped = model.map_graph(graph, stage.share, spec)
            program = model.lower(mapped, stage.share, spec)
            made[stage] = graph, mapped, DeviceProgram(stage=stage, program=program)
    graph, mapped, first = made[order[0]]
    return Stages(
        workload=workload,
        machine=model,
        spec=spec,
        graph=graph,
        mapped=mapped,
        program=first.program,
        devices=tuple(made[stage][2] for stage in order),
    )


def _run_devices(stages: Stages, first: Any) -> Report:
    """The report of all devices; those that are alike run once, and `first` has run already."""
    from hwsim.devices.combine import StageExecution, combine

    machine, done = stages.machine, {stages.devices[0].stage: first}
    for device in stages.devices:
        if device.stage not in done:
            done[device.stage] = machine.simulate(device.program)
    runs = {}
    for stage, finished in done.items():
        ends, ticks_per_second = machine.step_ends(finished)
        report = machine.summarize(finished)
        runs[stage] = StageExecution(stage=stage, report=report, ends=ends, ticks_per_second=ticks_per_second)
    steps = list(stages.devices[0].program.steps())
    return combine(stages.workload, steps, [runs[device.stage] for device in stages.devices])


def run(
    workload: AnyWorkload,
    machine: str | None = None,
    settings: Mapping[str, Any] | Iterable[str] | None = None,
    *,
    progress: Progress | None = None,
    trace: Path | None = None,
    trace_tokens: int = TRACE_TOKENS,
    strict_fit: bool = False,
) -> Report:
    """Run a workload on a machine.

    Parameters
    ----------
    machine : a shipped machine's name or the path of a machine YAML; the workload's own machine by default
    settings : machine parameters that replace the shipped ones, `{"channels": 16}` or `["channels=16"]`
    progress : called while the simulation runs with (tokens done, tokens in all)
    trace : a file for a Perfetto trace of the first `trace_tokens` tokens of each sequence
    strict_fit : refuse a machine whose units its FPGA has no room for; otherwise the report says `fits: false`

    Raises
    ------
    UserError : anything that is wrong with the workload, the machine or their fit
    """
    return run_in_detail(
        workload,
        machine,
        settings,
        progress=progress,
        trace=trace,
        trace_tokens=trace_tokens,
        strict_fit=strict_fit,
    )[0]


def run_in_detail(
    workload: AnyWorkload,
    machine: str | None = None,
    settings: Mapping[str, Any] | Iterable[str] | None = None,
    *,
    progress: Progress | None = None,
    trace: Path | None = None,
    trace_tokens: int = TRACE_TOKENS,
    emit: Path | None = None,
    strict_fit: bool = False,
) -> tuple[Report, Callable[[], Details]]:
    """`run`, with a function that makes what a page shows beyond the report.

    Parameters
    ----------
    emit : a file for the instructions of the run as a trace
    """
    if settings is not None and not isinstance(settings, Mapping):
        settings = parse_settings(settings).machine
    if trace and trace_tokens < 1:
        raise UserError(f"--trace-tokens: expected at least 1, got {trace_tokens}")
    stages = prepare(workload, machine, settings)
    if strict_fit:
        from hwsim.machines.fit import require_fit

        require_fit(stages.machine, stages.spec, stages.program)
    pieces = stages.machine.emit_trace(stages.program) if emit else None
    finished = stages.machine.simulate(stages.program, progress=progress, trace_tokens=trace_tokens if trace else 0)
    if emit and pieces is not None:
        write_pieces(emit, pieces)
    if trace:
        from hwsim.report.perfetto import write_trace

        write_trace(trace, stages.machine.timeline(finished))
    if stages.devices:
        return _run_devices(stages, finished), lambda: _details_of_devices(stages, finished)
    return stages.machine.summarize(finished), lambda: stages.machine.details(finished)


def _details_of_devices(stages: Stages, first: Any) -> Details:
    """The first device's memory and roofline; its steps are no tokens where other stages follow."""
    details = replace(stages.machine.details(first), workload=stages.workload.fields())
    return details if len(stages.devices) == 1 else replace(details, steps=(), steps_in_all=0)


def explain(
    workload: AnyWorkload, stage: str, machine: str | None = None, settings: Mapping[str, Any] | None = None
) -> str:
    """The `dump()` of a stage, at the last step of the run.

    The graph needs no machine, but where the workload names one and leaves its number format to it.
    """
    step = workload.run.last_step(workload.model)
    if stage == "graph" and machine is None and not settings:
        if workload.machine and not states_format(workload):
            workload = in_own_format(workload, *load_machine(workload.machine, {}))
        return build_graph(workload).dump(step)
    stages = prepare(workload, machine, settings)
    dumps: dict[str, Dumpable] = {"graph": stages.graph, "mapped": stages.mapped, "program": stages.program}
    return dumps[stage].dump(step)
