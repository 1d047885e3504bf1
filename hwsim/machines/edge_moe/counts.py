"""What the units of Edge-MoE did in a run, as far as energy and utilisation depend on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hwsim.energy.fpga import Operations
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import Instruction
from hwsim.rtl.skew import row_count


@dataclass
class WorkCounts:
    """Operations and bits in block RAM by unit, padding included.

    Attributes
    ----------
    macs : unit -> multiply-accumulates
    functions : (unit, function) -> evaluations
    bits_read, bits_written : unit -> bits of its banks of weights
    passes : passes over matrices
    """

    macs: Counter[str] = field(default_factory=Counter)
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)
    bits_read: Counter[str] = field(default_factory=Counter)
    bits_written: Counter[str] = field(default_factory=Counter)
    passes: int = 0

    def add(self, instructions: Iterable[Instruction], design: Design) -> None:
        """Count the work of some instructions."""
        for instruction in instructions:
            self._count(instruction, design)

    def _count(self, instruction: Instruction, design: Design) -> None:
        unit = instruction.unit
        match instruction.work:
            case work.LoadWeights() as job:
                self.bits_written[unit] += job.part.words * _tile_bits(design)
            case work.Multiply() as job:
                tiles = job.command.tokens * job.command.words
                self.macs[unit] += tiles * design.linear.in_lanes * design.linear.out_lanes
                self.bits_read["weight_loader"] += tiles * _tile_bits(design)
                self.passes += 1
            case work.ComputeScores() as job:
                c, rows = design.qk, row_count(job.tokens, design.qk.slots)
                self.macs[unit] += rows * c.token_beats * c.channels * c.slots
                self.functions["softmax", "exp"] += rows * c.heads * c.slots
                self.functions["softmax", "reciprocal"] += job.tokens * c.heads
            case work.ComputeValues() as job:
                v, rows = design.mv, row_count(job.tokens, design.mv.slots)
                self.macs[unit] += rows * v.token_beats * v.channels * v.slots
                self.functions[unit, "exp"] += rows * v.heads * v.slots
            case work.Normalise() as job:
                self.macs[unit] += 4 * job.tokens * design.layernorm.features  # two products in each of its stages
                self.functions[unit, "rsqrt"] += job.tokens
            case work.Choose() as job:
                assert design.gate is not None
                self.macs[unit] += job.tokens * design.gate.inputs * design.gate.experts
                self.functions[unit, "exp"] += job.tokens * (design.gate.experts + design.gate.top)
                self.functions[unit, "reciprocal"] += job.tokens
            case work.EmbedPatches() as job:
                p = design.patch_embed
                self.macs[unit] += job.command.stripes * p.stripe_patches * p.features * p.channels * p.patch**2
            case _:
                pass

    def operations(self, design: Design) -> dict[str, tuple[Operations, ...]]:
        """Unit -> its operations, each with the DSP slices that it takes."""
        activation, weight = (design.spec.formats.fixed(name).width for name in ("activation", "weight"))
        narrow = {"linear", "gate"}
        pixel, patch = (design.spec.formats.fixed(name).width for name in ("pixel", "patch_weight"))
        blocks = {
            "exp": design.softmax.recurrence.exp,
            "reciprocal": design.softmax.reciprocal,
            "rsqrt": design.layernorm.rsqrt,
        }
        found: dict[str, list[Operations]] = {}
        for unit, count in self.macs.items():
            other = weight if unit.split("_")[0] in narrow else activation
            widths = (pixel, patch) if unit == "patch_embed" else (activation, other)
            found.setdefault(unit, []).append(Operations.macs(count, *widths))
        for (unit, function), count in self.functions.items():
            found.setdefault(unit, []).append(Operations.on_block(function, count, blocks[function]))
        return {unit: tuple(entries) for unit, entries in found.items()}


def _tile_bits(design: Design) -> int:
    linear = design.linear
    return linear.in_lanes * linear.out_lanes * linear.weight.width
