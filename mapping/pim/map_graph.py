"""From an operator graph to a PIM target: split attention, choose units, place weights and cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hwsim.mapping.errors import CapacityError, MappingError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Attention, AttentionScores, AttentionValues, KvCache, Linear, Operator, Softmax
from hwsim.mapping.pim.placement import CachePlacement, MatrixPlacement, Placement
from hwsim.mapping.pim.target import PimTarget
from hwsim.mapping.workload import Step

Unit = Literal["pim", "asic", "host", "link"]

# Which unit carries out an operator kind.
UNIT_OF: dict[str, Unit] = {
    "linear": "pim",
    "kv_cache": "pim",
    "attention_scores": "pim",
    "attention_values": "pim",
    "softmax": "asic",
    "norm": "asic",
    "rmsnorm": "asic",
    "rope": "asic",
    "act": "asic",
    "glu": "asic",
    "eltwise": "asic",
    "embed": "host",
    "collective": "link",
}


@dataclass(frozen=True, kw_only=True)
class MappedOperator:
    """An operator with the unit that carries it out."""

    operator: Operator
    unit: Unit


@dataclass(frozen=True, kw_only=True)
class MappedGraph:
    """Operators in order of execution, with units and places.

    `context` and `batch` are what space was reserved for.
    """

    graph: OperatorGraph
    operators: tuple[MappedOperator, ...]
    placement: Placement
    target: PimTarget
    context: int
    batch: int

    def verify(self) -> None:
        """Check that placements do not overlap and lie within the banks.

        Raises
        ------
        MappingError : two operators share a row, or one lies outside
        """
        used = 0
        blocks: list[MatrixPlacement | CachePlacement] = [
            *self.placement.matrices.values(),
            *self.placement.caches.values(),
        ]
        for block in sorted(blocks, key=lambda b: b.base_row):
            if block.base_row < used:
                raise MappingError(f"{block.operator}: row {block.base_row} belongs to another operator")
            used = block.base_row + block.rows
        if used > self.target.rows:
            raise MappingError(f"{self.graph.name}: needs {used} rows a bank of {self.target.rows}")

    def dump(self, step: Step) -> str:
        """Stable text: a line an operator with its unit and its rows."""
        target, placement = self.target, self.placement
        lines = [
            f"mapped {self.graph.name}: {target.channels} channels x {target.banks} banks, "
            f"{placement.rows} of {target.rows} rows a bank, padding {placement.padding_bytes} B, "
            f"reserved for {self.context} tokens x {self.batch}"
        ]
        for mapped in self.operators:
            op = mapped.operator
            line = f"{mapped.unit:4} {op.kind} {self.graph.tensor(op.name)}; macs {op.macs(step)}"
            if op.name in placement.matrices:
                matrix = placement.matrices[op.name]
                chunks = " + ".join(str(chunk.inputs) for chunk in matrix.chunks)
                line += f"; rows {matrix.base_row}..{matrix.base_row + matrix.rows - 1}, inputs {chunks}, "
                line += f"{matrix.slots(0)} outputs a bank, padding {matrix.padding_elements}"
            if op.name in placement.caches:
                cache = placement.caches[op.name]
                last = cache.base_row + cache.rows - 1
                line += f"; rows {cache.base_row}..{last}, K {cache.k_rows}, V {cache.v_rows}"
            lines.append(line)
        return "\n".join(lines)


def map_graph(
    graph: OperatorGraph, target: PimTarget, *, context: int, batch: int, on_host: frozenset[str] = frozenset()
) -> MappedGraph:
    """Map a graph to a PIM target.

    Parameters
    ----------
    context, batch : tokens a sequence and sequences that the cache must hold
    on_host : operators that the host carries out instead

    Raises
    ------
    MappingError : an operator that the target cannot carry out; as CapacityError, weights and cache that do not fit
    """
    split = split_attention(graph)
    operators = tuple(
        MappedOperator(operator=op, unit="host" if op.name in on_host else _unit(op)) for op in split.operators
    )
    mapped = MappedGraph(
        graph=split,
        operators=operators,
        placement=_place(operators, target, context, batch),
        target=target,
        context=context,
        batch=batch,
    )
    if mapped.placement.rows > target.rows:
        raise CapacityError(_does_not_fit(mapped))
    mapped.verify()
    return mapped


def split_attention(graph: OperatorGraph) -> OperatorGraph:
    """Rewrite each attention into scores, softmax and values, which different units carry out."""
    operators: list[Operator] = []
    for op in graph.operators:
        if not isinstance(op, Attention):
            operators.append(op)
            continue
        shape = {
            "heads": op.heads, "kv_heads": op.kv_heads, "d_k": op.d_k, "d_v": op.d_v, "pattern": op.pattern,
            "fmt": op.fmt,
        }  # fmt: skip
        qkv, cache = op.inputs
        scores, weights = f"{op.name}.scores", f"{op.name}.softmax"
        operators += [
            AttentionScores(name=scores, inputs=(qkv, cache), **shape),  # type: ignore[arg-type]
            Softmax(name=weights, inputs=(scores,), fmt=op.fmt, heads=op.heads, pattern=op.pattern),
            AttentionValues(name=op.name, inputs=(weights, cache), **shape),  # type: ignore[arg-type]
        ]
    return OperatorGraph(name=graph.name, inputs=graph.inputs, operators=operators)


def max_context(mapped: MappedGraph) -> int:
    """Longest context, in tokens, whose cache fits beside the weights; 0 if not even one token does."""
    low, high = 0, mapped.target.capacity_bytes
    while low < high:
        middle = (low + high + 1) // 2
        rows = _place(mapped.operators, mapped.target, middle, mapped.batch).rows
        low, high = (middle, high) if rows <= mapped.target.rows else (low, middle - 1)
    return low


def _unit(op: Operator) -> Unit:
    if op.kind not in UNIT_OF:
        raise MappingError(f"{op.name}: a PIM target has no unit for {op.kind}")
    return UNIT_OF[op.kind]


def _place(operators: tuple[MappedOperator, ...], target: PimTarget, context: int, batch: int) -> Placement:
    """Give each matrix and cache its rows, one behind the other in the order of execution."""
    matrices: dict[str, MatrixPlacement] = {}
    caches: dict[str, CachePlacement] = {}
    row = 0
    for mapped in operators:
        op = mapped.operator
        if mapped.unit != "pim":
            continue
        _check_format(op, target)
        if isinstance(op, Linear):
            matrices[op.name] = MatrixPlacement.place(op.name, op.d_in, op.d_out, row, target)
            row += matrices[op.name].rows
        elif isinstance(op, KvCache):
            if op.d_k != op.d_v:
                raise MappingError(f"{op.name}: unequal key and value sizes are not mapped to PIM")
            caches[op.name] = CachePlacement(
                operator=op.name, heads=op.kv_heads, group=op.heads // op.kv_heads, head_dim=op.d_k, context=context,
                batch=batch, base_row=row, target=target,
            )  # fmt: skip
            row += caches[op.name].rows
    return Placement(target=target, matrices=matrices, caches=caches)


def _check_format(op: Operator, target: PimTarget) -> None:
    if op.fmt != target.fmt:
        raise MappingError(f"{op.name}: format {op.fmt}, but the banks compute in {target.fmt}")


def _does_not_fit(mapped: MappedGraph) -> str:
    target, placement = mapped.target, mapped.placement
    mib = target.row_bytes_everywhere / 2**20
    need = (
        f"{mapped.graph.name}: weights need {placement.weight_rows * mib:.1f} MiB and the cache of {mapped.context} "
        f"tokens x {mapped.batch} needs {placement.cache_rows * mib:.1f} MiB of {target.rows * mib:.1f} MiB"
    )
    fits = max_context(mapped)
    return f"{need}; {fits} tokens would fit" if fits else f"{need}; not even one token would fit"
