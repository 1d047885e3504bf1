"""From an operator graph to the machine: a unit for each operator, places for parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.m3vit.programs import M3vitMapped
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.machines.m3vit.weights import map_weights
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import assign_units
from hwsim.mapping.operators import Act, ExpertFfn, Operator, Route
from hwsim.mapping.workload.workload import Workload

UNIT_OF: Mapping[str, str] = {
    "patch_embed": "engine",
    "linear": "engine",
    "attention": "engine",
    "expert_ffn": "engine",
    "norm": "norm",
    "act": "gelu",
    "route": "gate",
    "eltwise": "adder",
}
FUNCTIONS = ("gelu", "gelu_erf")


def map_graph(graph: OperatorGraph, workload: Workload[Any, Any], spec: M3vitSpec) -> M3vitMapped:
    """Choose units and places.

    Raises
    ------
    MachineError : an activation function or a gate that the units do not have, parameters that find no place
    MappingError : an operator without a unit
    """
    operators = assign_units(graph, UNIT_OF, machine=spec.name)
    for op in graph.operators:
        _check(op, spec.name)
    return M3vitMapped(
        graph=graph,
        operators=operators,
        placement=map_weights(graph, spec),
        context=workload.model.tokens,
        batch=workload.run.batch,
    )


def _check(op: Operator, machine: str) -> None:
    match op:
        case Act() | ExpertFfn() if op.function not in FUNCTIONS:
            raise MachineError(f"{machine}: {op.name}: has no unit for {op.function}; it has {', '.join(FUNCTIONS)}")
        case Route() if op.score != "softmax" or op.renormalise or op.bias:
            raise MachineError(
                f"{machine}: {op.name}: its gate takes the best of a softmax over all experts, not {op.describe()}"
            )
        case _:
            return
