"""Which heads of attention a workload has, those that are alike together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt

from hwsim.errors import MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Attention
from hwsim.mapping.operators.relative_bias import RelativeBias
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head of attention.

    Attributes
    ----------
    pattern : of this head alone
    queries, keys : of a sequence
    d_k, d_v : elements of a query and key, and of a value
    scale : factor of the scores
    bias : what is added to the scores by the places of query and key, if anything is
    """

    pattern: Pattern
    queries: int
    keys: int
    d_k: int
    d_v: int
    scale: float
    bias: RelativeBias | None = None


@dataclass(frozen=True, kw_only=True)
class AlikeHeads:
    """A head, the operators that have such heads, and how many all of them have together."""

    head: Head
    operators: tuple[str, ...]
    heads: int


def heads_of(graph: OperatorGraph, step: Step) -> list[AlikeHeads]:
    """The heads of all attention operators of a graph, in the order of their first appearance.

    Raises
    ------
    MappingError : an operator that is not softmax(scale Q K^T + bias) V
    """
    found: dict[Head, AlikeHeads] = {}
    for op in graph.operators:
        if isinstance(op, Attention):
            for head, count in _of_operator(op, step):
                known = found.get(head, AlikeHeads(head=head, operators=(), heads=0))
                found[head] = replace(known, operators=(*known.operators, op.name), heads=known.heads + count)
    return list(found.values())


def _of_operator(op: Attention, step: Step) -> Iterator[tuple[Head, int]]:
    """Heads of one operator that differ in their patterns, and how many there are of each."""
    for given, what in ((op.softcap, "capped scores"), (op.shares_scores, "the softmax of another attention")):
        if given:
            raise MappingError(f"{op.name}: a verification of attention on cores does not know {what}")
    queries, keys = op.sizes(step)
    different = min(op.heads, op.pattern.heads_period)
    for number in range(different):
        head = Head(
            pattern=op.pattern.of_head(number),
            queries=queries,
            keys=keys,
            d_k=op.d_k,
            d_v=op.d_v,
            scale=1 / sqrt(op.d_k) if op.scale is None else op.scale,
            bias=op.relative_bias,
        )
        yield head, len(range(number, op.heads, different))
