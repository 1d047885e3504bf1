"""Formats of operands: what a scheme changes, and the conversions that it inserts."""

from typing import Any

import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Embed, Linear
from hwsim.mapping.step import Step
from tests.mapping.workloads import tiny

STEP = Step(queries=1, context=4)


def quantised(**fields: Any) -> OperatorGraph:
    return build_graph(tiny(**fields))


def kinds(g: OperatorGraph, kind: str) -> list[str]:
    return [op.name for op in g.operators if op.kind == kind]


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


def test_an_unknown_format_names_its_field() -> None:
    with pytest.raises(WorkloadError, match="tiny: weight_format: no number format 'int'"):
        quantised(weight_format="int")
    with pytest.raises(WorkloadError, match="tiny: format: 'int8/token' has scales"):
        quantised(format="int8/token")


def test_no_scheme_leaves_the_graph_alone() -> None:
    assert quantised().dump(STEP) == quantised(weight_format="bf16").dump(STEP).replace(", weights bf16", "")
