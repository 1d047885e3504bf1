"""Swin: stages, windows that shift, merging, biases of relative places."""

from typing import Any

import numpy as np
import pytest

from hwsim.mapping.errors import GraphError, WorkloadError
from hwsim.mapping.formats import BF16
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Attention, Linear, Mean, Merge, PerSequence, RelativeBias, Tensor
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.patterns import Full, Window2d
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import load_workload
from hwsim.shipped import shipped_workloads
from tests.mapping.families import graph_of, lines_of, workload

SIZES: dict[str, Any] = {"image_height": 224, "image_width": 224, "patch": 4, "window": 7}
TINY: dict[str, Any] = {**SIZES, "d_model": 96, "depths": [2, 2, 6, 2], "heads": [3, 6, 12, 24]}
BASE: dict[str, Any] = {**SIZES, "d_model": 128, "depths": [2, 2, 18, 2], "heads": [4, 8, 16, 32]}


def test_two_stages_with_merging_between_them() -> None:
    assert lines_of(graph_of("swin", depths=[1, 1], classes=5)) == [
        "embed <- image: 3 x 16 x 32 in patches of 4 x 4 -> 0 + 32 tokens x 8",
        "embed_norm <- embed: layernorm 8",
        "l0.norm1 <- embed_norm: layernorm 8",
        "l0.q <- l0.norm1: 8 -> 8 + bias",
        "l0.k <- l0.norm1: 8 -> 8 + bias",
        "l0.v <- l0.norm1: 8 -> 8 + bias",
        "l0.attention <- l0.q, l0.k, l0.v: 2 heads x 4, window2d(4, 8, 2), relative bias 3 x 3",
        "l0.proj <- l0.attention: 8 -> 8 + bias",
        "l0.add1 <- embed_norm, l0.proj: add 8",
        "l0.norm2 <- l0.add1: layernorm 8",
        "l0.ffn1 <- l0.norm2: 8 -> 32 + bias",
        "l0.gelu_erf <- l0.ffn1: gelu_erf 32",
        "l0.ffn2 <- l0.gelu_erf: 32 -> 8 + bias",
        "l0.add2 <- l0.add1, l0.ffn2: add 8",
        "s1.squares <- l0.add2: 2 x 2 of 4 x 8 tokens x 8",
        "s1.merge_norm <- s1.squares: layernorm 32",
        "s1.merge <- s1.merge_norm: 32 -> 16",
        "l1.norm1 <- s1.merge: layernorm 16",
        "l1.q <- l1.norm1: 16 -> 16 + bias",
        "l1.k <- l1.norm1: 16 -> 16 + bias",
        "l1.v <- l1.norm1: 16 -> 16 + bias",
        "l1.attention <- l1.q, l1.k, l1.v: 4 heads x 4, window2d(2, 4, 2), relative bias 3 x 3",
        "l1.proj <- l1.attention: 16 -> 16 + bias",
        "l1.add1 <- s1.merge, l1.proj: add 16",
        "l1.norm2 <- l1.add1: layernorm 16",
        "l1.ffn1 <- l1.norm2: 16 -> 64 + bias",
        "l1.gelu_erf <- l1.ffn1: gelu_erf 64",
        "l1.ffn2 <- l1.gelu_erf: 64 -> 16 + bias",
        "l1.add2 <- l1.add1, l1.ffn2: add 16",
        "final_norm <- l1.add2: layernorm 16",
        "mean <- final_norm: of 8 each x 16",
        "classifier <- mean: 16 -> 5 + bias",
    ]


def test_tokens_become_fewer_from_stage_to_stage() -> None:
    swin = workload("swin", **TINY, images=2, batch=2)
    graph, step = build_graph(swin), swin.run.last_step(swin.model)
    assert step == Step(queries=3136, context=3136, batch=2)
    shapes = {name: graph.tensor(name).shape for name in ("embed", "s1.merge", "s2.merge", "s3.merge", "final_norm")}
    assert shapes == {
        "embed": ("tokens", 96),
        "s1.merge": (PerSequence(count=784), 192),
        "s2.merge": (PerSequence(count=196), 384),
        "s3.merge": (PerSequence(count=49), 768),
        "final_norm": (PerSequence(count=49), 768),
    }
    assert graph.tensor("s1.squares").bytes(step) == 2 * 784 * 4 * 96 * 2 == graph.tensor("embed").bytes(step)
    assert graph.operator("l2.ffn1").macs(step) == 2 * 784 * 192 * 768


