"""Number formats of a graph's operands, and the conversions that they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hwsim.mapping.errors import GraphError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Attention, Embed, KvCache, Matrices, Operator, Slice, Tensor
from hwsim.mapping.operators.convert import conversion
from hwsim.mapping.scheme import Scheme


def quantise(graph: OperatorGraph, scheme: Scheme) -> OperatorGraph:
    """Give operands the formats of a scheme, and conversions to the edges that need them.

    Where a tensor then meets an operator that expects another format, a `quantise` or `dequantise` comes between, one
    for all that read it so. A vocabulary projection that shares the embedding's table keeps that table's format.

    Raises
    ------
    GraphError : a format that no operand of the graph has
    """
    _check_uses(graph, scheme)
    looked_up = {table.identity for op in graph.operators if isinstance(op, Embed) for table in op.tables}
    operators = (_with_formats(op, graph, scheme, looked_up) for op in graph.operators)
    return OperatorGraph(name=graph.name, inputs=graph.inputs, operators=convert_edges(operators, graph.inputs))


def _check_uses(graph: OperatorGraph, scheme: Scheme) -> None:
    """Check that each format of a scheme is that of some operand."""
    matrices = [op for op in graph.operators if isinstance(op, Matrices)]
    biased = [op for op in matrices if op.has_biases]
    caches = [op for op in graph.operators if isinstance(op, KvCache)]
    uses = (
        ("weight_format", scheme.weights, matrices, "matrices"),
        ("bias_format", scheme.biases, biased, "matrices with biases"),
        ("input_format", scheme.inputs, matrices, "matrices"),
        ("accumulator_format", scheme.accumulator, matrices, "matrices"),
        ("cache_format", scheme.cache, caches, "caches of keys and values"),
    )
    for field, fmt, operators, what in uses:
        if fmt is not None and not operators:
            raise GraphError(f"{graph.name}: {field} {fmt} goes with {what}, of which the graph has none")


def convert_edges(operators: Iterable[Operator], inputs: Iterable[Tensor]) -> list[Operator]:
    """Operators in order, with a conversion before each whose inputs are in another format than it expects.

    Parameters
    ----------
    inputs : tensors that come from outside
    """
    tensors = {tensor.name: tensor for tensor in inputs}
    made: list[Operator] = []
    for op in operators:
        if isinstance(op, Embed):  # token numbers are no values to convert
            sources = list(op.inputs)
        else:
            sources = [_in_format(op, index, tensors, made) for index in range(len(op.inputs))]
        connected = replace(op, inputs=tuple(sources))
        tensors[op.name] = connected.infer(tuple(tensors[name] for name in sources))
        made.append(connected)
    return made


def _in_format(op: Operator, index: int, tensors: dict[str, Tensor], made: list[Operator]) -> str:
    """The name of an operator's input in the format that it expects, converted if need be."""
    x, expected = tensors[op.inputs[index]], op.input_fmt(index)
    if x.fmt == expected:
        return x.name
    name = f"{x.name}.{expected}"
    if name not in tensors:
        converted = conversion(name, x, expected, layer=op.layer)
        made.append(converted)
        tensors[name] = converted.infer((x,))
    return name


def _with_formats(op: Operator, graph: OperatorGraph, scheme: Scheme, looked_up: set[str]) -> Operator:
    """An operator with the formats of its own operands as a scheme has them.

    Parameters
    ----------
    looked_up : tables of embeddings; a matrix that shares one keeps its format
    """
    match op:
        case Matrices():
            inputs = tuple(op.input_fmt(index) for index in range(len(op.inputs)))
            shared = any(table.identity in looked_up for table in op.tables)
            return replace(
                op,
                input_fmts=(scheme.inputs or inputs[0], *inputs[1:]),
                weight_fmt=op.weight_fmt if shared else scheme.weights or op.weight_fmt,
                bias_fmt=scheme.biases if scheme.biases and op.has_biases else op.bias_fmt,
                accumulator=scheme.accumulator or op.accumulator,
            )
        case KvCache() if scheme.cache:
            return replace(op, fmt=scheme.cache)
        case Slice() if scheme.cache and graph.lies_in_cache(op.name):
            return replace(op, fmt=scheme.cache)
        case Attention() if scheme.cache and not op.shares_scores:
            inputs = tuple(op.input_fmt(index) for index in range(3))
            cached = [graph.lies_in_cache(name) for name in op.inputs]
            return replace(op, input_fmts=tuple(scheme.cache if kept else fmt for kept, fmt in zip(cached, inputs)))
        case _:
            return op
