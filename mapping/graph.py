"""The operator graph: typed operators, the tensors between them, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hwsim.mapping.errors import GraphError
from hwsim.mapping.operators import OPERATORS, KvCache, Operator, Slice, Table, Tensor
from hwsim.mapping.step import Step
from hwsim.mapping.traffic import Traffic, operator_traffic


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Work of all operators in one step; tables that operators share count once."""

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
    GraphError : a name that is missing or given twice, operators that depend on each other in a circle, a shape or
        format that an operator cannot take, a table with two shapes
    """

    def __init__(self, *, name: str, inputs: Iterable[Tensor], operators: Iterable[Operator]) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.operators = tuple(operators)
        self._tensors: dict[str, Tensor] = {}
        self._operators: dict[str, Operator] = {}
        self._readers: dict[str, list[str]] = {}
        self.verify()

    def verify(self) -> None:
        """Infer every tensor anew and check all connections."""
        self._tensors = {tensor.name: tensor for tensor in self.inputs}
        self._operators = {}
        self._readers = {}
        for op in self.operators:
            if OPERATORS.get(op.kind) is not type(op):
                raise GraphError(f"{op.name}: unknown operator kind {op.kind!r}")
            if op.name in self._tensors:
                raise GraphError(f"{op.name}: two operators or inputs have this name")
            missing = [name for name in op.inputs if name not in self._tensors]
            if missing:
                raise GraphError(f"{op.name}: reads {missing[0]!r}, {self._why_missing(op, missing[0])}")
            self._tensors[op.name] = op.infer(tuple(self._tensors[name] for name in op.inputs))
            self._operators[op.name] = op
            for name in dict.fromkeys(op.inputs):
                self._readers.setdefault(name, []).append(op.name)
        self._check_tables()

    def operator(self, name: str) -> Operator:
        """The operator of a name."""
        return self._operators[name]

    def tensor(self, name: str) -> Tensor:
        """The tensor that an operator makes, or an input of the graph."""
        return self._tensors[name]

    def readers(self, name: str) -> tuple[str, ...]:
        """Operators that read a tensor."""
        return tuple(self._readers.get(name, ()))

    def origin(self, name: str) -> str:
        """The operator or input that a tensor is a part of: `name` itself unless it is a slice."""
        op = self._operators.get(name)
        return self.origin(op.inputs[0]) if isinstance(op, Slice) else name

    @property
    def tables(self) -> tuple[Table, ...]:
        """Learned parameters of all operators, those that several share once."""
        found: dict[str, Table] = {}
        for op in self.operators:
            for table in op.tables:
                found.setdefault(table.identity, table)
        return tuple(found.values())

    @property
    def parameters(self) -> int:
        """Number of learned parameters, those that operators share once."""
        return sum(table.elements for table in self.tables)

    def lies_in_cache(self, name: str) -> bool:
        """Whether a tensor is a cache or a part of one."""
        return isinstance(self._operators.get(self.origin(name)), KvCache)

    def traffic(self, step: Step) -> Traffic:
        """Bytes that all operators read and write in one step."""
        return sum((operator_traffic(self, op, step) for op in self.operators), Traffic())

    def totals(self, step: Step) -> Totals:
        """Work of one step over all operators."""
        return Totals(
            macs=sum(op.macs(step) for op in self.operators),
            element_ops=sum(op.element_ops(step) for op in self.operators),
            special_functions=sum(op.special_functions(step) for op in self.operators),
            weight_bytes=sum(table.bytes for table in self.tables),
            state_bytes=sum(op.state_bytes(step) for op in self.operators),
        )

    def dump(self, step: Step) -> str:
        """Stable text: a line an operator with its output, parameters and work in `step`."""
        load = f", task {step.task}, routing {step.load}" if step.load else ""
        lines = [f"graph {self.name}: {len(self.operators)} operators, step of {step.tokens} at {step.context}{load}"]
        lines += [f"input {tensor}" for tensor in self.inputs]
        for op in self.operators:
            made, state = self.tensor(op.name).bytes(step), op.state_bytes(step)
            work = f"macs {op.macs(step)} bytes {made} weights {op.weight_bytes} B"
            work += f" state {state} B" if state else ""
            line = f"{op.kind} {self.tensor(op.name)} <- {', '.join(op.inputs)}; {op.describe()}; "
            lines.append(line + ("view" if op.is_view else work))
        totals = self.totals(step)
        lines.append(
            f"total macs {totals.macs} element_ops {totals.element_ops} "
            f"special_functions {totals.special_functions} "
            f"weights {totals.weight_bytes} B state {totals.state_bytes} B"
        )
        known = step.load is None or step.load.known
        lines.append(f"traffic {self.traffic(step) if known else 'depends on activations'}")
        return "\n".join(lines)

    def _why_missing(self, op: Operator, name: str) -> str:
        """Why an input is not there yet: nothing makes it, it comes later, or it depends on this operator."""
        import networkx as nx  # it takes long to load, and right graphs do without

        edges = [(source, other.name) for other in self.operators for source in other.inputs]
        wiring: nx.DiGraph[str] = nx.DiGraph(edges)
        if name == op.name or nx.has_path(wiring, op.name, name):
            circle = [*nx.shortest_path(wiring, op.name, name), op.name] if name != op.name else [name, name]
            return f"which depends on it: {' -> '.join(circle)} is a circle"
        if any(other.name == name for other in self.operators):
            return "which is made only after it"
        return "which nothing before it makes"

    def _check_tables(self) -> None:
        found: dict[str, tuple[Table, str]] = {}
        for op in self.operators:
            for table in op.tables:
                first, owner = found.setdefault(table.identity, (table, op.name))
                if first != table:
                    raise GraphError(
                        f"{op.name}: shares the table {table.identity!r} with {owner}, which has it as {first.rows} x "
                        f"{first.columns} {first.fmt}, expected {table.rows} x {table.columns} {table.fmt}"
                    )
