"""From an operator graph to a memory whose instructions address rows: units, rows, and whether everything fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import MappedGraph, MappedOperator, assign_units
from hwsim.mapping.operators import Linear
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.pim.capacity import longest_that_fits, place_within
from hwsim.mapping.pim.checks import CacheOf, check_format, find_caches
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.pim.target import BankGeometry

MEMORY_KINDS = ("linear", "kv_cache", "attention_scores", "attention_values")


@dataclass(frozen=True, kw_only=True)
class RowPlacement:
    """Everything that lies in the memory, by operator."""

    target: BankGeometry
    matrices: Mapping[str, RowMatrix]
    caches: Mapping[str, RowCache]

    @property
    def weight_rows(self) -> int:
        return sum(matrix.rows for matrix in self.matrices.values())

    @property
    def cache_rows(self) -> int:
        return sum(cache.rows for cache in self.caches.values())

    @property
    def rows(self) -> int:
        """Rows in use, in every bank."""
        return self.weight_rows + self.cache_rows

    @property
    def padding_bytes(self) -> int:
        """Bytes of the weights' rows that hold no weight."""
        held = sum(matrix.d_in * matrix.d_out for matrix in self.matrices.values())
        elements = self.weight_rows * self.target.all_banks * self.target.row_elements - held
        return elements * self.target.fmt.bits // 8

    def heading(self) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        target = self.target
        return f"{target.channels} channels x {target.banks} banks, {self.rows} of {target.rows} rows a bank"

    def places(self, operator: str) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        if operator in self.matrices:
            matrix = self.matrices[operator]
            chunks = " + ".join(map(str, matrix.chunks))
            last = matrix.base_row + matrix.rows - 1
            return f"rows {matrix.base_row}..{last}, inputs {chunks}, {matrix.slots} outputs a bank"
        if operator in self.caches:
            cache = self.caches[operator]
            last = cache.base_row + cache.rows - 1
            return f"rows {cache.base_row}..{last}, K {cache.k_rows}, V {cache.places * cache.parts}"
        return ""


RowMapped = MappedGraph[RowPlacement]


def map_rows(
    graph: OperatorGraph, target: BankGeometry, *, context: int, batch: int, unit_of: Mapping[str, str]
) -> RowMapped:
    """Map a graph to a memory whose instructions address rows.

    Parameters
    ----------
    context, batch : tokens per sequence, and sequences, that the cache must hold
    unit_of : the unit of each operator kind; kinds in `MEMORY_KINDS` compute in the banks

    Raises
    ------
    MappingError : an operator that the machine cannot execute, another number format than the banks'; as CapacityError,
        weights and cache that do not fit
    """
    split = split_attention(graph)
    operators = assign_units(split, unit_of, machine=target.machine)
    caches = find_caches(split, target.machine)
    placement = place_within(
        graph.name, lambda tokens: _place(operators, caches, target, tokens, batch), context=context, batch=batch
    )
    return MappedGraph(graph=split, operators=operators, placement=placement, context=context, batch=batch)


def longest_context(mapped: RowMapped) -> int:
    """Longest context, in tokens, whose cache fits in addition to the weights; 0 if not even one token does."""
    target = mapped.placement.target
    caches = find_caches(mapped.graph, target.machine)
    return longest_that_fits(lambda tokens: _place(mapped.operators, caches, target, tokens, mapped.batch))


def _place(
    operators: tuple[MappedOperator, ...], of: Mapping[str, CacheOf], target: BankGeometry, context: int, batch: int
) -> RowPlacement:
    """Give each matrix and cache its rows, one after the other in the order of execution."""
    matrices: dict[str, RowMatrix] = {}
    caches: dict[str, RowCache] = {}
    row = 0
    for mapped in operators:
        op = mapped.operator
        if op.kind not in MEMORY_KINDS:
            continue
        check_format(op, target)
        if isinstance(op, Linear):
            matrices[op.name] = RowMatrix(operator=op.name, d_in=op.d_in, d_out=op.d_out, base_row=row, target=target)
            row += matrices[op.name].rows
        elif op.name in of:
            cache = of[op.name].cache
            caches[op.name] = RowCache(
                operator=op.name, heads=of[op.name].heads, kv_heads=cache.kv_heads, d_k=cache.d_k, d_v=cache.d_v,
                context=context, batch=batch, base_row=row, target=target,
            )  # fmt: skip
            row += caches[op.name].rows
    return RowPlacement(target=target, matrices=matrices, caches=caches)
