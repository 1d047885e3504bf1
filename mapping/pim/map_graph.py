"""From an operator graph to a PIM target: split attention, choose units, place weights and cache."""

from __future__ import annotations

from collections.abc import Mapping

from hwsim.mapping.errors import MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import MappedGraph, MappedOperator, assign_units
from hwsim.mapping.operators import Linear, Operator
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.pim.capacity import longest_that_fits, place_within
from hwsim.mapping.pim.checks import CacheOf, check_format, find_caches
from hwsim.mapping.pim.placement import CachePlacement, MatrixPlacement, Placement
from hwsim.mapping.pim.target import PimTarget

# The unit that executes an operator kind.
UNIT_OF: Mapping[str, str] = {
    "linear": "pim",
    "kv_cache": "pim",
    "attention_scores": "pim",
    "attention_values": "pim",
    "softmax": "asic",
    "norm": "asic",
    "rmsnorm": "asic",
    "head_norm": "asic",
    "rope": "asic",
    "act": "asic",
    "glu": "asic",
    "eltwise": "asic",
    "embed": "host",
    "collective": "link",
}

PimMapped = MappedGraph[Placement]


def map_graph(
    graph: OperatorGraph, target: PimTarget, *, context: int, batch: int, on_host: frozenset[str] = frozenset()
) -> PimMapped:
    """Map a graph to a PIM target.

    Parameters
    ----------
    context, batch : tokens per sequence, and sequences, that the cache must hold
    on_host : roles of operators that the host executes instead

    Raises
    ------
    MappingError : an operator that the target cannot execute; as CapacityError, weights and cache that do not fit
    """
    split = split_attention(graph)
    operators = tuple(
        MappedOperator(operator=mapped.operator, unit="host") if mapped.operator.role in on_host else mapped
        for mapped in assign_units(split, UNIT_OF, machine=target.machine)
    )
    caches = find_caches(split, target.machine)
    placement = place_within(
        graph.name, lambda tokens: _place(operators, caches, target, tokens, batch), context=context, batch=batch
    )
    placement.verify()
    return MappedGraph(graph=split, operators=operators, placement=placement, context=context, batch=batch)


def longest_context(mapped: PimMapped) -> int:
    """Longest context, in tokens, whose cache fits in addition to the weights; 0 if not even one token does."""
    target = mapped.placement.target
    caches = find_caches(mapped.graph, target.machine)
    return longest_that_fits(lambda tokens: _place(mapped.operators, caches, target, tokens, mapped.batch))


def _place(
    operators: tuple[MappedOperator, ...], of: Mapping[str, CacheOf], target: PimTarget, context: int, batch: int
) -> Placement:
    """Give each matrix and cache its rows, one after the other in the order of execution."""
    matrices: dict[str, MatrixPlacement] = {}
    caches: dict[str, CachePlacement] = {}
    row = 0
    for mapped in operators:
        op = mapped.operator
        if mapped.unit != "pim":
            continue
        check_format(op, target)
        if isinstance(op, Linear):
            matrices[op.name] = MatrixPlacement.place(op.name, op.d_in, op.d_out, row, target)
            row += matrices[op.name].rows
        elif op.name in of:
            caches[op.name] = _place_cache(op, of[op.name], target, context, batch, row)
            row += caches[op.name].rows
    return Placement(target=target, matrices=matrices, caches=caches)


def _place_cache(op: Operator, of: CacheOf, target: PimTarget, context: int, batch: int, row: int) -> CachePlacement:
    if of.cache.d_k != of.cache.d_v:
        raise MappingError(
            f"{target.machine}: {op.name}: keys of {of.cache.d_k} and values of {of.cache.d_v} elements a head; "
            "it maps those of one size alone"
        )
    return CachePlacement(
        operator=op.name, heads=of.cache.kv_heads, group=of.heads // of.cache.kv_heads, head_dim=of.cache.d_k,
        context=context, batch=batch, base_row=row, target=target,
    )  # fmt: skip
