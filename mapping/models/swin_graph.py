"""The operators of Swin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.swin_stages import Stage
from hwsim.mapping.operators import Mean, Merge, Operator, PerSequence

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.swin import SwinModel


def swin_graph(model: SwinModel) -> OperatorGraph:
    """Patches and their norm, stages with merging between them, the last norm, perhaps a classifier."""
    outside = Block(fmt=parse_format(model.format))
    inputs, embed = model.embed_patches(outside, model.d_model, positions=False)
    operators: list[Operator] = [embed, outside.norm("embed_norm", embed.name, model.d_model)]
    for stage in model.stages:
        if stage.number:
            operators += _merged(outside, model.stages[stage.number - 1], operators[-1].name)
        for layer in range(stage.layers):
            block = Block(fmt=outside.fmt, layer=stage.first_layer + layer, rows=stage.rows)
            operators += _layer(model, block, stage, layer, operators[-1].name)
    last = model.stages[-1]
    end = Block(fmt=outside.fmt, rows=last.rows)
    operators.append(end.norm("final_norm", operators[-1].name, last.elements))
    operators += _head(model, end, last, operators[-1].name)
    return OperatorGraph(name=model.name, inputs=inputs, operators=operators)


def _layer(model: SwinModel, block: Block, stage: Stage, layer: int, x: str) -> list[Operator]:
    """Windows of attention and the hidden layer, each after a norm and added to what it read."""
    d = stage.elements
    norm1 = block.norm("norm1", x, d)
    attention = block.self_attention(
        norm1.name, d, stage.heads, stage.pattern(layer), qkv_bias=model.qkv_bias, relative_bias=stage.relative_bias
    )
    add1 = block.add("add1", x, attention[-1].name, d)
    norm2 = block.norm("norm2", add1.name, d)
    mlp = block.mlp(norm2.name, d, model.mlp_ratio * d, model.activation)
    return [norm1, *attention, add1, norm2, *mlp, block.add("add2", add1.name, mlp[-1].name, d)]


def _merged(outside: Block, stage: Stage, x: str) -> list[Operator]:
    """What the stage after `stage` reads: squares of 2 x 2 tokens, normed, then halved by a matrix without bias."""
    after = Block(fmt=outside.fmt, rows=PerSequence(count=stage.tokens // 4), part=f"s{stage.number + 1}.")
    merge = Merge(
        name=after.name("squares"), inputs=(x,), fmt=outside.fmt, rows=stage.rows, height=stage.height,
        width=stage.width, elements=stage.elements,
    )  # fmt: skip
    norm = after.norm("merge_norm", merge.name, 4 * stage.elements)
    return [merge, norm, after.linear("merge", norm.name, 4 * stage.elements, 2 * stage.elements, bias=False)]


def _head(model: SwinModel, end: Block, last: Stage, x: str) -> list[Operator]:
    """Classes of the mean of the last tokens."""
    if model.classes is None:
        return []
    mean = Mean(name=end.name("mean"), inputs=(x,), fmt=end.fmt, width=last.elements, rows=last.rows)
    return [mean, end.linear("classifier", mean.name, last.elements, model.classes, rows="outputs")]
