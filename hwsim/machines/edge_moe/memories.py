"""The memories on the chip by what they hold, and the bits that pass those in block RAM or UltraRAM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hwsim.fpga.budget import Budget
from hwsim.machines.edge_moe.counts import WorkCounts
from hwsim.machines.edge_moe.design import Design
from hwsim.mapping.fpga import LinearShape
from hwsim.rtl.estimates import memory


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Rows of a memory, and the bits of each."""

    rows: int
    bits: int

    @property
    def kind(self) -> str:
        """What Yosys makes it of where there is UltraRAM: `lut`, `bram` or `uram`."""
        cells = memory(self.rows, self.bits)
        return "uram" if cells.uram else "bram" if cells.bram36 else "lut"


@dataclass(frozen=True, kw_only=True)
class MemoryBits:
    """Bits that passed memories, by unit."""

    bram_read: Mapping[str, int]
    bram_written: Mapping[str, int]
    uram_read: Mapping[str, int]
    uram_written: Mapping[str, int]


def memory_bits(counts: WorkCounts, design: Design, budget: Budget) -> MemoryBits:
    """Bits by unit and kind of memory; what lies in LUTs is part of their logic.

    On a part without UltraRAM block RAM takes its place.
    """
    shapes, has_uram = shapes_of(design), budget.board.cells.uram > 0
    found: dict[tuple[str, str], Counter[str]] = {
        (kind, way): Counter() for kind in ("bram", "uram") for way in ("read", "written")
    }
    for way, words in (("read", counts.read), ("written", counts.written)):
        for (unit, name), count in words.items():
            shape = shapes[name] if name in shapes else shapes[f"{name} of {unit}"]
            if shape.kind != "lut":
                found["uram" if shape.kind == "uram" and has_uram else "bram", way][unit] += count * shape.bits
    return MemoryBits(
        bram_read=found["bram", "read"],
        bram_written=found["bram", "written"],
        uram_read=found["uram", "read"],
        uram_written=found["uram", "written"],
    )


def _of_linear(design: Design, shape: LinearShape) -> Iterator[tuple[str, Shape]]:
    c = design.linears[shape.unit]
    x = c.in_lanes * c.activation.width
    weights = Shape(rows=c.banks * c.weight_words, bits=c.in_lanes * c.out_lanes * c.weight.width)
    biases = Shape(rows=c.banks * c.max_out_tiles, bits=c.out_lanes * c.bias.width)
    for unit in (shape.unit, shape.loader):
        yield f"weight banks of {unit}", weights
        yield f"bias banks of {unit}", biases
    yield f"inputs of {shape.unit}", Shape(rows=c.max_in_tiles, bits=x)
    yield f"input FIFO of {shape.unit}", Shape(rows=c.in_fifo - 1, bits=x)


def shapes_of(design: Design) -> dict[str, Shape]:
    """The memories that units' contracts count, by what they hold; several alike are one shape.

    Those of linear units and of their loaders, of which there may be several, are named with the unit too.
    """
    norm, patch = design.layernorm, design.patch_embed
    beat = design.lanes * norm.activation.width
    found = {
        **{key: shape for linear in design.target.shapes for key, shape in _of_linear(design, linear)},
        "queries": Shape(rows=design.qk.token_beats, bits=design.qk.channels * design.qk.activation.width),
        "value sums": Shape(rows=design.mv.token_beats, bits=design.mv.channels * design.mv.accumulator.width),
        "norm queue": Shape(rows=norm.queue_beats, bits=beat),
        "norms": Shape(rows=2 * norm.beats, bits=norm.lanes * (norm.weight.width + norm.bias.width)),
        "norm vector": Shape(
            rows=design.norm_loader.vector_beats, bits=design.norm_loader.beat_numbers * design.norm_loader.number_bits
        ),
        "patch weights": Shape(rows=patch.out_tiles * patch.in_tiles, bits=patch.in_lanes * patch.weight.width),
        "patch biases": Shape(rows=patch.out_tiles, bits=patch.out_lanes * patch.bias.width),
        "stripes": Shape(rows=2 * patch.stripe_beats, bits=patch.beat_pixels * patch.pixel.width),
    }
    if design.gate:
        gate = design.gate
        places = 1 << gate.expert.width + gate.token.width
        found["gate weights"] = Shape(rows=gate.tiles, bits=gate.lanes * gate.experts * gate.weight.width)
        found["expert queues"] = Shape(rows=places, bits=gate.token.width + gate.score.width)
    return found
