"""Formats of operands: what a scheme changes, and the conversions that it inserts."""

from typing import Any

import pytest

from hwsim.mapping.errors import GraphError, WorkloadError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Embed, ExpertFfn, Linear, Table
from hwsim.mapping.step import Step
from tests.mapping.families import graph_of
from tests.mapping.workloads import tiny

STEP = Step(queries=1, context=4)
INT8_INPUTS = {"input_format": "int8"}


def quantised(**fields: Any) -> OperatorGraph:
    return build_graph(tiny(**fields))


def kinds(g: OperatorGraph, kind: str) -> list[str]:
    return [op.name for op in g.operators if op.kind == kind]


def table(g: OperatorGraph, identity: str) -> Table:
    return next(table for table in g.tables if table.identity == identity)


def test_w4a8_quantises_each_matrix_input_once() -> None:
    g = quantised(mlp="gated", d_ff=128, weight_format="int4/group32(fp16)", input_format="int8/token(fp16)")
    a8 = "int8/token(fp16)"
    # gate and up read the same quantised tensor
    assert kinds(g, "quantise") == [f"l0.{name}.{a8}" for name in ("norm1", "attention", "norm2", "glu")]
    gate = g.operator("l0.gate")
    assert gate.inputs == (f"l0.norm2.{a8}",)
    # 128 x 64 weights of 4 bits, a scale of 16 bits for 32 of them, and a bias of 128 x 16 bits
    assert gate.weight_bytes == 128 * 64 // 2 + 128 * 2 * 2 + 128 * 2
    assert g.tensor(f"l0.norm2.{a8}").bytes(STEP) == 64 + 2


def test_edge_moes_linear_can_be_said() -> None:
    g = quantised(
        format="fixed(32,10)", weight_format="fixed(16,2)", bias_format="fixed(18,7)", accumulator_format="fixed(48,16)"
    )
    ffn1 = g.operator("l0.ffn1")
    assert isinstance(ffn1, Linear)
    assert ffn1.describe() == "64 -> 256 + bias, weights fixed(16,2), bias fixed(18,7), accumulator fixed(48,16)"
    assert [table.bytes for table in ffn1.tables] == [64 * 256 * 2, 256 * 18 // 8]
    assert g.tensor("l0.ffn1").bytes(STEP) == 256 * 4
    assert kinds(g, "quantise") == []  # inputs and results are in one format


def test_a_cache_in_eight_bits_takes_half_and_is_converted_into() -> None:
    plain, narrow = quantised(), quantised(cache_format="fp8_e4m3")
    assert kinds(narrow, "quantise") == ["l0.k.fp8_e4m3", "l0.v.fp8_e4m3"]
    assert plain.totals(STEP).state_bytes == 2 * narrow.totals(STEP).state_bytes == 1024
    assert plain.traffic(STEP).state_read == 2 * narrow.traffic(STEP).state_read == 1024


def test_nvfp4_takes_four_and_a_half_bits() -> None:
    g = quantised(bias=False, weight_format="nvfp4")
    ffn1 = g.operator("l0.ffn1")
    assert ffn1.weight_bytes == 64 * 256 * 9 // 16 + 4  # and one scale of the whole matrix


def test_a_tied_projection_keeps_the_embeddings_format() -> None:
    g = quantised(lm_head="included", weight_format="w4")
    head, embed = g.operator("lm_head"), g.operator("embed")
    assert isinstance(head, Linear)
    assert isinstance(embed, Embed)
    assert head.tables[0] == embed.tables[0]


def test_a_format_that_nothing_in_the_graph_has_is_refused() -> None:
    with pytest.raises(GraphError, match="tiny: bias_format int32 goes with matrices with biases, of which the graph"):
        quantised(bias=False, bias_format="int32")
    with pytest.raises(GraphError, match="small: cache_format int8 goes with caches of keys and values, of which the"):
        graph_of("bert", cache_format="int8")
    with pytest.raises(GraphError, match="small: weight_format int8 goes with matrices, of which the graph has none"):
        graph_of("kernel", operator="layernorm", width=8, weight_format="int8")


def test_matrices_without_biases_have_no_format_of_them() -> None:
    g = quantised(bias=False, mlp_bias=True, bias_format="fp32")
    assert g.operator("l0.qkv").describe() == "64 -> 192"
    assert g.operator("l0.ffn1").describe() == "64 -> 256 + bias, bias fp32"


def test_keys_and_values_have_scales_of_their_own() -> None:
    g = quantised(cache_format="int8/token(fp16)")
    four_tokens = 4 * (64 + 2 + 64 + 2)
    assert g.totals(STEP).state_bytes == g.traffic(STEP).state_read == four_tokens
    assert g.traffic(STEP).state_written == four_tokens // 4


def test_patches_and_gates_are_matrices_too() -> None:
    formats = {"weight_format": "int8", "input_format": "int8/token(fp16)", "bias_format": "fp32"}
    g = graph_of("moe_vit", **formats)
    a8 = "int8/token(fp16)"
    assert g.operator("embed").inputs == (f"image.{a8}",)
    assert g.operator("l1.route").inputs == (f"l1.norm2.{a8}",)
    assert g.operator("l1.experts").inputs == (f"l1.norm2.{a8}", "l1.route")
    for name in ("embed", "l1.route", "l1.experts"):
        assert ", weights int8" in g.operator(name).describe()
    plain = graph_of("moe_vit")
    assert 2 * table(g, "embed.weight").bytes == table(plain, "embed.weight").bytes
    assert 2 * table(g, "l1.route.gate0").bytes == table(plain, "l1.route.gate0").bytes
    assert table(g, "embed.bias").bytes == 2 * table(plain, "embed.bias").bytes


def test_hidden_units_of_experts_are_quantised_as_those_of_others_are() -> None:
    sizes: dict[str, Any] = {
        "operator": "expert_ffn",
        "width": 8,
        "hidden": 6,
        "experts": 4,
        "top_k": 2,
        "function": "relu",
    }
    step = Step(queries=5, context=5)
    plain, narrow = (graph_of("kernel", **sizes, **fmt).operator("experts") for fmt in ({}, INT8_INPUTS))
    scaled = graph_of("kernel", **sizes, input_format="int8/token").operator("experts")
    assert narrow.element_ops(step) - plain.element_ops(step) == 5 * 2 * 6
    assert scaled.element_ops(step) - plain.element_ops(step) == 5 * 2 * 6 * 2  # and the scales are found first


def test_each_expert_has_a_scale_of_the_whole_matrix() -> None:
    g = graph_of("moe_vit", weight_format="int8/tensor(fp32)")
    experts = g.operator("l1.experts")
    assert isinstance(experts, ExpertFfn)
    assert experts.weight_bytes == experts.experts * experts.expert_bytes


def test_an_unknown_format_names_its_field() -> None:
    with pytest.raises(WorkloadError, match="tiny: weight_format: no number format 'int'"):
        quantised(weight_format="int")
    with pytest.raises(WorkloadError, match="tiny: format: 'int8/token' has scales"):
        quantised(format="int8/token")


def test_no_scheme_leaves_the_graph_alone() -> None:
    assert quantised().dump(STEP) == quantised(weight_format="bf16").dump(STEP).replace(", weights bf16", "")
