"""A graph mapped to a machine: each operator with the unit that carries it out, and what lies where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hwsim.mapping.errors import MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Operator
from hwsim.mapping.step import Step

# The unit of operators that only name a part of what lies there already.
VIEW = "view"


class Placement(Protocol):
    """What a machine's memories hold."""

    def heading(self) -> str:
        """How much they hold, in a few words."""

    def places(self, operator: str) -> str:
        """Where the weights or the state of an operator lie; empty where it has none."""


PlacementT = TypeVar("PlacementT", bound=Placement)


@dataclass(frozen=True, kw_only=True)
class MappedOperator:
    """An operator with the unit that carries it out."""

    operator: Operator
    unit: str


@dataclass(frozen=True, kw_only=True)
class MappedGraph(Generic[PlacementT]):
    """Operators in order of execution, with units and places.

    `context` and `batch` are what space was reserved for.
    """

    graph: OperatorGraph
    operators: tuple[MappedOperator, ...]
    placement: PlacementT
    context: int
    batch: int

    def dump(self, step: Step) -> str:
        """Stable text: a line an operator with its unit and its places."""
        reserved = f"reserved for {self.context} tokens x {self.batch}"
        lines = [f"mapped {self.graph.name}: {self.placement.heading()}, {reserved}"]
        for mapped in self.operators:
            op = mapped.operator
            line = f"{mapped.unit:4} {op.kind} {self.graph.tensor(op.name)}; macs {op.macs(step)}"
            places = self.placement.places(op.name)
            lines.append(f"{line}; {places}" if places else line)
        return "\n".join(lines)


def assign_units(graph: OperatorGraph, unit_of: Mapping[str, str], *, machine: str) -> tuple[MappedOperator, ...]:
    """Each operator of a graph with its unit.

    Parameters
    ----------
    unit_of : the unit of each operator kind that the machine can carry out; views need none

    Raises
    ------
    MappingError : an operator of a kind that the machine has no unit for; names the machine and what it can run
    """
    return tuple(MappedOperator(operator=op, unit=_unit(op, unit_of, machine)) for op in graph.operators)


def _unit(op: Operator, unit_of: Mapping[str, str], machine: str) -> str:
    if op.is_view:
        return VIEW
    if op.kind not in unit_of:
        raise MappingError(f"{machine}: {op.name}: has no unit for {op.kind}; it runs {', '.join(sorted(unit_of))}")
    return unit_of[op.kind]
