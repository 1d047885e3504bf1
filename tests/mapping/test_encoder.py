"""Encoders of texts with full attention."""

from typing import Any

import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.step import Step
from tests.mapping.families import graph_of, lines_of, workload


def test_a_layer_of_berts_form() -> None:
    assert lines_of(graph_of("bert")) == [
        "embed <- token_ids, segment_ids: 10 + 16 + 2 rows x 8",
        "embed_norm <- embed: layernorm 8",
        "l0.q <- embed_norm: 8 -> 8 + bias",
        "l0.k <- embed_norm: 8 -> 8 + bias",
        "l0.v <- embed_norm: 8 -> 8 + bias",
        "l0.attention <- l0.q, l0.k, l0.v: 2 heads x 4, full",
        "l0.proj <- l0.attention: 8 -> 8 + bias",
        "l0.add1 <- embed_norm, l0.proj: add 8",
        "l0.norm1 <- l0.add1: layernorm 8",
        "l0.ffn1 <- l0.norm1: 8 -> 32 + bias",
        "l0.gelu_erf <- l0.ffn1: gelu_erf 32",
        "l0.ffn2 <- l0.gelu_erf: 32 -> 8 + bias",
        "l0.add2 <- l0.norm1, l0.ffn2: add 8",
        "l0.norm2 <- l0.add2: layernorm 8",
        "pooler <- first: 8 -> 8 + bias",
        "tanh <- pooler: tanh 8",
    ]


def test_roberta_has_one_segment_and_two_positions_more() -> None:
    roberta = workload(
        "bert", layers=12, d_model=768, heads=12, vocab=50265, n_ctx=512, position_offset=2, segments=1
    ).model
    assert roberta.parameters == 124_645_632  # roberta-base, with its pooler


def test_sequences_pass_in_batches() -> None:
    run = workload("bert", sequences=5, batch=2)
    assert [(step.queries, step.batch) for step in run.steps()] == [(4, 2), (4, 2), (4, 1)]
    assert (run.run.produced, run.run.unit) == (5, "sequences")
    assert run.run.last_step(run.model) == Step(queries=4, context=4, batch=2)


def test_an_embedding_reads_a_row_of_each_table_for_every_token() -> None:
    embed = graph_of("bert").operator("embed")
    assert embed.weight_bytes_read(Step(queries=4, context=4, batch=2)) == 8 * 3 * 8 * 2
    assert embed.element_ops(Step(queries=4, context=4, batch=2)) == 8 * 8 * 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tokens": 17}, "a sequence of 17 tokens is longer than n_ctx 16; set it with --set workload.n_ctx=17"),
        ({"heads": 3}, "d_model 8 is not divisible by 3 heads"),
        ({"prompt": 3}, "no field 'prompt' in family bert; families gpt, llama have it"),
        ({"activation": "swoosh"}, "activation: input should be 'gelu'"),
        ({"segments": -1}, "segments: input should be greater than or equal to 0, got -1"),
    ],
)
def test_what_an_encoder_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("bert", **fields)
    assert str(caught.value).startswith(f"small: {message}")
