"""Decoders: what their fields weigh and cost in closed form is what their graphs hold and do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.models import build_graph
from hwsim.mapping.step import Step
from tests.mapping.decoders import decoder, decoder_fields, graph_of, model_of

STEPS = st.builds(
    lambda queries, before, batch, results: Step(
        queries=queries, context=queries + before, batch=batch, results=min(results, batch)
    ),
    st.integers(1, 9),
    st.integers(0, 20),
    st.integers(1, 3),
    st.integers(0, 3),
)


@given(fields=decoder_fields(), step=STEPS)
def test_closed_forms_are_the_sums_over_the_operators(fields: dict[str, Any], step: Step) -> None:
    whole = decoder(**fields, lm_head="included")
    graph, model = build_graph(whole), whole.model
    assert model.parameters == graph.parameters
    assert model.macs(step) == graph.totals(step).macs
    blocks = build_graph(decoder(**fields))
    assert model.block_macs(step) == blocks.totals(step).macs


def test_biases_of_queries_keys_and_values_alone() -> None:
    # Qwen2: 64 inputs; 2 heads of 32 for each of q, k and v
    assert model_of(bias=False, qkv_bias=True).parameters - model_of(bias=False).parameters == 3 * 64
    linears = {op.name: len(op.tables) for op in graph_of(bias=False, qkv_bias=True).operators if op.kind == "linear"}
    assert linears == {"l0.qkv": 2, "l0.proj": 1, "l0.ffn1": 1, "l0.ffn2": 1}


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"proj_bias": True}, 64),
        ({"mlp_bias": True}, 256 + 64),
        ({"lm_head_bias": True}, 100),
        ({"qk_norm": "rmsnorm"}, 2 * 32),
        ({"qk_norm": "layernorm"}, 4 * 32),
        ({"post_norms": True}, 2 * 2 * 64),
        ({"block": "parallel"}, 0),
        ({"block": "parallel_one_norm"}, -2 * 64),
        ({"tied_embeddings": False}, 100 * 64),
        ({"attention_softcap": 50, "logit_softcap": 30, "embedding_scale": 8, "query_scale": 0.5}, 0),
    ],
)
def test_what_a_field_adds_to_the_parameters(fields: dict[str, Any], more: int) -> None:
    assert model_of(bias=False, **fields).parameters - model_of(bias=False).parameters == more


def test_layers_with_a_window_keep_a_cache_that_rolls() -> None:
    # Two of three layers see 8 keys, the query's own included; a token's keys and values are 2 x 64 bf16 a layer.
    graph = graph_of(layers=3, attention="window", windows=[7, 7, None])
    states = [graph.totals(Step(queries=1, context=context)).state_bytes for context in (4, 8, 100)]
    assert states == [256 * 3 * 4, 256 * 3 * 8, 256 * (8 + 8 + 100)]


def test_windows_repeat_over_the_layers() -> None:
    model = model_of(layers=5, attention="window", windows=[7, None])
    assert [model.window_of(layer) for layer in range(5)] == [7, None, 7, None, 7]


def test_layers_with_a_window_may_turn_by_another_theta() -> None:
    graph = graph_of(
        layers=2, family="llama", d_ff=8, attention="window", windows=[7, None], rope_theta=1e6, window_rope_theta=1e4
    )
    assert [op.describe() for op in graph.operators if op.kind == "rope"] == [
        "2 + 2 heads x 32, theta 10000",
        "2 + 2 heads x 32, theta 1e+06",
    ]


def test_a_stage_of_a_pipeline_has_the_windows_of_its_own_layers() -> None:
    from hwsim.mapping.parallel import split_model

    workload = decoder(layers=5, attention="window", windows=[7, 9, None])
    first, second = split_model(workload, tensor=1, pipeline=2)
    assert (first.share.model.windows, second.share.model.windows) == ((7, 9, None), (7, 9))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attention": "window"}, "window goes with attention: window, and with no other"),
        ({"window": 3}, "window goes with attention: window, and with no other"),
        ({"windows": [3]}, "windows goes with attention: window, and with no other"),
        (
            {"attention": "window", "window": 3, "windows": [3]},
            "window and windows: give one of them, for all layers or layer by layer",
        ),
        ({"attention": "window", "windows": [3, 4]}, "windows: 2 of them for 1 layers"),
        ({"attention": "window", "windows": [None]}, "windows: none of the layers has one; say attention: causal"),
        (
            {"attention": "window", "windows": ["3"]},
            "windows.0: input should be a valid integer, got '3'",
        ),
        ({"attention": "window", "windows": 3}, "windows: input should be a valid tuple, got 3"),
        ({"attention": "window", "windows": [0]}, "windows.0: input should be greater than or equal to 1, got 0"),
        ({"rotary_dim": 8}, "rotary_dim goes with position: rope, and with no other"),
        ({"position": "rope", "rotary_dim": 7}, "rope rotates pairs of elements, but rotary_dim is 7"),
        ({"position": "rope", "rotary_dim": 34}, "rotary_dim 34 is more than a head has, 32"),
        (
            {"position": "rope", "window_rope_theta": 1e6},
            "window_rope_theta goes with attention: window, and with no other",
        ),
        ({"block": "sideways"}, "block: input should be 'sequential', 'parallel' or 'parallel_one_norm'"),
        ({"activation": "swish"}, "activation: input should be 'gelu', 'gelu_erf', 'silu', 'relu', 'relu2' or 'tanh'"),
        ({"attention_softcap": 0}, "attention_softcap: input should be greater than 0, got 0"),
    ],
)
def test_fields_that_contradict_each_other_are_one_line(fields: dict[str, Any], message: str) -> None:
    from hwsim.mapping.errors import WorkloadError

    with pytest.raises(WorkloadError) as caught:
        decoder(**fields)
    assert str(caught.value).startswith(f"small: {message}")
