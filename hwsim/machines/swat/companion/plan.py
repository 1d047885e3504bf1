"""From operators to what the companion does: tiles of rows, what they read and write, and their cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.source import is_read_after, rows_of
from hwsim.machines.swat.companion.streams import Gathered, LastOf, Packed, Rows, Squares, Stream
from hwsim.machines.swat.companion.sweeps import RowSweeps, one_sweep, sweeps_of
from hwsim.machines.swat.companion.work import CompanionWork, Engine, Pass
from hwsim.mapping.formats import TensorFormat, stored_bytes
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Embed, Linear, Mean, Merge, Operator, PatchEmbed, Rope, Scatter
from hwsim.mapping.operators.base import rows
from hwsim.mapping.step import Step
from hwsim.rtl.matrix_unit.contract import MatrixTile
from hwsim.rtl.vector_lanes.contract import Function, Sweep

UNIT_OF: Mapping[str, Engine] = {
    "linear": "matrix",
    "patch_embed": "matrix",
    "act": "vector",
    "dequantise": "vector",
    "eltwise": "vector",
    "embed": "vector",
    "glu": "vector",
    "head_norm": "vector",
    "mean": "vector",
    "merge": "vector",
    "norm": "vector",
    "positions": "vector",
    "quantise": "vector",
    "rmsnorm": "vector",
    "rope": "vector",
    "scale": "vector",
    "scatter": "vector",
    "softcap": "vector",
}


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
            case Merge() as op:
                yield self._merge(op)
            case Mean() as op:
                yield self._mean(op)
            case _:
                shape = self.graph.tensor(self.op.name).shape
                width = prod(size for size in shape[1:] if isinstance(size, int))
                count = rows(shape[0], self.step)
                weight_bytes = self.op.weight_bytes_read(self.step)
                yield self._vector(count, self._inputs(), self._made(width), sweeps_of(self.op), weight_bytes)

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
                    f"matrix.buffer_bytes is {self.companion.buffer_bytes // 2}"
                )
        (read,) = self._inputs()
        for first in range(0, op.d_out, slab):
            d_out = min(slab, op.d_out - first)
            before, upto = (weight_bytes * end // op.d_out for end in (first, first + d_out))
            write = Rows(
                row_bytes=_bytes(op.fmt, d_out), stride_bytes=_bytes(op.fmt, op.d_out), first_byte=_bytes(op.fmt, first)
            )
            tile = MatrixTile(0, op.d_in, d_out)
            yield self._matrix(rows(op.rows, self.step), read, write, tile, upto - before)

    def _patches(self, op: PatchEmbed) -> Iterator[Pass]:
        """Patches through the matrix into the places behind the class tokens, then positions added to all tokens.

        The host cuts images into patches, and class tokens lie in their places from the start.
        """
        images = self.step.batch
        patch, tokens = _bytes(op.input_fmt(0), op.patch_elements), self._made(op.width)
        weights = {table.identity.rpartition(".")[2]: table.bytes for table in op.tables}
        behind = replace(tokens, group=op.patches, every=op.tokens, begin=op.class_tokens)
        yield self._matrix(
            images * op.patches,
            Rows(row_bytes=patch, stride_bytes=patch),
            behind if op.class_tokens else tokens,
            MatrixTile(0, op.patch_elements, op.width),
            weights["weight"] + weights.get("bias", 0),
        )
        if op.positions:
            count, sweeps = images * op.tokens, one_sweep(op.width, "add")
            yield self._vector(count, (tokens,), tokens, sweeps, weights["positions"])

    def _embed(self, op: Embed) -> Pass:
        """Numbers of tokens and segments, then a row of each table."""
        numbers = tuple(Packed(row_bytes=_bytes(self.graph.tensor(name).fmt, 1)) for name in op.inputs)
        looked_up = Gathered(row_bytes=_bytes(op.fmt, op.width), lookups=op.rows_read)
        sweeps = (((1, op.width, Function(adds=op.rows_read - 1)),),)
        return self._vector(self.step.tokens, (*numbers, looked_up), self._made(op.width), sweeps)

    def _scatter(self, op: Scatter) -> Iterator[Pass]:
        """New rows over old ones, in place unless the old ones are read later; then a copy of all comes first."""
        old, new = self._inputs()
        copy, made = one_sweep(op.width, "copy"), self._made(op.width)
        if is_read_after(op, op.inputs[0], self.graph):
            yield self._vector(self.step.tokens, (old,), made, copy)
        write = replace(made, group=op.count, every=self.step.queries, apart=op.stride)
        yield self._vector(self.step.batch * op.count, (new,), write, copy)

    def _merge(self, op: Merge) -> Pass:
        """Squares of tokens side by side."""
        (tokens,) = self._inputs()
        squares = Squares(of=tokens, height=op.height, width=op.width, side=op.side)
        width = op.side**2 * op.elements
        count = rows(op.rows, self.step) // op.side**2
        return self._vector(count, (squares,), self._made(width), one_sweep(width, "copy"))

    def _mean(self, op: Mean) -> Pass:
        """A row is written where a sequence ends."""
        count = rows(op.rows, self.step)
        write = LastOf(of=self._made(op.width), every=count // self.step.batch)
        return self._vector(count, self._inputs(), write, one_sweep(op.width, "mean"))

    def _rope(self, op: Rope) -> Pass:
        """A row of cosines and sines for each token beside its elements; what is not turned passes as it is."""
        width = (op.heads + op.kv_heads) * op.d_k + op.kv_heads * op.d_v
        angles = _bytes(op.fmt, op.turned)
        reads = (*self._inputs(), Rows(row_bytes=angles, stride_bytes=angles))
        return self._vector(self.step.tokens, reads, self._made(width), sweeps_of(op))

    def _inputs(self) -> tuple[Rows, ...]:
        return tuple(rows_of(name, self.graph, self.step) for name in self.op.inputs)

    def _made(self, width: int) -> Rows:
        """Whole rows of the operator's tensor."""
        size = _bytes(self.op.fmt, width)
        return Rows(row_bytes=size, stride_bytes=size)

    def _matrix(self, count: int, read: Rows, write: Rows, tile: MatrixTile, weight_bytes: int) -> Pass:
        size, unit = self._tile_rows((read,), write), self.companion.matrix
        cycles, last_cycles = (unit.cycles(tile._replace(rows=each)) for each in (size, _last(count, size)))
        return Pass(
            engine="matrix",
            rows=count,
            tile_rows=size,
            reads=(read,),
            write=write,
            weight_bytes=self._held(weight_bytes),
            cycles=cycles,
            last_cycles=last_cycles,
            macs=count * tile.d_in * tile.d_out,
        )

    def _vector(
        self, count: int, reads: tuple[Stream, ...], write: Stream, sweeps: RowSweeps, weight_bytes: int = 0
    ) -> Pass:
        size = self._tile_rows(reads, write)
        cycles, last_cycles = (
            self.companion.vector.cycles(
                Sweep(each, segments, width, function) for sweep in sweeps for segments, width, function in sweep
            )
            for each in (size, _last(count, size))
        )
        return Pass(
            engine="vector",
            rows=count,
            tile_rows=size,
            reads=reads,
            write=write,
            weight_bytes=self._held(weight_bytes),
            cycles=cycles,
            last_cycles=last_cycles,
        )

    def _held(self, weight_bytes: int) -> int:
        """Weights, after checking that the buffer holds them."""
        room = self.companion.buffer_bytes
        if weight_bytes > room:
            raise MachineError(f"{self.op.name}: parameters take {weight_bytes} B, matrix.buffer_bytes is {room}")
        return weight_bytes

    def _tile_rows(self, reads: tuple[Stream, ...], write: Stream) -> int:
        """Rows of a tile that banks hold: a multiple of the channels."""
        companion = self.companion
        need = max(sum(stream.bank_row_bytes for stream in reads), write.bank_row_bytes)
        held = companion.bank_bytes // need // companion.channels * companion.channels
        if not held:
            raise MachineError(
                f"{self.op.name}: a tile of a row a channel takes {companion.channels * need} B, "
                f"matrix.bank_bytes is {companion.bank_bytes}"
            )
        return min(companion.tile_rows, held)


def _last(count: int, size: int) -> int:
    """Rows of the last tile."""
    return (count - 1) % size + 1


def _bytes(fmt: TensorFormat, elements: int) -> int:
    """Bytes of a row."""
    return stored_bytes(fmt, 1, elements)
