"""The one path from a workload to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import UserError
from hwsim.machines.machine import Dumpable, Machine, Progress
from hwsim.report.details import Details
from hwsim.report.schema import Report
from hwsim.settings import load_machine, parse_settings
from hwsim.shipped import find_workload
from mapping.gpt import build_graph
from mapping.graph import OperatorGraph
from mapping.workload import Step, Workload
from mapping.workload import load_workload as load_workload_file

# Tokens that a trace shows unless told otherwise.
TRACE_TOKENS = 2


@dataclass(frozen=True, kw_only=True)
class Stages:
    """What each stage of the path made of a workload, up to the program."""

    workload: Workload
    machine: Machine[Any, Any, Any, Any]
    graph: OperatorGraph
    mapped: Dumpable
    program: Dumpable


def load_workload(source: str | Path, **overrides: Any) -> Workload:
    """A workload from a file, or a shipped one by name, with some of its fields replaced."""
    return load_workload_file(find_workload(source), overrides)


def prepare(workload: Workload, machine: str | None = None, settings: Mapping[str, Any] | None = None) -> Stages:
    """Take a workload down to the machine's program."""
    model, spec = load_machine(machine or workload.machine, settings or {})
    graph = build_graph(workload)
    mapped = model.map_graph(graph, workload, spec)
    program = model.lower(mapped, workload, spec)
    return Stages(workload=workload, machine=model, graph=graph, mapped=mapped, program=program)


def run(
    workload: Workload,
    machine: str | None = None,
    settings: Mapping[str, Any] | Iterable[str] | None = None,
    *,
    progress: Progress | None = None,
    trace: Path | None = None,
    trace_tokens: int = TRACE_TOKENS,
) -> Report:
    """Run a workload on a machine.

    Parameters
    ----------
    machine : a shipped machine's name or the path of a machine YAML; the workload's own machine by default
    settings : machine parameters that replace the shipped ones, `{"channels": 16}` or `["channels=16"]`
    progress : called while the simulation runs with (tokens done, tokens in all)
    trace : a file for a Perfetto trace of the first `trace_tokens` tokens of each sequence

    Raises
    ------
    UserError : anything that is wrong with the workload, the machine or their fit
    """
    return run_in_detail(workload, machine, settings, progress=progress, trace=trace, trace_tokens=trace_tokens)[0]


def run_in_detail(
    workload: Workload,
    machine: str | None = None,
    settings: Mapping[str, Any] | Iterable[str] | None = None,
    *,
    progress: Progress | None = None,
    trace: Path | None = None,
    trace_tokens: int = TRACE_TOKENS,
) -> tuple[Report, Callable[[], Details]]:
    """`run`, with a function that makes what a page shows beyond the report."""
    if settings is not None and not isinstance(settings, Mapping):
        settings = parse_settings(settings).machine
    if trace and trace_tokens < 1:
        raise UserError(f"--trace-tokens: expected at least 1, got {trace_tokens}")
    stages = prepare(workload, machine, settings)
    finished = stages.machine.simulate(stages.program, progress=progress, trace_tokens=trace_tokens if trace else 0)
    if trace:
        from hwsim.report.perfetto import write_trace

        write_trace(trace, stages.machine.timeline(finished))
    return stages.machine.summarize(finished), lambda: stages.machine.details(finished)


def explain(stages: Stages, stage: str) -> str:
    """The `dump()` of a stage, at the last step of the run."""
    workload = stages.workload
    step = Step(queries=1, context=workload.context, batch=workload.batch)
    dumps: dict[str, OperatorGraph | Dumpable] = {
        "graph": stages.graph,
        "mapped": stages.mapped,
        "program": stages.program,
    }
    return dumps[stage].dump(step)
