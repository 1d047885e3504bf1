"""From a finished run to what its page shows beyond the report: the roofline, and all parameters."""

from __future__ import annotations

from collections import Counter

from hwsim.machines.edge_moe.kinds import part_of
from hwsim.machines.edge_moe.model import Execution
from hwsim.machines.edge_moe.rates import peak_macs_per_s
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.operators import ExpertFfn, Linear, Operator
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details, Roofline, RooflinePoint


def details(run: Execution, spec_file: SpecFile[EdgeMoeSpec]) -> Details:
    """What the page of a run shows beyond the report."""
    program = run.program
    return Details(
        roofline=roofline(run), parameters=spec_file.origins(program.spec), workload=program.workload.fields()
    )


def roofline(run: Execution) -> Roofline:
    """What multiplies and accumulates, each with the loads of its weights, under the DRAM's rate and all multipliers.

    Bytes are those at the ports; whole beats are moved.
    """
    spec, standard = run.program.spec, run.program.spec.standard
    macs, moved, ticks = _macs(run), Counter[str](), Counter[str]()
    for kind, beats in run.shares.beats.items():
        moved[_group(kind)] += beats * spec.beat_bytes
    for kind, count in run.shares.ticks.items():
        ticks[_group(kind)] += count
    seconds = run.diagram.time_base.seconds
    points = [
        RooflinePoint(name=name, macs=count, moved_bytes=moved[name], seconds=seconds(ticks[name]))
        for name, count in macs.items()
    ]
    whole = RooflinePoint(name="whole run", macs=macs.total(), moved_bytes=moved.total(), seconds=seconds(run.ticks))
    burst, rate = standard.params["nBL"], float(standard.clock_hz) * standard.column_bytes / standard.params["nBL"]
    return Roofline(
        compute="multipliers",
        memory="DRAM pins",
        peak_macs_per_s=peak_macs_per_s(run),
        bytes_per_s=rate,
        points=(*points, whole),
        note=f"The multipliers of all units at {spec.clock_hz / 1e6:g} MHz, which never work at once, and a burst of "
        f"{standard.column_bytes} B each {burst} cycles of the DRAM at {float(standard.clock_hz) / 1e6:g} MHz",
    )


def _macs(run: Execution) -> Counter[str]:
    """Multiply-accumulates of the model, by what they are shown as."""
    found: Counter[str] = Counter()
    for step in run.program.steps():
        for op in run.program.mapped.graph.operators:
            if macs := op.macs(step):
                found[_group_of(op)] += macs
    return found


def _group_of(op: Operator) -> str:
    return f"linear.{part_of(op)}" if isinstance(op, Linear | ExpertFfn) else op.kind


def _group(kind: str) -> str:
    """What a kind of work is shown as: a matrix and its loads, and the zeros to which experts add, are one."""
    if kind == "fill":
        return "linear.experts"
    what, _, part = kind.partition(".")
    if what == "load":
        return part if part in ("patch_embed", "route", "norm") else f"linear.{part}"
    return kind
