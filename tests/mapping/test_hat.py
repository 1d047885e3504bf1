"""HAT: segments that see themselves, and layers over their first tokens."""

from typing import Any

import pytest

from hwsim.mapping.errors import GraphError, WorkloadError
from hwsim.mapping.formats import BF16
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Attention, PerSequence, Positions, Tensor
from hwsim.mapping.patterns import CrossSegment, Segment
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import load_workload
from hwsim.shipped import shipped_workloads
from tests.mapping.families import graph_of, lines_of, workload


def test_a_layer_over_segments_and_one_over_their_first_tokens() -> None:
    graph = graph_of("hat", layers=1, cross_layers=[0], segments=0)
    assert lines_of(graph) == [
        "embed <- token_ids: 10 + 4 rows x 8",
        "embed_norm <- embed: layernorm 8",
        "l0.q <- embed_norm: 8 -> 8 + bias",
        "l0.k <- embed_norm: 8 -> 8 + bias",
        "l0.v <- embed_norm: 8 -> 8 + bias",
        "l0.attention <- l0.q, l0.k, l0.v: 2 heads x 4, segment(4)",
        "l0.proj <- l0.attention: 8 -> 8 + bias",
        "l0.add1 <- embed_norm, l0.proj: add 8",
        "l0.norm1 <- l0.add1: layernorm 8",
        "l0.ffn1 <- l0.norm1: 8 -> 32 + bias",
        "l0.gelu_erf <- l0.ffn1: gelu_erf 32",
        "l0.ffn2 <- l0.gelu_erf: 32 -> 8 + bias",
        "l0.add2 <- l0.norm1, l0.ffn2: add 8",
        "l0.norm2 <- l0.add2: layernorm 8",
        "l0.segment_positions <- l0.first_tokens: 17 rows x 8",
        "l0.cross_q <- l0.segment_positions: 8 -> 8 + bias",
        "l0.cross_k <- l0.segment_positions: 8 -> 8 + bias",
        "l0.cross_v <- l0.segment_positions: 8 -> 8 + bias",
        "l0.cross_attention <- l0.cross_q, l0.cross_k, l0.cross_v: 2 heads x 4, full",
        "l0.cross_proj <- l0.cross_attention: 8 -> 8 + bias",
        "l0.cross_add1 <- l0.segment_positions, l0.cross_proj: add 8",
        "l0.cross_norm1 <- l0.cross_add1: layernorm 8",
        "l0.cross_ffn1 <- l0.cross_norm1: 8 -> 32 + bias",
        "l0.cross_gelu_erf <- l0.cross_ffn1: gelu_erf 32",
        "l0.cross_ffn2 <- l0.cross_gelu_erf: 32 -> 8 + bias",
        "l0.cross_add2 <- l0.cross_norm1, l0.cross_ffn2: add 8",
        "l0.cross_norm2 <- l0.cross_add2: layernorm 8",
        "l0.with_first_tokens <- l0.norm2, l0.cross_norm2: the first 4 of each sequence, 4 apart, 8",
    ]
    assert graph.operator("l0.first_tokens").describe() == "the first 4 of each sequence, 4 apart"


def test_first_tokens_pass_by_themselves() -> None:
    graph, step = graph_of("hat"), Step(queries=16, context=16, batch=3)
    assert graph.tensor("l1.first_tokens").shape == (PerSequence(count=4), 8)
    assert graph.operator("l1.cross_q").macs(step) == 3 * 4 * 8 * 8
    assert graph.operator("l1.segment_positions").element_ops(step) == 3 * 4 * 8
    assert graph.operator("l1.with_first_tokens").element_ops(step) == 3 * 4 * 8
    assert graph.tensor("l1.with_first_tokens").shape == ("tokens", 8)


def test_attention_is_that_of_the_patterns() -> None:
    graph, step = graph_of("hat"), Step(queries=16, context=16, batch=3)
    within, across = graph.operator("l1.attention"), graph.operator("l1.cross_attention")
    assert isinstance(within, Attention)
    assert isinstance(across, Attention)
    assert within.pairs(step) == 3 * Segment(size=4).pairs(16, 16) == 3 * 16 * 4
    assert across.pairs(step) == 3 * CrossSegment(size=4).pairs(16, 16) == 3 * 4 * 4


def test_cross_layers_share_the_positions_of_segments() -> None:
    one, two = (graph_of("hat", cross_layers=layers) for layers in ([1], [0, 1]))
    layer = 4 * (8 * 8 + 8) + (8 * 32 + 32) + (32 * 8 + 8) + 2 * 2 * 8
    assert two.parameters - one.parameters == layer
    assert one.parameters - graph_of("hat", cross_layers=[]).parameters == layer + 17 * 8


def test_a_sequence_need_not_be_the_longest() -> None:
    whole = workload("hat", tokens=8)
    graph, step = build_graph(whole), whole.run.last_step(whole.model)
    assert graph.operator("l1.segment_positions").weight_bytes_read(step) == 2 * 8 * 2  # two rows of 17
    assert whole.model.macs(step) == graph.totals(step).macs


def test_the_shipped_file_is_the_published_model() -> None:
    hat = load_workload(shipped_workloads()["hat_base_4096"])
    d = 768
    layer = 4 * (d * d + d) + (d * 3072 + 3072) + (3072 * d + d) + 2 * 2 * d
    embedding = (50_265 + 130 + 1) * d + 2 * d
    assert hat.model.parameters == embedding + 16 * layer + 33 * d == 152_136_960  # 12 layers and 4 across
    (step,) = hat.steps()
    matrices = (12 * 4096 + 4 * 32) * 12 * d * d
    attention = 2 * d * (12 * 4096 * 128 + 4 * 32 * 32)
    assert hat.model.macs(step) == build_graph(hat).totals(step).macs == matrices + attention == 358_468_288_512
    crossed = [op.layer for op in build_graph(hat).operators if op.name.endswith("cross_attention")]
    assert (crossed, hat.machine) == ([2, 5, 8, 11], "swat")


def test_a_table_of_positions_must_be_long_enough() -> None:
    rows = PerSequence(count=5)
    table = Positions(name="p", inputs=("x",), fmt=BF16, width=8, positions=4, rows=rows)
    with pytest.raises(GraphError, match="p: 5 rows have no place in a table of 4"):
        table.infer((Tensor(name="x", shape=(rows, 8), fmt=BF16),))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tokens": 18}, "tokens: 18 tokens are no whole number of segments of 4; pad them to 20"),
        ({"tokens": 68}, "a sequence of 68 tokens is longer than n_ctx 64; set it with --set workload.n_ctx=68"),
        ({"n_ctx": 66}, "n_ctx: 66 tokens are no whole number of segments of 4"),
        ({"segment_tokens": 0}, "segment_tokens: input should be greater than or equal to 1, got 0"),
        ({"segment_tokens": 128}, "n_ctx: 64 tokens are no whole number of segments of 128"),
        ({"cross_layers": [2]}, "cross_layers: layer 2 is beyond the last, 1"),
        ({"cross_layers": [1, 0]}, "cross_layers: expected layers in ascending order, got [1, 0]"),
        ({"cross_layers": [1, 1]}, "cross_layers: expected layers in ascending order, got [1, 1]"),
        ({"heads": 3}, "d_model 8 is not divisible by 3 heads"),
    ],
)
def test_what_a_hat_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("hat", **fields)
    assert str(caught.value).startswith(f"small: {message}")
    assert "\n" not in str(caught.value)