def test_every_other_layer_of_a_stage_shifts_its_windows() -> None:
    patterns = [str(op.pattern) for op in graph_of("swin", **TINY).operators if isinstance(op, Attention)]
    assert patterns == [
        "window2d(56, 56, 7)", "window2d(56, 56, 7, shift=3)",
        "window2d(28, 28, 7)", "window2d(28, 28, 7, shift=3)",
        *3 * ["window2d(14, 14, 7)", "window2d(14, 14, 7, shift=3)"],
        "window2d(7, 7, 7)", "window2d(7, 7, 7)",  # one window is all there is
    ]  # fmt: skip


def test_the_shipped_file_is_the_published_model_without_its_classifier() -> None:
    swin = load_workload(shipped_workloads()["swin_tiny"])
    assert (
        swin.model == workload("swin", **TINY, name="swin_tiny", format="fp16", provenance=swin.model.provenance).model
    )
    assert (swin.model.parameters, swin.model.tokens, swin.machine) == (27_519_354, 3136, "swat")
    (step,) = swin.steps()
    assert swin.model.macs(step) == build_graph(swin).totals(step).macs == 4_473_394_176


@pytest.mark.parametrize(("fields", "parameters", "giga"), [(TINY, 28_288_354, 4.49), (BASE, 87_768_224, 15.43)])
def test_published_sizes(fields: dict[str, Any], parameters: int, giga: float) -> None:
    swin = workload("swin", **fields, classes=1000)
    assert swin.model.parameters == parameters
    # published counts take whole windows where the shift leaves shorter ones along the edges
    whole = sum(2 * s.elements * s.tokens * 49 * s.layers for s in swin.model.stages)
    exact = sum(
        op.macs(swin.run.last_step(swin.model)) for op in build_graph(swin).operators if isinstance(op, Attention)
    )
    assert exact < whole
    assert (swin.model.macs(swin.run.last_step(swin.model)) - exact + whole) / 1e9 == pytest.approx(giga, abs=0.01)


def test_pairs_are_those_of_the_rolled_grid_and_its_mask() -> None:
    """Stage 3 of Swin-T as the published code does it: roll, cut, compare the regions of the mask."""
    side, window, shift = 14, 7, 3
    region = np.zeros((side, side), dtype=int)
    cuts = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for number, (rows, columns) in enumerate((rows, columns) for rows in cuts for columns in cuts):
        region[rows, columns] = number
    windows = region.reshape(2, window, 2, window).transpose(0, 2, 1, 3).reshape(4, window**2)
    pairs = int((windows[:, :, None] == windows[:, None, :]).sum())
    attention = graph_of("swin", **TINY).operator("l5.attention")
    step = Step(queries=3136, context=3136)
    assert isinstance(attention, Attention)
    assert attention.pairs(step) == pairs == (3**2 + 7**2 + 4**2) ** 2
    assert attention.macs(step) == 12 * pairs * (32 + 32)


def test_a_relative_bias_is_a_table_a_head_and_an_addition_a_pair() -> None:
    graph = graph_of("swin", **TINY)
    attention, step = graph.operator("l0.attention"), Step(queries=3136, context=3136, batch=2)
    assert isinstance(attention, Attention)
    (table,) = attention.tables
    assert (table.identity, table.rows, table.columns) == ("l0.attention.relative_bias", 3, 13**2)
    pairs = 2 * 3 * 3136 * 49
    assert attention.pairs_of_heads(step) == pairs
    assert attention.element_ops(step) == 2 * pairs  # one for the softmax, one for the bias
    assert attention.weight_bytes_read(step) == 3 * 169 * 2
    scores = split_attention(graph).operator("l0.attention.scores")
    assert (scores.element_ops(step), scores.weights) == (pairs, 3 * 169)


@pytest.mark.parametrize("shift", [0, 3])
def test_the_bias_of_a_pair_goes_by_its_place_in_the_window(shift: int) -> None:
    height, width, side = 14, 21, 7
    pattern = Window2d(height=height, width=width, window=side, shift=shift)
    bias = RelativeBias(window=side, columns=width)
    # index as in the published code, of the places within one window
    coords = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij")).reshape(2, -1)
    offset = coords[:, :, None] - coords[:, None, :] + side - 1
    index = offset[0] * (2 * side - 1) + offset[1]
    used = set()
    for query, key in zip(*np.nonzero(pattern.mask(height * width, height * width)), strict=True):
        places = [divmod(int(token), width) for token in (query, key)]
        inside = [((y - shift) % height % side) * side + (x - shift) % width % side for y, x in places]
        found = bias.entry(int(query), int(key))
        assert found == index[inside[0], inside[1]]
        used.add(found)
    assert used == set(range(bias.entries)) == set(range(169))


