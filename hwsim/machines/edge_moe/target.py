"""What the compiler maps to on Edge-MoE: its units, and which result goes to which buffer."""

from __future__ import annotations

from hwsim.errors import MachineError, MappingError
from hwsim.machines.edge_moe.sizes import Sizes
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.fpga import LINEAR_TYPES, FpgaTarget, LinearShape, LinearType

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

# Without the single pass, probabilities take the place of the scores.
IN_PLACE = {"softmax": "scores"}

# GELU's table is that of the exact function.
FUNCTIONS = ("gelu_erf",)


def target_of(spec: EdgeMoeSpec, sizes: Sizes) -> FpgaTarget:
    """The target.

    Raises
    ------
    MachineError : tiles that are no whole or part of a beat
    """
    formats, standard = spec.formats, spec.standard
    accesses = standard.rows * standard.columns * standard.banks
    try:
        return FpgaTarget(
            machine=spec.name,
            unit_of=UNIT_OF,
            linears=linear_shapes(spec, sizes),
            embed_lanes=spec.linear.out_lanes,
            beat_bytes=spec.beat_bytes,
            activation_bytes=formats.fixed("activation").width // 8,
            weight_bytes=formats.fixed("weight").width // 8,
            pixel_bytes=formats.fixed("pixel").width // 8,
            functions=FUNCTIONS,
            buffer_of=BUFFER_OF | ({} if spec.techniques.single_pass_softmax == "on" else IN_PLACE),
            port_of=spec.buffers,
            base_address=spec.memory.base_address,
            align_bytes=spec.memory.align_bytes,
            size_bytes=accesses * standard.column_bytes,
        )
    except MappingError as cause:
        raise MachineError(str(cause)) from None


def linear_shapes(spec: EdgeMoeSpec, sizes: Sizes) -> dict[LinearType, LinearShape]:
    """The linear unit of each type of layer: the same for all, or one each.

    Three units share the multipliers of the unified one. Inputs of a tile stay as they are, and outputs become the
    largest power of two within a third. Each has a single bank, which holds its largest matrix as far as a bank of the
    unified unit would.
    """
    linear = spec.linear
    if spec.techniques.unified_linear == "on":
        shape = LinearShape(
            unit="linear", loader="weight_loader", in_lanes=linear.in_lanes, out_lanes=linear.out_lanes,
            input_tiles=linear.input_tiles, weight_words=linear.weight_words, bias_words=linear.bias_words,
        )  # fmt: skip
        return dict.fromkeys(LINEAR_TYPES, shape)
    out_lanes = 1 << max(0, (linear.out_lanes // len(LINEAR_TYPES)).bit_length() - 1)
    tiles = linear.out_lanes // out_lanes  # of a tile of the unified unit
    largest = {"attention": sizes.features, "ffn": sizes.hidden, "experts": sizes.expert_hidden}
    found: dict[LinearType, LinearShape] = {}
    for name in LINEAR_TYPES:
        width = max(largest[name], sizes.features)
        inputs, outputs = -(-sizes.features // linear.in_lanes), -(-width // out_lanes)
        words = max(-(-width // linear.in_lanes), min(inputs * outputs, linear.weight_words * tiles))
        found[name] = LinearShape(
            unit=f"linear_{name}", loader=f"weight_loader_{name}", in_lanes=linear.in_lanes, out_lanes=out_lanes,
            input_tiles=min(linear.input_tiles, words), weight_words=words,
            bias_words=min(linear.bias_words * tiles, words), banks=1,
        )  # fmt: skip
    return found
