"""Encoders of long texts: patterns by layer, global tokens, ModernBERT's form."""

from typing import Any

import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.operators import Attention
from hwsim.mapping.step import Step
from tests.mapping.families import graph_of, lines_of, workload


def test_global_tokens_have_matrices_of_their_own() -> None:
    assert lines_of(graph_of("long_context", global_tokens=2, pooler=False))[2:13] == [
        "l0.q <- embed_norm: 8 -> 8 + bias",
        "l0.k <- embed_norm: 8 -> 8 + bias",
        "l0.v <- embed_norm: 8 -> 8 + bias",
        "l0.attention <- l0.q, l0.k, l0.v: 2 heads x 4, window(2, 2) | memory_slots(2)",
        "l0.global_q <- l0.global_tokens: 8 -> 8 + bias",
        "l0.global_k <- embed_norm: 8 -> 8 + bias",
        "l0.global_v <- embed_norm: 8 -> 8 + bias",
        "l0.global_attention <- l0.global_q, l0.global_k, l0.global_v: 2 heads x 4, full",
        "l0.attention_with_global <- l0.attention, l0.global_attention: the first 2 of each sequence, 8",
        "l0.proj <- l0.attention_with_global: 8 -> 8 + bias",
        "l0.add1 <- embed_norm, l0.proj: add 8",
    ]


def test_global_tokens_count_once_for_each_sequence() -> None:
    graph = graph_of("long_context", global_tokens=2)
    step = Step(queries=16, context=16, batch=3)
    assert graph.operator("l0.global_q").macs(step) == 3 * 2 * 8 * 8
    assert graph.operator("l0.global_k").macs(step) == 3 * 16 * 8 * 8
    assert graph.operator("l0.global_attention").macs(step) == 3 * 2 * (2 * 16) * (4 + 4)
    assert graph.operator("l0.global_attention").special_functions(step) == 3 * 2 * (2 * 16 + 2)
    assert graph.operator("l0.attention_with_global").element_ops(step) == 3 * 2 * 8
    assert graph.tensor("l0.global_q").bytes(step) == 3 * 2 * 8 * 2


def test_two_layers_of_modernberts_form() -> None:
    assert lines_of(graph_of("modernbert", layers=2)) == [
        "embed <- token_ids: 10 rows x 8",
        "embed_norm <- embed: layernorm 8 without bias",
        "l0.qkv <- embed_norm: 8 -> 24",
        "l0.rope <- l0.qkv: 2 + 2 heads x 4, theta 160000",
        "l0.attention <- l0.rope, l0.rope, l0.rope: 2 heads x 4, full",
        "l0.proj <- l0.attention: 8 -> 8",
        "l0.add1 <- embed_norm, l0.proj: add 8",
        "l0.norm2 <- l0.add1: layernorm 8 without bias",
        "l0.gate <- l0.norm2: 8 -> 12",
        "l0.up <- l0.norm2: 8 -> 12",
        "l0.glu <- l0.gate, l0.up: gelu_erf gate 12",
        "l0.ffn2 <- l0.glu: 12 -> 8",
        "l0.add2 <- l0.add1, l0.ffn2: add 8",
        "l1.norm1 <- l0.add2: layernorm 8 without bias",
        "l1.qkv <- l1.norm1: 8 -> 24",
        "l1.rope <- l1.qkv: 2 + 2 heads x 4, theta 10000",
        "l1.attention <- l1.rope, l1.rope, l1.rope: 2 heads x 4, window(64, 64)",
        "l1.proj <- l1.attention: 8 -> 8",
        "l1.add1 <- l0.add2, l1.proj: add 8",
        "l1.norm2 <- l1.add1: layernorm 8 without bias",
        "l1.gate <- l1.norm2: 8 -> 12",
        "l1.up <- l1.norm2: 8 -> 12",
        "l1.glu <- l1.gate, l1.up: gelu_erf gate 12",
        "l1.ffn2 <- l1.glu: 12 -> 8",
        "l1.add2 <- l1.add1, l1.ffn2: add 8",
        "final_norm <- l1.add2: layernorm 8 without bias",
    ]


def test_every_third_layer_of_modernbert_sees_all() -> None:
    graph = graph_of("modernbert", layers=7)
    patterns = [str(op.pattern) for op in graph.operators if isinstance(op, Attention)]
    assert patterns == ["full", "window(64, 64)", "window(64, 64)"] * 2 + ["full"]


def test_work_of_longformer_at_4096_tokens() -> None:
    longformer = workload(
        "long_context", layers=12, d_model=768, heads=12, vocab=30522, n_ctx=4096, tokens=4096,
        patterns=["window(256, 256)"], pooler=False,
    )  # fmt: skip
    window = longformer.model.macs(longformer.run.last_step(longformer.model))
    linear = 12 * 4096 * 12 * 768**2
    assert linear == 347_892_350_976  # 348 G
    pairs = 4096 * 513 - 256 * 257  # a window of 513, less at both ends
    assert window - linear == 12 * 2 * 768 * pairs == 37_517_524_992


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"patterns": ["windw(2)"]}, "pattern 'windw(2)', character 1: no kind 'windw'; nearest: window"),
        ({"patterns": []}, "patterns: tuple should have at least 1 item"),
        ({"patterns": ["global(20)"]}, "global(20): needs at least 20 tokens, got 16"),
        ({"patterns": ["segment(5)"]}, "segment(5): 16 tokens are no whole number of segments of 5"),
        ({"global_tokens": 17}, "global_tokens: a sequence of 16 tokens does not have 17"),
        ({"rope_thetas": [500]}, "rope_thetas goes with position: rope, and with no other"),
        ({"position": "rope", "global_tokens": 1}, "global_tokens goes with position: learned, and with no other"),
        ({"position": "rope", "position_offset": 2}, "position_offset goes with position: learned, and with no other"),
        ({"position": "rope", "heads": 8}, "rope rotates pairs of elements, but a head has 1"),
        ({"first_norm": False}, "first_norm: false goes with norm_order: pre, and with no other"),
        ({"tokens": 65}, "a sequence of 65 tokens is longer than n_ctx 64"),
    ],
)
def test_what_an_encoder_of_long_texts_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("long_context", **fields)
    assert str(caught.value).startswith(f"small: {message}")