def test_tokens_of_no_common_window_have_no_bias() -> None:
    with pytest.raises(GraphError, match="relative bias: tokens 0 and 7 are in no window of 7"):
        RelativeBias(window=7, columns=14).entry(0, 7)


def test_shared_scores_have_no_bias_of_their_own() -> None:
    with pytest.raises(GraphError, match="a: shares the scores of another attention, so it has no relative bias 3 x 3"):
        Attention(
            name="a", inputs=("x", "v"), fmt=BF16, heads=1, kv_heads=1, d_k=4, d_v=4, pattern=Full(),
            shares_scores=True, relative_bias=RelativeBias(window=2, columns=4),
        )  # fmt: skip


def merge(**fields: Any) -> Merge:
    made: dict[str, Any] = {"rows": PerSequence(count=24), "height": 4, "width": 6, "elements": 8, **fields}
    return Merge(name="m", inputs=("x",), fmt=BF16, **made)


def test_merging_copies_every_element() -> None:
    x = Tensor(name="x", shape=(PerSequence(count=24), 8), fmt=BF16)
    merged, step = merge().infer((x,)), Step(queries=24, context=24, batch=2)
    assert merged.shape == (PerSequence(count=6), 32)
    assert merge().element_ops(step) == x.elements(step) == merged.elements(step) == 2 * 24 * 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": 3, "width": 8}, "m: squares of 2 x 2 tokens do not tile a grid of 3 x 8"),
        ({"width": 8}, "m: input x[24 each, 8] bf16 where a grid of 4 x 8 has 32 tokens"),
        ({"elements": 9}, "m: input x[24 each, 8] bf16 where merge expects [24 each, 9]"),
    ],
)
def test_what_merging_cannot_take(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphError) as caught:
        merge(**fields).infer((Tensor(name="x", shape=(PerSequence(count=24), 8), fmt=BF16),))
    assert str(caught.value) == message


def test_a_mean_reads_all_tokens_and_makes_one() -> None:
    mean = Mean(name="mean", inputs=("x",), fmt=BF16, width=8, rows=PerSequence(count=24))
    out = mean.infer((Tensor(name="x", shape=(PerSequence(count=24), 8), fmt=BF16),))
    step = Step(queries=24, context=24, batch=2)
    assert (out.shape, out.elements(step), mean.element_ops(step)) == (("outputs", 8), 2 * 8, 2 * 24 * 8)


def test_matrices_of_a_stage_work_on_its_own_tokens() -> None:
    graph = graph_of("swin")
    rows = {op.layer: op.rows for op in graph.operators if isinstance(op, Linear) and op.layer is not None}
    assert rows == {0: "tokens", 1: "tokens", 2: PerSequence(count=8)}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_height": 18}, "patches of 4 pixels do not divide image_height 18"),
        ({"heads": [2]}, "heads: expected one number for each of 2 stages, got 1"),
        ({"heads": [2, 0]}, "heads.1: input should be greater than or equal to 1, got 0"),
        ({"heads": [2, 5]}, "heads: stage 2 has 16 elements a token, which 5 heads do not share evenly"),
        ({"heads": [16, 16]}, "heads: stage 1 has 8 elements a token, which 16 heads do not share evenly"),
        ({"window": 0}, "window: input should be greater than or equal to 1, got 0"),
        ({"window": 5}, "window: stage 1 has a grid of 4 x 8 tokens, too small for windows of 5 x 5"),
        ({"window": 3}, "window: stage 1 has a grid of 4 x 8 tokens, which windows of 3 x 3 do not tile"),
        ({"window": 4}, "window: stage 2 has a grid of 2 x 4 tokens, too small for windows of 4 x 4"),
        (
            {"window": 1, "depths": [1, 1, 1, 1], "heads": [1, 1, 1, 1]},
            "depths: stage 3 has a grid of 1 x 2 tokens, of which the next stage cannot merge each 2 x 2",
        ),
        ({"depths": []}, "depths: tuple should have at least 1 item"),
        ({"tokens": 49}, "no field 'tokens' in family swin; families gpt, llama,"),
        ({"patterns": ["full"]}, "no field 'patterns' in family swin; families long_context, modernbert have it"),
    ],
)
def test_what_a_swin_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("swin", **fields)
    assert str(caught.value).startswith(f"small: {message}")
    assert "\n" not in str(caught.value)
