"""From an operator graph to the machine: attention goes to the pipelines, everything else to the companion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.plan import UNIT_OF
from hwsim.machines.swat.spec import FORMATS, SwatSpec
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import VIEW, MappedGraph, MappedOperator, assign_units
from hwsim.mapping.operators import Attention
from hwsim.mapping.workload.workload import Workload

PIPELINES = "cores"
COMPANION = "matrix"
LEFT_OUT = "none"  # by companion=none
KINDS = ("attention",)
FAMILIES = ("kernel", "long_context", "modernbert", "bert", "vit", "hat", "swin")


@dataclass(frozen=True, kw_only=True)
class InHbm:
    """What the board's memory holds: nothing has a place that matters, since each stream has a channel."""

    weights: Mapping[str, int]

    def heading(self) -> str:
        return f"{sum(self.weights.values()):,} B of weights"

    def places(self, operator: str) -> str:
        size = self.weights.get(operator, 0)
        return f"{size:,} B of weights" if size else ""


SwatMapped = MappedGraph[InHbm]


def map_graph(graph: OperatorGraph, workload: Workload[Any, Any], spec: SwatSpec) -> SwatMapped:
    """Choose units.

    Raises
    ------
    MachineError : a model of another family, attention that the cores cannot compute
    MappingError : an operator without a unit
    """
    family = workload.model.family
    if family not in FAMILIES:
        raise MachineError(
            f"{spec.name}: runs whole sequences (families {', '.join(FAMILIES)}); {workload.name} is of family {family}"
        )
    for op in graph.operators:
        if isinstance(op, Attention):
            _check(op, graph, spec)
    return SwatMapped(
        graph=graph,
        operators=_units(graph, spec),
        placement=InHbm(weights={op.name: op.weight_bytes for op in graph.operators if op.weight_bytes}),
        context=workload.run.last_step(workload.model).context,
        batch=workload.run.batch,
    )


def _units(graph: OperatorGraph, spec: SwatSpec) -> tuple[MappedOperator, ...]:
    if spec.companion != "none":
        unit_of = {**dict.fromkeys(UNIT_OF, COMPANION), **dict.fromkeys(KINDS, PIPELINES)}
        return assign_units(graph, unit_of, machine=spec.name)
    return tuple(MappedOperator(operator=op, unit=_alone(op)) for op in graph.operators)


def _alone(op: Any) -> str:
    return VIEW if op.is_view else PIPELINES if isinstance(op, Attention) else LEFT_OUT


def _check(op: Attention, graph: OperatorGraph, spec: SwatSpec) -> None:
    where = f"{spec.name}: {op.name}"
    if op.d_k != op.d_v:
        raise MachineError(
            f"{where}: a core holds a key and a value of one size, not of {op.d_k} and {op.d_v} elements"
        )
    if op.d_k > spec.head_dim:
        raise MachineError(
            f"{where}: heads have {op.d_k} elements, cores hold {spec.head_dim}; --set head_dim={op.d_k} widens them"
        )
    if op.softcap is not None:
        raise MachineError(f"{where}: has no unit that caps scores at {op.softcap:g}")
    if op.shares_scores:
        raise MachineError(f"{where}: scores do not leave the cores, so another operator cannot share them")
    for name in op.inputs:
        fmt = graph.tensor(name).fmt
        if str(fmt) != spec.format:
            own = f"--set format={fmt} or " if str(fmt) in FORMATS else ""
            raise MachineError(
                f"{where}: {name} is {fmt}, the cores compute in {spec.format}; "
                f"{own}--set workload.format={spec.format} makes them agree"
            )
