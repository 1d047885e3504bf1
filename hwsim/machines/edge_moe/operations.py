"""The DSP slices of each operation that Edge-MoE's units carry out, from their contracts.

What a unit's multipliers for a matrix leave of its DSP slices belongs to the functions beside them, so the operations
of a cycle in which everything works take as many as the unit has.
"""

from __future__ import annotations

from collections import defaultdict

from hwsim.energy.fpga import Operations
from hwsim.machines.edge_moe.counts import WorkCounts
from hwsim.machines.edge_moe.design import Design
from hwsim.rtl.estimates import multiplier


def operations(counts: WorkCounts, design: Design) -> dict[str, tuple[Operations, ...]]:
    """Unit -> its operations, each with the DSP slices that it takes."""
    found: dict[str, list[Operations]] = defaultdict(list)
    for unit, count in counts.macs.items():
        found[unit].append(Operations.macs(count, *_factor_bits(unit, design)))
    for (unit, function), count in counts.functions.items():
        if count:
            found[unit].append(Operations(name=function, count=count, dsps=_dsps(unit, function, design)))
    return {unit: tuple(entries) for unit, entries in found.items()}


def _factor_bits(unit: str, design: Design) -> tuple[int, int]:
    """Widths of the two factors of a unit's multiply-accumulates."""
    match unit:
        case "patch_embed":
            return design.patch_embed.pixel.width, design.patch_embed.weight.width
        case "qk" | "mv":
            return design.qk.activation.width, design.qk.activation.width
        case _:
            formats = design.spec.formats
            return formats.fixed("activation").width, formats.fixed("weight").width


def _dsps(unit: str, function: str, design: Design) -> int:
    match function:
        case "norm":  # of a beat: all lanes of both stages
            return design.layernorm.resources().dsp - _root(design)
        case "root":  # of a token
            return _root(design)
        case "gelu":
            return design.linears[unit].gelu.resources().dsp // design.linears[unit].out_lanes
        case "score":
            linear = design.linears[unit]
            return multiplier(linear.accumulator.width, linear.score.width, linear.accumulator.width).dsp
        case "scale":
            return _beside_macs("qk", design) // design.qk.slots
        case "probability":
            return _beside_macs("mv", design) // design.mv.exp_units
        case "reciprocal":
            return design.softmax.reciprocal.resources().dsp
        case "exponential":
            return design.softmax.recurrence.exp.resources().dsp
        case "quotient":
            c = design.softmax
            return multiplier(c.exponential.width, c.inverse.width, c.activation.width).dsp
        case "sum":
            return (design.gate if unit == "gate" and design.gate else design.softmax).recurrence.resources().dsp
        case "choice":  # the inverse of the sum, which is a token's, counts with each of its choices
            assert design.gate is not None
            gate = design.gate
            return gate.resources().dsp - gate.mac.resources().dsp - gate.recurrence.resources().dsp
        case _:
            raise AssertionError(f"unit {unit}: function {function} has no DSP slices stated")


def _root(design: Design) -> int:
    """The square of a mean, and the inverse root of a variance."""
    c = design.layernorm
    width = c.accumulator.width
    return c.rsqrt.resources().dsp + multiplier(width, width, width).dsp


def _beside_macs(unit: str, design: Design) -> int:
    """DSP slices of a unit for attention that are not those of its multiply-accumulates."""
    c = design.qk if unit == "qk" else design.mv
    lanes = c.slots * c.channels
    return c.resources().dsp - lanes * Operations.macs(1, *_factor_bits(unit, design)).dsps
