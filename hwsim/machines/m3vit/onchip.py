"""What lies on the chip, part by part: weights in each mode, gate, queues, activations."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.machines.m3vit.programs import Program
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import M3vitSpec, Mode
from hwsim.machines.m3vit.weights import WeightMap

TOKEN_SCORE_BITS = 32  # of a token's score in a queue, as in Edge-MoE's gate


@dataclass(frozen=True, kw_only=True)
class OnChip:
    """Bytes on the chip.

    Attributes
    ----------
    resident : weights that stay there: of patches, of the final norm, of the classifier
    attention : of a layer's matrices around attention, with its norms
    experts : of a dense hidden layer or of experts, whichever is more
    held_experts : experts that lie there at a time
    gate : of a task's gate of one layer; it grows with the number of experts
    queues : numbers of tokens and their scores, a queue an expert; they grow with the number of experts
    """

    resident: int
    attention: int
    experts: int
    held_experts: int
    gate: int
    queues: int

    @property
    def weights(self) -> int:
        """What the paper counts as memory."""
        return self.resident + self.attention + self.experts + self.gate


def on_chip(program: Program, mode: Mode | None = None, sizes: Sizes | None = None) -> OnChip:
    """What lies on the chip in a mode, that of the program unless given.

    Parameters
    ----------
    sizes : other images or classes than the program's
    """
    spec, weights, sizes = program.spec, program.mapped.placement, sizes or program.sizes
    held = _held_experts(spec, weights, mode or spec.mode)
    index = max(1, (sizes.tokens * program.mapped.batch - 1).bit_length())
    return OnChip(
        resident=sizes.resident_words * spec.formats.number_bytes("weight"),
        attention=min(_layer_bytes(weights, "attention"), spec.buffers.attention_bytes),
        experts=max(held * weights.expert_bytes, min(_layer_bytes(weights, "experts"), spec.buffers.expert_bytes)),
        held_experts=held,
        gate=weights.gate_bytes,
        queues=-(-sizes.experts * sizes.tokens * program.mapped.batch * (index + TOKEN_SCORE_BITS) // 8),
    )


def _held_experts(spec: M3vitSpec, weights: WeightMap, mode: Mode) -> int:
    """Whole experts that lie on the chip at a time; 0 without experts, or where they come in passes."""
    layers = [layer for layer in weights.experts.values() if len(layer[0]) == 1]
    if not layers:
        return 0
    room = {"reorder": spec.buffers.expert_bytes, "cache": spec.cache.capacity_bytes}
    experts = len(layers[0])
    return experts if mode == "resident" else min(experts, room[mode] // weights.expert_bytes)


def _layer_bytes(weights: WeightMap, region: str) -> int:
    """Of the matrices of a layer that go to some buffers, in the layer with most."""
    sums: dict[str, int] = {}
    for operator, passes in weights.matrices.items():
        layer = operator.partition(".")[0]
        sums[layer] = sums.get(layer, 0) + sum(part.size_bytes for part in passes if part.region == region)
    return max(sums.values(), default=0)
