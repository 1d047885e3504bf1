"""The operator graph: typed operators, the tensors between them, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators import OPERATORS, Operator, Tensor
from hwsim.mapping.workload import Step


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Work of all operators in one step."""

    macs: int
    element_ops: int
    special_functions: int
    weight_bytes: int
    state_bytes: int


class OperatorGraph:
    """Operators in an order of execution, checked on construction.

    Parameters
    ----------
    inputs : tensors that come from outside
    operators : each may read the inputs and the operators before it

    Raises
    ------
    GraphError : a name that is missing or given twice, a shape or format that an operator cannot take
    """

    def __init__(self, *, name: str, inputs: Iterable[Tensor], operators: Iterable[Operator]) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.operators = tuple(operators)
        self._tensors: dict[str, Tensor] = {}
        self._graph: nx.DiGraph[str] = nx.DiGraph()
        self.verify()

    def verify(self) -> None:
        """Infer every tensor anew and check all connections."""
        self._tensors = {tensor.name: tensor for tensor in self.inputs}
        self._graph = nx.DiGraph()
        for op in self.operators:
            if OPERATORS.get(op.kind) is not type(op):
                raise GraphError(f"{op.name}: unknown operator kind {op.kind!r}")
            if op.name in self._tensors:
                raise GraphError(f"{op.name}: two operators or inputs have this name")
            missing = [name for name in op.inputs if name not in self._tensors]
            if missing:
                raise GraphError(f"{op.name}: reads {missing[0]!r}, which nothing before it makes")
            self._tensors[op.name] = op.infer(tuple(self._tensors[name] for name in op.inputs))
            self._graph.add_node(op.name)
            self._graph.add_edges_from((name, op.name) for name in op.inputs)
        if not nx.is_directed_acyclic_graph(self._graph):
            raise GraphError(f"{self.name}: operators depend on each other in a circle")

    def tensor(self, name: str) -> Tensor:
        """The tensor that an operator makes, or an input of the graph."""
        return self._tensors[name]

    def readers(self, name: str) -> tuple[str, ...]:
        """Operators that read a tensor."""
        return tuple(self._graph.successors(name)) if name in self._graph else ()

    def totals(self, step: Step) -> Totals:
        """Work of one step over all operators."""
        return Totals(
            macs=sum(op.macs(step) for op in self.operators),
            element_ops=sum(op.element_ops(step) for op in self.operators),
            special_functions=sum(op.special_functions(step) for op in self.operators),
            weight_bytes=sum(op.weight_bytes for op in self.operators),
            state_bytes=sum(op.state_bytes(step) for op in self.operators),
        )

    def dump(self, step: Step) -> str:
        """Stable text: a line an operator with its output, parameters and work in `step`."""
        lines = [f"graph {self.name}: {len(self.operators)} operators, step of {step.tokens} at {step.context}"]
        lines += [f"input {tensor}" for tensor in self.inputs]
        for op in self.operators:
            made, state = self.tensor(op.name).bytes(step), op.state_bytes(step)
            work = f"macs {op.macs(step)} bytes {made} weights {op.weight_bytes} B"
            work += f" state {state} B" if state else ""
            lines.append(f"{op.kind} {self.tensor(op.name)} <- {', '.join(op.inputs)}; {op.describe()}; {work}")
        totals = self.totals(step)
        lines.append(
            f"total macs {totals.macs} element_ops {totals.element_ops} "
            f"weights {totals.weight_bytes} B state {totals.state_bytes} B"
        )
        return "\n".join(lines)
