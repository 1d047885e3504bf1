"""Where learned parameters lie in the board's memory, and in which parts they come onto the chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hwsim.errors import MachineError
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import ExpertFfn, LayerNorm, Linear, Operator, PatchEmbed, Role, Route

ALIGN = 4096  # bytes to which everything in memory is aligned

# Where a matrix of a layer lies while it is used, by what it is to its model.
REGION_OF = {
    **dict.fromkeys(("q", "k", "v", "proj"), "attention"),
    **dict.fromkeys(("ffn1", "ffn2"), "experts"),
}
# The norm whose parameters come with a matrix.
NORM_OF: dict[str, Role] = {"q": "norm1", "proj": "norm2"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """What comes onto the chip together.

    Attributes
    ----------
    d_in, d_out : of the part of a matrix; 0 for other things
    second : of an expert's second matrix
    """

    name: str
    region: str
    address: int
    size_bytes: int
    d_in: int = 0
    d_out: int = 0
    second: bool = False


@dataclass(frozen=True, kw_only=True)
class WeightMap:
    """All learned parameters; a `hwsim.mapping.mapped.Placement`.

    Attributes
    ----------
    matrices : operator -> its parts, each with some of the outputs
    experts : operator -> for each expert its parts: one, or those of its first matrix and then those of its second
    gates : operator -> for each task its gate
    resident : operator -> bytes of what stays on the chip: patches, final norm, classifier
    end : address after the last of them
    """

    matrices: Mapping[str, tuple[Part, ...]]
    experts: Mapping[str, tuple[tuple[Part, ...], ...]]
    gates: Mapping[str, tuple[Part, ...]]
    resident: Mapping[str, int]
    end: int

    @property
    def expert_bytes(self) -> int:
        """Bytes of an expert, of the largest where they differ; 0 without."""
        return max((_bytes(parts) for layer in self.experts.values() for parts in layer), default=0)

    @property
    def gate_bytes(self) -> int:
        """Bytes of the largest gate; 0 without."""
        return max((part.size_bytes for layer in self.gates.values() for part in layer), default=0)

    def heading(self) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        return f"parameters to {self.end} B, {sum(self.resident.values())} B of them stay on the chip"

    def places(self, operator: str) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        if operator in self.matrices:
            parts = self.matrices[operator]
            split = f" in {len(parts)} passes" if len(parts) > 1 else ""
            return f"{_bytes(parts)} B at {parts[0].address:#x}{split}"
        if operator in self.experts:
            layer = self.experts[operator]
            return (
                f"{len(layer)} experts of {_bytes(layer[0])} B at {layer[0][0].address:#x}, {len(layer[0])} parts each"
            )
        if operator in self.gates:
            return f"{len(self.gates[operator])} gates of {self.gates[operator][0].size_bytes} B"
        return f"{self.resident[operator]} B stay on the chip" if operator in self.resident else ""


def map_weights(graph: OperatorGraph, spec: M3vitSpec) -> WeightMap:
    """Give all parameters of a graph their places.

    Raises
    ------
    MachineError : a matrix of which not even one output fits a buffer, more parameters than the memory holds
    """
    made = _Maker(graph, spec)
    for op in graph.operators:
        made.add(op)
    capacity = spec.memory_system.mapping.capacity_bytes
    if made.address > capacity:
        raise MachineError(f"{spec.name}: parameters need {made.address} B, the memory holds {capacity} B")
    return WeightMap(
        matrices=made.matrices, experts=made.experts, gates=made.gates, resident=made.resident, end=made.address
    )


class _Maker:
    """Walks through the operators and gives out addresses."""

    def __init__(self, graph: OperatorGraph, spec: M3vitSpec) -> None:
        self.spec = spec
        self.number, self.bias = spec.formats.number_bytes("weight"), spec.formats.number_bytes("bias")
        self.address = 0
        self.matrices: dict[str, tuple[Part, ...]] = {}
        self.experts: dict[str, tuple[tuple[Part, ...], ...]] = {}
        self.gates: dict[str, tuple[Part, ...]] = {}
        self.resident: dict[str, int] = {}
        self._norms = {(op.layer, op.role): op for op in graph.operators if isinstance(op, LayerNorm)}

    def add(self, op: Operator) -> None:
        match op:
            case Linear(role=str(role)) if role in REGION_OF:
                beside = self._norms.get((op.layer, NORM_OF.get(role)))
                norm = 2 * beside.width * self.bias if beside else 0
                self.matrices[op.name] = self._passes(
                    op.name, REGION_OF[role], op.d_in, op.d_out, bias=op.bias, beside=norm
                )
            case ExpertFfn():
                self.experts[op.name] = tuple(self._expert(op, number) for number in range(op.experts))
            case Route():
                size = op.experts * (op.width + op.task_embedding) * self.number
                self.gates[op.name] = tuple(
                    self._part(f"{op.name}.gate{task}", "gate", size) for task in range(op.tasks)
                )
            case PatchEmbed() | Linear():
                self.resident[op.name] = sum(table.elements for table in op.tables) * self.number
            case LayerNorm() if op.layer is None:
                self.resident[op.name] = 2 * op.width * self.bias
            case _:
                return

    def _expert(self, op: ExpertFfn, number: int) -> tuple[Part, ...]:
        """An expert as one part, or in passes where it is larger than a buffer."""
        name = f"{op.name}.{number}"
        size = 2 * op.width * op.hidden * self.number + op.bias * (op.width + op.hidden) * self.bias
        if size <= self.spec.buffers.expert_buffer_bytes:
            return (self._part(name, "experts", size),)
        up = self._passes(f"{name}.up", "experts", op.width, op.hidden, bias=op.bias)
        down = self._passes(f"{name}.down", "experts", op.hidden, op.width, bias=op.bias)
        return (*up, *(replace(part, second=True) for part in down))

    def _passes(
        self, name: str, region: str, d_in: int, d_out: int, *, bias: bool, beside: int = 0
    ) -> tuple[Part, ...]:
        """A matrix in parts of as many outputs as fit, in whole tiles where one fits; two parts have room at a time.

        Parameters
        ----------
        beside : bytes that come with the first part
        """
        buffers, engine = self.spec.buffers, self.spec.head_engine
        room = buffers.expert_buffer_bytes if region == "experts" else buffers.attention_bytes // 2
        each, tile = d_in * self.number + bias * self.bias, engine.heads * engine.out_lanes
        fit = min(d_out, (room - beside) // each)
        if fit < 1:
            raise MachineError(
                f"{self.spec.name}: {name}: one output needs {beside + each} B, a buffer for {region} holds {room} B"
            )
        outputs = fit if fit in (d_out, fit % tile) else fit // tile * tile
        found = []
        for number, first in enumerate(range(0, d_out, outputs)):
            here = min(outputs, d_out - first)
            label = name if outputs == d_out else f"{name}.{number}"
            size = here * each + (beside if number == 0 else 0)
            found.append(self._part(label, region, size, d_in=d_in, d_out=here))
        return tuple(found)

    def _part(self, name: str, region: str, size: int, *, d_in: int = 0, d_out: int = 0) -> Part:
        part = Part(name=name, region=region, address=self.address, size_bytes=size, d_in=d_in, d_out=d_out)
        self.address += -(-size // ALIGN) * ALIGN
        return part


def _bytes(parts: tuple[Part, ...]) -> int:
    return sum(part.size_bytes for part in parts)
