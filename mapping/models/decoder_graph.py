"""The operators of a decoder: what comes before its blocks, the blocks, what follows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hwsim.mapping.formats import Format, Int, parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.decoder_block import DecoderBlock, make_norm
from hwsim.mapping.operators import Collective, Embed, Linear, Operator, Scale, Softcap, Take, Tensor
from hwsim.mapping.parallel import Split

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.decoder import DecoderModel

TOKEN_TABLE = "tokens"  # identity of the embedding's table, which a tied vocabulary projection shares


def decoder_graph(model: DecoderModel, split: Split, *, whole: bool) -> OperatorGraph:
    """The blocks, and where they are `whole` the embedding before and final norm and vocabulary projection after.

    Otherwise the graph begins with the embedded token and ends with the last block.
    """
    fmt = parse_format(model.format)
    operators: list[Operator] = []
    if whole:
        inputs = (Tensor(name="token_ids", shape=("tokens",), fmt=Int(width=32, signed=True)),)
        operators += _embedding(model, fmt)
        stream = operators[-1].name
    else:
        inputs = (Tensor(name="embedded", shape=("tokens", model.d_model), fmt=fmt),)
        stream = "embedded"
    for layer in range(model.layers):
        block = DecoderBlock(model, layer, fmt, split).operators(stream)
        operators += block
        stream = block[-1].name
    if whole:
        operators += _head(model, stream, fmt)
    if split.sends:
        operators.append(
            Collective(name="send", inputs=(stream,), fmt=fmt, function="send", width=model.d_model, devices=2)
        )
    return OperatorGraph(name=model.name, inputs=inputs, operators=operators)


def _embedding(model: DecoderModel, fmt: Format) -> list[Operator]:
    embed = Embed(
        name="embed", role="embed", inputs=("token_ids",), fmt=fmt, vocab=model.vocab,
        positions=model.n_ctx if model.position == "learned" else 0, width=model.d_model, weights_id=TOKEN_TABLE,
    )  # fmt: skip
    if model.embedding_scale is None:
        return [embed]
    scale = Scale(name="embed_scale", inputs=("embed",), fmt=fmt, width=model.d_model, factor=model.embedding_scale)
    return [embed, scale]


def _head(model: DecoderModel, stream: str, fmt: Format) -> list[Operator]:
    """What follows the blocks, for each sequence's last token alone."""
    made: list[Operator] = [
        Take(name="last", inputs=(stream,), fmt=fmt, width=model.d_model, which="last"),
        replace(make_norm(model, "norm", "last", fmt), role="final_norm", rows="outputs"),
        Linear(
            name="lm_head", role="lm_head", rows="outputs", inputs=("norm",), fmt=fmt, d_in=model.d_model,
            d_out=model.vocab, bias=model.lm_head_bias, weights_id=TOKEN_TABLE if model.tied_embeddings else None,
        ),
    ]  # fmt: skip
    if model.logit_softcap is not None:
        made.append(
            Softcap(
                name="logit_softcap", inputs=("lm_head",), fmt=fmt, width=model.vocab, cap=model.logit_softcap,
                rows="outputs",
            )
        )  # fmt: skip
    return made
