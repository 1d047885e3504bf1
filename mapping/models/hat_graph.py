"""The operators of a hierarchical encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.bert_layer import bert_layer
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.operators import Operator, PerSequence, Positions, Scatter, Take
from hwsim.mapping.patterns import Full, Segment

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.hat import HatModel


def hat_graph(model: HatModel, segments: int) -> OperatorGraph:
    """Embedding, layers, and the pooler where there is one, for sequences of so many segments."""
    outside = Block(fmt=parse_format(model.format))
    inputs, embed = model.embedding(outside)
    operators: list[Operator] = [embed, outside.norm("embed_norm", embed.name, model.d_model)]
    for layer in range(model.layers):
        block = Block(fmt=outside.fmt, layer=layer)
        operators += bert_layer(model, block, operators[-1].name, Segment(size=model.segment_tokens))
        if layer in model.cross_layers:
            operators += _across(model, block, operators[-1].name, segments)
    if model.pooler:
        operators += outside.pooler(operators[-1].name, model.d_model)
    return OperatorGraph(name=model.name, inputs=inputs, operators=operators)


def _across(model: HatModel, block: Block, x: str, segments: int) -> list[Operator]:
    """The layer over the segments' first tokens, which it puts back in their places.

    The first tokens pass by themselves, as in the published code: `cross_segment` over all tokens would be the same
    attention, but matrices and norms would have all tokens to work on.
    """
    each = PerSequence(count=segments)
    first = Take(
        name=block.name("first_tokens"), layer=block.layer, inputs=(x,), fmt=block.fmt, width=model.d_model,
        which="first", count=segments, stride=model.segment_tokens,
    )  # fmt: skip
    placed = Positions(
        name=block.name("segment_positions"), layer=block.layer, inputs=(first.name,), fmt=block.fmt,
        width=model.d_model, positions=model.segment_position_rows, rows=each, weights_id="segment_positions",
    )  # fmt: skip
    cross = Block(fmt=block.fmt, layer=block.layer, rows=each, part="cross_")
    layer = bert_layer(model, cross, placed.name, Full())
    back = Scatter(
        name=block.name("with_first_tokens"), layer=block.layer, inputs=(x, layer[-1].name), fmt=block.fmt,
        width=model.d_model, count=segments, stride=model.segment_tokens,
    )  # fmt: skip
    return [first, placed, *layer, back]
