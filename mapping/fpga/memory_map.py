"""What lies where in an accelerator's memory: buffers for activations, arrays of learned parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hwsim.mapping.errors import CapacityError, MappingError
from hwsim.mapping.fpga.matrix import TiledMatrix
from hwsim.mapping.fpga.target import FpgaTarget


@dataclass(frozen=True, kw_only=True)
class Buffer:
    """Room for activations, which tensors of several widths use one after the other."""

    name: str
    port: str
    address: int
    size_bytes: int

    def row(self, number: int, row_bytes: int) -> int:
        """Address of a row, where rows are `row_bytes` long.

        Raises
        ------
        MappingError : the buffer ends before the end of that row
        """
        if number < 0 or (number + 1) * row_bytes > self.size_bytes:
            raise MappingError(
                f"buffer {self.name}: holds {self.size_bytes} B, row {number} of {row_bytes} B does not fit"
            )
        return self.address + number * row_bytes


@dataclass(frozen=True, kw_only=True)
class Array:
    """A table of learned parameters: a row an output, or one row, of `count` matrices one after the other."""

    name: str
    address: int
    count: int
    rows: int
    row_bytes: int

    @property
    def matrix_bytes(self) -> int:
        return self.rows * self.row_bytes

    @property
    def size_bytes(self) -> int:
        return self.count * self.matrix_bytes

    def row(self, number: int, matrix: int = 0) -> int:
        """Address of a row of a matrix."""
        return self.address + matrix * self.matrix_bytes + number * self.row_bytes


@dataclass(frozen=True, kw_only=True)
class MemoryMap:
    """Buffers and arrays by name, and the matrices in tiles by operator; a `hwsim.mapping.mapped.Placement`."""

    target: FpgaTarget
    buffers: Mapping[str, Buffer]
    arrays: Mapping[str, Array]
    matrices: Mapping[str, tuple[TiledMatrix, ...]]

    @property
    def activation_bytes(self) -> int:
        return sum(buffer.size_bytes for buffer in self.buffers.values())

    @property
    def parameter_bytes(self) -> int:
        """Of all arrays, padding included."""
        return sum(array.size_bytes for array in self.arrays.values())

    @property
    def end(self) -> int:
        """Address after the last buffer or array."""
        pieces: tuple[Buffer | Array, ...] = (*self.buffers.values(), *self.arrays.values())
        return max((piece.address + piece.size_bytes for piece in pieces), default=self.target.base_address)

    def heading(self) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        return f"parameters {self.parameter_bytes} B, activations {self.activation_bytes} B"

    def places(self, operator: str) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        found = []
        for matrix in self.matrices.get(operator, ()):
            several = f" x {matrix.count}" if matrix.count > 1 else ""
            passes = len(matrix.passes)
            split = f" in {passes} passes" if passes > 1 else ""
            padding = f", {matrix.padding} padded" if matrix.padding else ""
            at = self.arrays[matrix.weights].address
            found.append(f"{matrix.out_tiles} x {matrix.in_tiles} tiles{several} at {at:#x}{split}{padding}")
        if not found:
            names = (name for name in self.arrays if name.rpartition(".")[0] == operator)
            found = [f"{name.rpartition('.')[2]} at {self.arrays[name].address:#x}" for name in names]
        return "; ".join(found)

    def verify(self) -> None:
        """Check that nothing overlaps and that all lies within the memory.

        Raises
        ------
        MappingError : two of them share bytes; as CapacityError, the memory is too small
        """
        used, before = self.target.base_address, "the beginning"
        pieces: list[Buffer | Array] = [*self.buffers.values(), *self.arrays.values()]
        pieces.sort(key=lambda piece: piece.address)
        for piece in pieces:
            if piece.address < used:
                raise MappingError(f"{piece.name}: begins at {piece.address:#x}, within {before}")
            used, before = piece.address + piece.size_bytes, piece.name
        if used - self.target.base_address > self.target.size_bytes:
            raise CapacityError(
                f"{self.target.machine}: parameters and buffers need {used - self.target.base_address} B, "
                f"the memory holds {self.target.size_bytes} B"
            )


@dataclass(frozen=True, kw_only=True)
class BufferSize:
    """A buffer before it has a place."""

    name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class ArraySize:
    """An array before it has a place; those of one `group` lie one after the other, as one array of the source."""

    name: str
    group: str
    count: int
    rows: int
    row_bytes: int


def place(
    target: FpgaTarget,
    buffers: Iterable[BufferSize],
    arrays: Iterable[ArraySize],
    matrices: Mapping[str, tuple[TiledMatrix, ...]],
) -> MemoryMap:
    """Give all of them places: buffers, then groups of arrays, each aligned.

    Raises
    ------
    MappingError : a buffer without a port; as CapacityError, more than the memory holds
    """
    address = target.base_address
    placed: dict[str, Buffer] = {}
    for size in buffers:
        buffer = Buffer(name=size.name, port=target.port(size.name), address=address, size_bytes=size.size_bytes)
        placed[size.name] = buffer
        address = _aligned(address + buffer.size_bytes, target)
    groups: dict[str, list[ArraySize]] = {}
    for wanted in arrays:
        groups.setdefault(wanted.group, []).append(wanted)
    found: dict[str, Array] = {}
    for members in groups.values():
        for member in members:
            array = Array(
                name=member.name, address=address, count=member.count, rows=member.rows, row_bytes=member.row_bytes
            )
            found[member.name] = array
            address += array.size_bytes
        address = _aligned(address, target)
    made = MemoryMap(target=target, buffers=placed, arrays=found, matrices=dict(matrices))
    made.verify()
    return made


def _aligned(address: int, target: FpgaTarget) -> int:
    return -(-address // target.align_bytes) * target.align_bytes
