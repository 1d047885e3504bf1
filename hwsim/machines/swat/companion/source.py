"""Where the rows lie that an operator reads: a tensor, or a part of one that a view names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.streams import Rows
from hwsim.mapping.formats import stored_bytes
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Operator, Slice, Take
from hwsim.mapping.step import Step


def rows_of(name: str, graph: OperatorGraph, step: Step) -> Rows:
    """The rows of a tensor by its name, in the tensor that is really there.

    Raises
    ------
    MachineError : a view of a part of a view that picks rows already
    """
    if any(tensor.name == name for tensor in graph.inputs):
        return _whole(name, graph)
    match graph.operator(name):
        case Slice(first=first, width=width) as op:
            whole = rows_of(op.inputs[0], graph, step)
            before = stored_bytes(op.fmt, 1, first)
            return replace(whole, row_bytes=stored_bytes(op.fmt, 1, width), first_byte=whole.first_byte + before)
        case Take() as op:
            return _taken(op, rows_of(op.inputs[0], graph, step), step)
        case _:
            return _whole(name, graph)


def is_read_after(op: Operator, name: str, graph: OperatorGraph) -> bool:
    """Whether an operator after `op` reads a tensor or a view of it."""
    order = [each.name for each in graph.operators]
    later = set(order[order.index(op.name) + 1 :])
    return bool(later & set(_readers(name, graph)))


def _readers(name: str, graph: OperatorGraph) -> Iterator[str]:
    """Operators that read a tensor, by way of views too."""
    for reader in graph.readers(name):
        if graph.operator(reader).is_view:
            yield from _readers(reader, graph)
        else:
            yield reader


def _taken(op: Take, whole: Rows, step: Step) -> Rows:
    """The first or last rows of each sequence."""
    if whole.group:
        raise MachineError(f"{op.name}: takes rows of {op.inputs[0]}, which takes rows itself")
    count = op.count or 1
    begin = 0 if op.which == "first" else step.queries - 1 - (count - 1) * op.stride
    return replace(whole, group=count, every=step.queries, begin=begin, apart=op.stride)


def _whole(name: str, graph: OperatorGraph) -> Rows:
    tensor = graph.tensor(name)
    width = prod(size for size in tensor.shape[1:] if isinstance(size, int))
    size = stored_bytes(tensor.fmt, 1, width)
    return Rows(row_bytes=size, stride_bytes=size)
