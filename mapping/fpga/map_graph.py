"""From an operator graph to units, tiles, and places in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwsim.mapping.errors import MappingError
from hwsim.mapping.fpga.checks import check_operator
from hwsim.mapping.fpga.matrix import TiledMatrix
from hwsim.mapping.fpga.memory_map import ArraySize, BufferSize, MemoryMap, place
from hwsim.mapping.fpga.order import order_for_buffers
from hwsim.mapping.fpga.target import ATTENTION_ROLES, FpgaTarget
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import MappedGraph, assign_units
from hwsim.mapping.operators import Act, ExpertFfn, Linear, Operator, PatchEmbed, Route
from hwsim.mapping.passes.split_attention import split_attention


@dataclass(frozen=True, kw_only=True)
class FpgaMapped(MappedGraph[MemoryMap]):
    """A graph on an FPGA accelerator."""

    @property
    def memory(self) -> MemoryMap:
        return self.placement

    def origin(self, tensor: str) -> str:
        """The operator whose result a tensor of the graph is, or the input of the graph."""
        return _origin(self.graph, tensor)

    def buffer(self, tensor: str) -> str:
        """The buffer that a tensor of the graph lies in; an input of the graph lies in one of its own name."""
        origin = self.origin(tensor)
        if any(origin == given.name for given in self.graph.inputs):
            return origin
        return self.placement.target.buffer(self.graph.operator(origin))

    def activation(self, linear: str) -> str | None:
        """The function that is applied to the results of a matrix as they leave it."""
        found = [op for op in self.graph.operators if isinstance(op, Act) and op.inputs == (linear,)]
        return found[0].function if found else None

    def verify(self) -> None:
        """Check places and passes.

        Raises
        ------
        MappingError : places overlap; passes that do not cover a matrix once; a function of parts of sums
        """
        self.placement.verify()
        for name, matrices in self.placement.matrices.items():
            for matrix in matrices:
                _check_passes(matrix)
                if matrix.divides_inputs and self._applies_function(name, matrix):
                    raise MappingError(
                        f"{matrix.target.machine}: {name}: {matrix.d_in} inputs come in several passes, and the "
                        f"function of their sum cannot be applied as it leaves; the linear unit keeps "
                        f"{matrix.shape.input_tiles} tiles of inputs and {matrix.shape.weight_words} of weights"
                    )

    def _applies_function(self, name: str, matrix: TiledMatrix) -> bool:
        """Whether a function follows a matrix; of an expert's two matrices it follows the first."""
        if isinstance(self.graph.operator(name), ExpertFfn):
            return matrix is self.placement.matrices[name][0]
        return self.activation(name) is not None


def _check_passes(matrix: TiledMatrix) -> None:
    """Check that the passes of a matrix cover each of its tiles once."""
    covered = sum(part.words for part in matrix.passes)
    if covered != matrix.in_tiles * matrix.out_tiles:
        raise MappingError(f"{matrix.operator}: passes cover {covered} tiles of {matrix.in_tiles} x {matrix.out_tiles}")


def map_graph(
    graph: OperatorGraph, target: FpgaTarget, *, tokens: int, workspaces: Sequence[BufferSize] = ()
) -> FpgaMapped:
    """Map a graph to units that take turns at buffers in memory.

    Parameters
    ----------
    tokens : of an image, whose passes follow each other
    workspaces : buffers that units use among themselves

    Raises
    ------
    MappingError : an operator that the machine cannot execute; as CapacityError, more than its memory holds
    """
    split = split_attention(graph)
    assign_units(split, target.unit_of, machine=target.machine)  # says what cannot be done, in the graph's order
    for op in split.operators:
        check_operator(op, split, target)
    split = _ordered(split, target)
    operators = assign_units(split, target.unit_of, machine=target.machine)
    matrices = {op.name: made for op in split.operators if (made := tuple(_matrices(op, target)))}
    arrays = {array.name: array for op in split.operators for array in _arrays(op, target)}  # shared ones once
    buffers = _buffers(split, target, tokens, workspaces)
    memory = place(target, buffers, arrays.values(), matrices)
    mapped = FpgaMapped(graph=split, operators=operators, placement=memory, context=tokens, batch=1)
    mapped.verify()
    return mapped


def _ordered(graph: OperatorGraph, target: FpgaTarget) -> OperatorGraph:
    """The graph in an order that the buffers allow."""

    def buffer_of(op: Operator) -> str | None:
        stays = op.is_view or isinstance(op, Act | Route)  # choices go to queues on the chip
        return None if stays else target.buffer(op)

    ordered = order_for_buffers(graph.operators, buffer_of, lambda name: _origin(graph, name))
    return OperatorGraph(name=graph.name, inputs=graph.inputs, operators=ordered)


