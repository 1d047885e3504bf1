"""Decoders: parameters and work in closed form equal those of their graphs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import MappingError, WorkloadError
from hwsim.mapping.models import build_graph
from hwsim.mapping.parallel import split_model
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


def test_experts_take_the_place_of_the_hidden_layer() -> None:
    # A choice of 4 x 64; each expert has 2 matrices of 64 x 256 with biases. Two of them work for a token.
    model, dense = model_of(experts=4, top_k=2), model_of()
    expert = 2 * 64 * 256 + 256 + 64
    assert model.parameters - dense.parameters == 4 * 64 + 3 * expert
    step = Step(queries=3, context=3)
    assert model.block_macs(step) - dense.block_macs(step) == 3 * (4 * 64 + 2 * 64 * 256)


def test_experts_are_in_the_last_of_every_so_many_layers() -> None:
    graph = graph_of(layers=5, experts=4, top_k=2, moe_every=2)
    assert [op.name for op in graph.operators if op.kind == "expert_ffn"] == ["l1.experts", "l3.experts"]


def test_a_run_of_a_model_with_experts_says_where_tokens_go() -> None:
    uniform = decoder(experts=4, top_k=2)
    assert str(uniform.run.routing) == "uniform"
    step = next(uniform.steps())
    assert step.load is not None
    assert sorted(step.load.queue_lengths(layer=0, tokens=1, experts=4, top_k=2)) == [0, 0, 1, 1]
    assert decoder().run.routing is None


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
    workload = decoder(layers=5, attention="window", windows=[7, 9, None])
    first, second = split_model(workload, tensor=1, pipeline=2)
    assert (first.share.model.windows, second.share.model.windows) == ((7, 9, None), (7, 9))


def test_experts_are_not_dealt_out_over_devices() -> None:
    with pytest.raises(MappingError, match="small: 4 experts: they are not dealt out over several devices"):
        split_model(decoder(experts=4, top_k=2, layers=2), tensor=1, pipeline=2)


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
        ({"top_k": 2}, "top_k goes with experts, of which the model has none"),
        ({"moe_every": 2}, "moe_every goes with experts, of which the model has none"),
        ({"experts": 4}, "4 experts: give top_k, how many of them a token has"),
        ({"experts": 4, "top_k": 5}, "top_k: a token cannot go to 5 of 4 experts"),
        ({"experts": 4, "top_k": 2, "moe_every": 2}, "moe_every 2 leaves 1 layers without experts"),
        ({"routing": {"load": "uniform"}}, "routing goes with experts, of which the model has none"),
        (
            {"experts": 4, "top_k": 2, "routing": {"load": "histogram", "histogram": [1, 2]}},
            "routing.histogram has 2 numbers, the model 4 experts",
        ),
        ({"block": "sideways"}, "block: input should be 'sequential', 'parallel' or 'parallel_one_norm'"),
        ({"activation": "swish"}, "activation: input should be 'gelu', 'gelu_erf', 'silu', 'relu', 'relu2' or 'tanh'"),
        ({"attention_softcap": 0}, "attention_softcap: input should be greater than 0, got 0"),
    ],
)
def test_fields_that_contradict_each_other_are_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        decoder(**fields)
    assert str(caught.value).startswith(f"small: {message}")
