"""The layer of BERT's form, of which BERT and HAT are made: each sum is normed."""

from __future__ import annotations

from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.encoder_layers import EncoderLayers
from hwsim.mapping.operators import Operator
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step


def bert_layer(model: EncoderLayers, block: Block, x: str, pattern: Pattern) -> list[Operator]:
    """Attention over `pattern`, the hidden layer, and their norms, which read `x`."""
    d = model.d_model
    attention = block.self_attention(x, d, model.heads, pattern, qkv_bias=model.bias, bias=model.bias)
    add1 = block.add("add1", x, attention[-1].name, d)
    norm1 = block.norm("norm1", add1.name, d)
    mlp = block.mlp(norm1.name, d, model.ff_size, model.activation, bias=model.bias)
    add2 = block.add("add2", norm1.name, mlp[-1].name, d)
    return [*attention, add1, norm1, *mlp, add2, block.norm("norm2", add2.name, d)]


def bert_layer_parameters(model: EncoderLayers) -> int:
    """Of one layer, in closed form."""
    norm = 2 * model.d_model
    return model.attention_weights + model.bias * 4 * model.d_model + model.mlp_parameters + 2 * norm


def bert_layer_macs(model: EncoderLayers, step: Step, pattern: Pattern) -> int:
    """Multiply-accumulates of one layer, in closed form."""
    return step.tokens * (model.attention_weights + model.mlp_weights) + model.attention_macs(step, pattern)
