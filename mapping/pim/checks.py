"""Checks of what a memory that computes can execute, and which attention reads which cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.mapping.errors import MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import AttentionScores, AttentionValues, KvCache, Linear, Operator
from hwsim.mapping.patterns import Causal, Full, Window
from hwsim.mapping.pim.target import BankGeometry


@dataclass(frozen=True, kw_only=True)
class CacheOf:
    """A cache and the attention that reads it.

    Attributes
    ----------
    heads : heads of queries
    """

    cache: KvCache
    heads: int


def find_caches(graph: OperatorGraph, machine: str) -> Mapping[str, CacheOf]:
    """The caches of a graph whose attention is split, by name.

    Raises
    ------
    MappingError : attention whose keys or values are not in a cache, a pattern or a cap that no unit supports, a cache
        that nothing reads
    """
    found: dict[str, CacheOf] = {}
    caches = {op.name: op for op in graph.operators if isinstance(op, KvCache)}
    for op in graph.operators:
        if isinstance(op, AttentionScores | AttentionValues):
            cache = caches.get(graph.origin(op.inputs[1])) if op.keys == "context" else None
            if cache is None:
                read = "keys" if isinstance(op, AttentionScores) else "values"
                raise MappingError(
                    f"{machine}: {op.name}: runs attention over a cache in its banks alone; these {read} are in none"
                )
            if isinstance(op, AttentionScores):
                _check_scores(op, machine)
                found[cache.name] = CacheOf(cache=cache, heads=op.heads)
    unread = [name for name in caches if name not in found]
    if unread:
        raise MappingError(f"{machine}: {unread[0]}: a cache that no attention reads")
    return found


def _check_scores(op: AttentionScores, machine: str) -> None:
    if not isinstance(op.pattern, Causal | Full | Window):
        raise MappingError(
            f"{machine}: {op.name}: sweeps one range of keys a query (full, causal, window), got {op.pattern}"
        )
    if op.softcap:
        raise MappingError(f"{machine}: {op.name}: has no unit that caps scores (softcap {op.softcap:g})")


def check_format(op: Operator, target: BankGeometry) -> None:
    """Check that an operator computes in the banks' format.

    Raises
    ------
    MappingError : names the operand that has another format
    """
    formats = {"results": op.fmt, **{f"input {index}": fmt for index, fmt in enumerate(op.input_fmts or ())}}
    if isinstance(op, Linear):
        formats |= {"weights": op.weight_fmt or op.fmt, "bias": op.bias_fmt or op.fmt}
        formats |= {"the accumulator": op.accumulator} if op.accumulator else {}
    for operand, fmt in formats.items():
        if fmt != target.fmt:
            raise MappingError(
                f"{op.name}: format {fmt} of {operand}, but the banks of {target.machine} compute in {target.fmt}"
            )