def _origin(graph: OperatorGraph, tensor: str) -> str:
    """What a tensor is a part of, or is made of as it leaves the unit: through views and activation functions."""
    if any(tensor == given.name for given in graph.inputs):
        return tensor
    op = graph.operator(tensor)
    return _origin(graph, op.inputs[0]) if op.is_view or isinstance(op, Act) else tensor


def _matrices(op: Operator, target: FpgaTarget) -> Iterator[TiledMatrix]:
    """The matrices that the linear unit multiplies with, in the order in which it does."""
    match op:
        case Linear():
            bias = f"{op.name}.bias" if op.bias else None
            yield TiledMatrix(
                operator=op.name, d_in=op.d_in, d_out=op.d_out, target=target, shape=target.linear(op),
                weights=op.weights_id or f"{op.name}.weight", bias=bias,
            )  # fmt: skip
        case ExpertFfn():
            for part, d_in, d_out in (("up", op.width, op.hidden), ("down", op.hidden, op.width)):
                bias = f"{op.name}.{part}.bias" if op.bias else None
                yield TiledMatrix(
                    operator=op.name, d_in=d_in, d_out=d_out, target=target, shape=target.linear(op),
                    weights=f"{op.name}.{part}.weight", bias=bias, count=op.experts,
                )  # fmt: skip


def _arrays(op: Operator, target: FpgaTarget) -> Iterator[ArraySize]:
    """The arrays of an operator's parameters; rows are whole beats."""
    role = "attention" if op.role in ATTENTION_ROLES else str(op.role)
    for table in op.tables:
        part = table.identity.rpartition(".")[2]
        match op:
            case PatchEmbed() if part in ("class_tokens", "positions"):
                # one row a token: learned tokens lie where their positions do, added up
                if part == "positions":
                    yield _array(table.identity, "positions", 1, table.rows, target.row_bytes(table.columns))
            case PatchEmbed():
                rows = target.padded(table.rows) if table.rows > 1 else 1
                biases = target.bias_bytes(table.columns, target.embed_lanes)
                row_bytes = table.columns * target.weight_bytes if part == "weight" else biases
                yield _array(table.identity, f"embed.{part}", 1, rows, row_bytes)
            case Linear() | ExpertFfn():
                rows = 1 if part == "bias" else target.padded(table.rows)
                lanes = target.linear(op).out_lanes
                row_bytes = target.bias_bytes(table.columns, lanes) if part == "bias" else _row(table.columns, target)
                inner = table.identity.split(".")[-2] if isinstance(op, ExpertFfn) else ""
                group = f"{role}.{inner}.{part}" if inner else f"{role}.{part}"
                yield _array(table.identity, group, table.count, rows, row_bytes)
            case Route():
                yield _array(table.identity, "gates", 1, table.rows, _row(table.columns, target))
            case _:
                row_bytes = -(-table.columns * target.weight_bytes // target.beat_bytes) * target.beat_bytes
                yield _array(table.identity, role, 1, table.rows, row_bytes)


def _array(name: str, group: str, count: int, rows: int, row_bytes: int) -> ArraySize:
    return ArraySize(name=name, group=group, count=count, rows=rows, row_bytes=row_bytes)


def _row(columns: int, target: FpgaTarget) -> int:
    """Bytes of a row of weights or of biases."""
    return target.padded(columns) * target.weight_bytes


def _buffers(
    graph: OperatorGraph, target: FpgaTarget, tokens: int, workspaces: Sequence[BufferSize]
) -> list[BufferSize]:
    """Every buffer as large as the largest tensor that goes into it."""
    sizes: dict[str, int] = {size.name: size.size_bytes for size in workspaces}
    for op in graph.operators:
        if isinstance(op, PatchEmbed):
            sizes["image"] = op.channels * op.image_height * op.image_width * target.pixel_bytes
        shape = graph.tensor(op.name).shape
        width = shape[-1]
        if op.is_view or isinstance(op, Act | Route) or not isinstance(width, int):
            continue
        rows = tokens if shape[0] == "tokens" else 1
        name = target.buffer(op)
        sizes[name] = max(sizes.get(name, 0), rows * target.row_bytes(width))
    return [BufferSize(name=name, size_bytes=size) for name, size in sizes.items()]
