"""From an operator graph to a memory whose instructions address rows: units, rows, and whether all of it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.mapping.errors import CapacityError, MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import KvCache, Linear, Operator
from hwsim.mapping.pim.map_graph import split_attention
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.pim.target import BankGeometry
from hwsim.mapping.workload import Step

MEMORY_KINDS = ("linear", "kv_cache", "attention_scores", "attention_values")


@dataclass(frozen=True, kw_only=True)
class RowMappedOperator:
    """An operator with the unit that carries it out: the memory's banks or the host."""

    operator: Operator
    in_memory: bool


@dataclass(frozen=True, kw_only=True)
class RowMappedGraph:
    """Operators in order of execution, with units and rows; `context` and `batch` are what space was reserved for."""

    graph: OperatorGraph
    operators: tuple[RowMappedOperator, ...]
    matrices: Mapping[str, RowMatrix]
    caches: Mapping[str, RowCache]
    target: BankGeometry
    context: int
    batch: int

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
    def padding_elements(self) -> int:
        """Elements of the weights' rows that hold no weight."""
        held = sum(matrix.d_in * matrix.d_out for matrix in self.matrices.values())
        return self.weight_rows * self.target.all_banks * self.target.row_elements - held

    def dump(self, step: Step) -> str:
        """Stable text: a line an operator with its unit and its rows."""
        target = self.target
        lines = [
            f"mapped {self.graph.name}: {target.channels} channels x {target.banks} banks, "
            f"{self.rows} of {target.rows} rows a bank, reserved for {self.context} tokens x {self.batch}"
        ]
        for mapped in self.operators:
            op = mapped.operator
            unit = "aim " if mapped.in_memory else "host"
            line = f"{unit} {op.kind} {self.graph.tensor(op.name)}; macs {op.macs(step)}"
            if op.name in self.matrices:
                matrix = self.matrices[op.name]
                chunks = " + ".join(map(str, matrix.chunks))
                line += f"; rows {matrix.base_row}..{matrix.base_row + matrix.rows - 1}, inputs {chunks}, "
                line += f"{matrix.slots} outputs a bank"
            if op.name in self.caches:
                cache = self.caches[op.name]
                last = cache.base_row + cache.rows - 1
                line += f"; rows {cache.base_row}..{last}, K {cache.k_rows}, V {cache.places * cache.parts}"
            lines.append(line)
        return "\n".join(lines)


def map_rows(
    graph: OperatorGraph, target: BankGeometry, *, context: int, batch: int, on_host: frozenset[str] = frozenset()
) -> RowMappedGraph:
    """Map a graph to a memory whose instructions address rows.

    Parameters
    ----------
    context, batch : tokens a sequence and sequences that the cache must hold
    on_host : operators that the host carries out although the memory could

    Raises
    ------
    MappingError : another number format than the banks'; as CapacityError, weights and cache that do not fit
    """
    split = split_attention(graph)
    operators = tuple(
        RowMappedOperator(operator=op, in_memory=op.kind in MEMORY_KINDS and op.name not in on_host)
        for op in split.operators
    )
    mapped = _place(split, operators, target, context, batch)
    if mapped.rows > target.rows:
        raise CapacityError(_does_not_fit(mapped))
    return mapped


def longest_context(mapped: RowMappedGraph) -> int:
    """Longest context, in tokens, whose cache fits beside the weights; 0 if not even one token does."""
    low, high = 0, mapped.target.rows * mapped.target.all_banks * mapped.target.row_elements
    while low < high:
        middle = (low + high + 1) // 2
        fits = _place(mapped.graph, mapped.operators, mapped.target, middle, mapped.batch).rows <= mapped.target.rows
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _place(
    graph: OperatorGraph, operators: tuple[RowMappedOperator, ...], target: BankGeometry, context: int, batch: int
) -> RowMappedGraph:
    """Give each matrix and cache its rows, one behind the other in the order of execution."""
    matrices: dict[str, RowMatrix] = {}
    caches: dict[str, RowCache] = {}
    row = 0
    for mapped in operators:
        op = mapped.operator
        if not mapped.in_memory:
            continue
        if op.fmt != target.fmt:
            raise MappingError(f"{op.name}: format {op.fmt}, but the banks compute in {target.fmt}")
        if isinstance(op, Linear):
            matrices[op.name] = RowMatrix(operator=op.name, d_in=op.d_in, d_out=op.d_out, base_row=row, target=target)
            row += matrices[op.name].rows
        elif isinstance(op, KvCache):
            caches[op.name] = RowCache(
                operator=op.name, heads=op.heads, kv_heads=op.kv_heads, d_k=op.d_k, d_v=op.d_v, context=context,
                batch=batch, base_row=row, target=target,
            )  # fmt: skip
            row += caches[op.name].rows
    return RowMappedGraph(
        graph=graph, operators=operators, matrices=matrices, caches=caches, target=target, context=context, batch=batch
    )


def _does_not_fit(mapped: RowMappedGraph) -> str:
    mib = mapped.target.row_bytes_everywhere / 2**20
    need = (
        f"{mapped.graph.name}: weights need {mapped.weight_rows * mib:.1f} MiB and the cache of {mapped.context} "
        f"tokens x {mapped.batch} needs {mapped.cache_rows * mib:.1f} MiB of {mapped.target.rows * mib:.1f} MiB"
    )
    fits = longest_context(mapped)
    return f"{need}; {fits} tokens would fit" if fits else f"{need}; not even one token would fit"
