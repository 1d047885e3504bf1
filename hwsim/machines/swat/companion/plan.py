"""From operators to what the companion does: tiles of rows, what they read and write, and their cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.source import rows_of
from hwsim.machines.swat.companion.streams import Gathered, Packed, Rows, Stream
from hwsim.machines.swat.companion.work import CompanionWork, Engine, Pass
from hwsim.mapping.formats import ScaledFormat, TensorFormat, stored_bytes
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import (
    Act,
    Dequantise,
    Eltwise,
    Embed,
    Glu,
    HeadNorm,
    LayerNorm,
    Linear,
    Operator,
    PatchEmbed,
    Quantise,
    RmsNorm,
    Rope,
    Scale,
    Scatter,
    Softcap,
)
from hwsim.mapping.operators.base import rows
from hwsim.mapping.step import Step
from hwsim.rtl.matrix_unit.contract import MatrixTile
from hwsim.rtl.vector_lanes.contract import FUNCTIONS, Function, Sweep

UNIT_OF: Mapping[str, Engine] = {
    "linear": "matrix",
    "patch_embed": "matrix",
    "act": "vector",
    "dequantise": "vector",
    "eltwise": "vector",
    "embed": "vector",
    "glu": "vector",
    "head_norm": "vector",
    "norm": "vector",
    "quantise": "vector",
    "rmsnorm": "vector",
    "rope": "vector",
    "scale": "vector",
    "scatter": "vector",
    "softcap": "vector",
}
ELTWISE = {"add": "add", "hadamard": "multiply"}

Segments = tuple[tuple[int, int, Function], ...]  # segments of a row, elements of each, what is done with them


def plan_operator(op: Operator, graph: OperatorGraph, step: Step, companion: Companion) -> CompanionWork:
    """What the companion does for an operator in one step.

    Raises
    ------
    MachineError : an operator of a kind that is not the companion's, rows that a bank cannot hold
    """
    if op.is_view or not graph.tensor(op.name).elements(step):
        passes: tuple[Pass, ...] = ()
    else:
        passes = tuple(_Planner(op, graph, step, companion).passes())
    return CompanionWork(
        name=op.name,
        kind=op.kind,
        layer=op.layer,
        passes=passes,
        element_ops=op.element_ops(step),
        special_functions=op.special_functions(step),
    )


class _Planner:
    """The passes of one operator."""

    def __init__(self, op: Operator, graph: OperatorGraph, step: Step, companion: Companion) -> None:
        self.op = op
        self.graph = graph
        self.step = step
        self.companion = companion

    def passes(self) -> Iterator[Pass]:
        match self.op:
            case Linear() as op:
                yield from self._linear(op)
            case PatchEmbed() as op:
                yield from self._patches(op)
            case Embed() as op:
                yield self._embed(op)
            case Scatter() as op:
                yield from self._scatter(op)
            case Rope() as op:
                yield self._rope(op)
            case _:
                shape = self.graph.tensor(self.op.name).shape
                elements = prod(int(size) for size in shape[1:] if isinstance(size, int))
                yield self._vector(rows(shape[0], self.step), self._inputs(), self._made(elements), self._sweeps())

    def _linear(self, op: Linear) -> Iterator[Pass]:
        """Whole, or in slabs of outputs that fit half of the buffer, so that one loads while one is used."""
        weight_bytes, unit = op.weight_bytes, self.companion.matrix
        slab = op.d_out
        if weight_bytes > self.companion.buffer_bytes:
            each = -(-weight_bytes // op.d_out)  # bytes of an output's weights and bias
            slab = self.companion.buffer_bytes // 2 // each // unit.columns * unit.columns
            if not slab:
                raise MachineError(
                    f"{op.name}: weights of {unit.columns} outputs take {unit.columns * each} B, half of "
                    f"matrix.buffer_bytes is {self.companion.buffer_bytes // 2} B"
                )
        for first in range(0, op.d_out, slab):
            d_out = min(slab, op.d_out - first)
            before, upto = (weight_bytes * end // op.d_out for end in (first, first + d_out))
            write = Rows(
                row_bytes=_bytes(op.fmt, d_out), stride_bytes=_bytes(op.fmt, op.d_out), first_byte=_bytes(op.fmt, first)
            )
            yield self._matrix(
                rows(op.rows, self.step), self._inputs(), write, MatrixTile(0, op.d_in, d_out), upto - before
            )

    def _patches(self, op: PatchEmbed) -> Iterator[Pass]:
        """Patches through the matrix into the places behind the class tokens, then positions added to all tokens.

        The host cuts images into patches; class tokens lie in their places from the start.
        """
        images, stride = self.step.batch, _bytes(op.fmt, op.width)
        patch, tokens = _bytes(op.input_fmt(0), op.patch_elements), self._made(op.width)
        weights = {table.identity.rpartition(".")[2]: table.bytes for table in op.tables}
        write = Rows(row_bytes=stride, stride_bytes=stride, group=op.patches, every=op.tokens, begin=op.class_tokens)
        yield self._matrix(
            images * op.patches,
            (Rows(row_bytes=patch, stride_bytes=patch),),
            write if op.class_tokens else tokens,
            MatrixTile(0, op.patch_elements, op.width),
            weights["weight"] + weights.get("bias", 0),
        )
        if op.positions:
            sweeps = (((1, op.width, FUNCTIONS["add"]),),)
            yield self._vector(images * op.tokens, (tokens, tokens), tokens, sweeps, weight_bytes=0)

    def _embed(self, op: Embed) -> Pass:
        """Numbers of tokens and segments, then a row of each table."""
        numbers = tuple(Packed(row_bytes=_bytes(self.graph.tensor(name).fmt, 1)) for name in op.inputs)
        looked_up = Gathered(row_bytes=_bytes(op.fmt, op.width), lookups=op.rows_read)
        function = FUNCTIONS["copy"]
        for _ in range(op.rows_read - 1):
            function = function.then(FUNCTIONS["add"])
        sweeps = (((1, op.width, function),),)
        return self._vector(self.step.tokens, (*numbers, looked_up), self._made(op.width), sweeps, weight_bytes=0)

    def _scatter(self, op: Scatter) -> Iterator[Pass]:
        """New rows over old ones, in place where nobody else reads the old ones; else a copy of all comes first."""
        old, new = (rows_of(name, self.graph, self.step) for name in op.inputs)
        copy, made = (((1, op.width, FUNCTIONS["copy"]),),), self._made(op.width)
        if self.graph.readers(op.inputs[0]) != (op.name,):
            yield self._vector(self.step.tokens, (old,), made, copy, weight_bytes=0)
        write = Rows(row_bytes=made.row_bytes, stride_bytes=made.row_bytes, group=op.count, every=self.step.queries)
        yield self._vector(self.step.batch * op.count, (new,), write, copy, weight_bytes=0)

    def _rope(self, op: Rope) -> Pass:
        """A row of cosines and sines for each token beside its elements; what is not turned passes as it is."""
        width = (op.heads + op.kv_heads) * op.d_k + op.kv_heads * op.d_v
        angles = _bytes(op.fmt, op.turned)
        sweeps = (
            ((op.heads + op.kv_heads, op.turned, FUNCTIONS["rotate"]), (1, width - op.rotated, FUNCTIONS["copy"])),
        )
        reads = (*self._inputs(), Rows(row_bytes=angles, stride_bytes=angles))
        return self._vector(self.step.tokens, reads, self._made(width), sweeps)

    def _sweeps(self) -> tuple[Segments, ...]:
        """What the lanes do with a row, sweep by sweep."""
        match self.op:
            case LayerNorm(width=width, bias=bias):
                return ((1, width, FUNCTIONS["moments"]),), ((1, width, FUNCTIONS["affine" if bias else "scaled"]),)
            case RmsNorm(width=width):
                return ((1, width, FUNCTIONS["squares"]),), ((1, width, FUNCTIONS["scaled_root"]),)
            case HeadNorm() as op:
                heads, values = op.heads + op.kv_heads, (1, op.kv_heads * op.d_v, FUNCTIONS["copy"])
                names = ("moments", "affine") if op.function == "layernorm" else ("squares", "scaled_root")
                first, second = (FUNCTIONS[name] for name in names)
                return ((heads, op.d_k, first),), ((heads, op.d_k, second), values)
            case Act(width=width, function=function):
                return (((1, width, FUNCTIONS[function]),),)
            case Glu(width=width, function=function):
                return (((1, width, FUNCTIONS[function].then(FUNCTIONS["multiply"])),),)
            case Eltwise(width=width, function=name):
                return (((1, width, FUNCTIONS[ELTWISE[name]]),),)
            case Scale(width=width):
                return (((1, width, FUNCTIONS["multiply"]),),)
            case Softcap(width=width):
                return (((1, width, FUNCTIONS["softcap"]),),)
            case Quantise() | Dequantise() as op:
                width = prod(size for size in op.shape[1:] if isinstance(size, int))
                largest = (((1, width, FUNCTIONS["largest"]),),) if isinstance(op.fmt, ScaledFormat) else ()
                return *largest, ((1, width, FUNCTIONS["multiply"]),)
        raise MachineError(f"{self.op.name}: the companion has no {self.op.kind}; it runs {', '.join(UNIT_OF)}")

    def _inputs(self) -> tuple[Rows, ...]:
        return tuple(rows_of(name, self.graph, self.step) for name in self.op.inputs)

    def _made(self, width: int) -> Rows:
        """Whole rows of the operator's tensor."""
        size = _bytes(self.op.fmt, width)
        return Rows(row_bytes=size, stride_bytes=size)

    def _matrix(self, count: int, reads: tuple[Stream, ...], write: Rows, tile: MatrixTile, weight_bytes: int) -> Pass:
        size, unit = self._tile_rows(reads, write), self.companion.matrix
        last = count - (-(-count // size) - 1) * size
        return Pass(
            engine="matrix",
            rows=count,
            tile_rows=size,
            reads=reads,
            write=write,
            weight_bytes=weight_bytes,
            cycles=unit.cycles(tile._replace(rows=size)),
            last_cycles=unit.cycles(tile._replace(rows=last)),
            macs=count * tile.d_in * tile.d_out,
        )

    def _vector(
        self,
        count: int,
        reads: tuple[Stream, ...],
        write: Rows,
        sweeps: tuple[Segments, ...],
        *,
        weight_bytes: int | None = None,
    ) -> Pass:
        size = self._tile_rows(reads, write)
        last = count - (-(-count // size) - 1) * size
        return Pass(
            engine="vector",
            rows=count,
            tile_rows=size,
            reads=reads,
            write=write,
            weight_bytes=self.op.weight_bytes if weight_bytes is None else weight_bytes,
            cycles=self._lane_cycles(size, sweeps),
            last_cycles=self._lane_cycles(last, sweeps),
        )

    def _lane_cycles(self, count: int, sweeps: tuple[Segments, ...]) -> int:
        return self.companion.vector.cycles(
            Sweep(count, segments, width, function) for sweep in sweeps for segments, width, function in sweep
        )

    def _tile_rows(self, reads: tuple[Stream, ...], write: Rows) -> int:
        """Rows of a tile that banks hold: a multiple of the channels."""
        companion = self.companion
        need = max(sum(stream.bank_row_bytes for stream in reads), write.bank_row_bytes)
        held = companion.bank_bytes // need // companion.channels * companion.channels
        if not held:
            raise MachineError(
                f"{self.op.name}: a tile of a row a channel takes {companion.channels * need} B, "
                f"matrix.bank_bytes is {companion.bank_bytes} B"
            )
        return min(companion.tile_rows, held)


def _bytes(fmt: TensorFormat, elements: int) -> int:
    """Bytes of a row."""
    return stored_bytes(fmt, 1, elements)
