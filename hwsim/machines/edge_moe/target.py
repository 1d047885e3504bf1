"""What the compiler maps to on Edge-MoE: its units, and which result goes to which buffer."""

from __future__ import annotations

from hwsim.errors import MachineError, MappingError
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.fpga import FpgaTarget

UNIT_OF = {
    "patch_embed": "patch_embed",
    "norm": "layernorm",
    "linear": "linear",
    "act": "linear",  # applied as results leave
    "attention_scores": "qk",
    "softmax": "softmax",
    "attention_values": "mv",
    "eltwise": "residual_add",
    "route": "gate",
    "expert_ffn": "linear",
}

# As the source has them: x is the residual stream, the others take turns.
BUFFER_OF = {
    "embed": "x",
    "norm1": "tmp1",
    "q": "tmp2",
    "k": "tmp3",
    "v": "tmp2",
    "attention_scores": "scores",
    "softmax": "info",
    "attention_values": "tmp1",
    "proj": "tmp3",
    "add1": "x",
    "norm2": "tmp1",
    "ffn1": "hidden",
    "ffn2": "tmp3",
    "experts": "tmp3",
    "add2": "x",
    "final_norm": "tmp1",
    "classifier": "tmp2",
    "pooler": "tmp2",
}

# GELU's table is that of the exact function.
FUNCTIONS = ("gelu_erf",)


def target_of(spec: EdgeMoeSpec) -> FpgaTarget:
    """The target.

    Raises
    ------
    MachineError : tiles that are no whole or part of a beat
    """
    linear, formats = spec.linear, spec.formats
    standard = spec.standard
    accesses = standard.rows * standard.columns * standard.banks
    try:
        return FpgaTarget(
            machine=spec.name,
            unit_of=UNIT_OF,
            in_lanes=linear.in_lanes,
            out_lanes=linear.out_lanes,
            input_tiles=linear.input_tiles,
            weight_words=linear.weight_words,
            bias_words=linear.bias_words,
            beat_bytes=spec.beat_bytes,
            activation_bytes=formats.fixed("activation").width // 8,
            weight_bytes=formats.fixed("weight").width // 8,
            pixel_bytes=formats.fixed("pixel").width // 8,
            functions=FUNCTIONS,
            buffer_of=BUFFER_OF,
            port_of=spec.buffers,
            base_address=spec.memory.base_address,
            align_bytes=spec.memory.align_bytes,
            size_bytes=accesses * standard.column_bytes,
        )
    except MappingError as cause:
        raise MachineError(str(cause)) from None
