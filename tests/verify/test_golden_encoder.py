"""The golden encoder against layers that were written independently, its parts against the golden models of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import MachineError, MappingError
from hwsim.mapping.formats import Fixed
from hwsim.rtl.linear.contract import LinearContract
from hwsim.rtl.linear.golden import linear
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.mv.golden import attend
from hwsim.rtl.patch_embed.golden import embed, patches
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.qk_reorder.golden import scores
from hwsim.rtl.random_codes import random_codes
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.topk_gate.golden import queues
from hwsim.verify.image_encoder.attention import all_scores, weighted_values
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.choice import choose_experts, gate_logits
from hwsim.verify.image_encoder.encoder import GoldenEncoder
from hwsim.verify.image_encoder.floored_sums import floored_sums
from tests.rtl import golden_layer
from tests.verify.images import dense, golden, small, weights_of

SEEDS = st.integers(0, 2**32 - 1)


def independent_layer(encoder: GoldenEncoder, number: int, task: int) -> golden_layer.Layer:
    """A layer's parameters, in the form that the independent layer takes."""
    codes, model = encoder.codes, encoder.model

    def matrix(name: str, expert: int | None = None) -> golden_layer.Matrix:
        of = codes.matrix(f"l{number}_{name}", expert)
        return golden_layer.Matrix(weight=of.weight, bias=of.bias)

    def norm(name: str) -> golden_layer.Norm:
        return golden_layer.Norm(weight=codes[f"l{number}_{name}_weight"], bias=codes[f"l{number}_{name}_bias"])

    qkv, d = matrix("qkv"), model.d_model
    q, k, v = (golden_layer.Matrix(weight=qkv.weight[i : i + d], bias=qkv.bias[i : i + d]) for i in range(0, 3 * d, d))
    shape = golden_layer.Shape(
        tokens=model.tokens, features=d, heads=model.heads, hidden=model.ff_size,
        experts=getattr(model, "experts", 0), top=getattr(model, "top_k", 0),
    )  # fmt: skip
    common: dict[str, Any] = {
        "shape": shape, "norm1": norm("norm1"), "q": q, "k": k, "v": v, "proj": matrix("attn_proj"),
        "norm2": norm("norm2"),
    }  # fmt: skip
    if f"l{number}_fc1_weight" in codes.tensors:
        return golden_layer.Layer(**common, mlp=(matrix("fc1"), matrix("fc2")))
    experts = tuple((matrix("htoh4", e), matrix("h4toh", e)) for e in range(shape.experts))
    return golden_layer.Layer(**common, gate=codes[f"l{number}_w_gate_T_task{task}"], experts=experts)


@pytest.mark.parametrize("task", [0, 1])
@pytest.mark.parametrize("seed", [0, 1])
def test_layers_are_those_of_an_independent_layer(task: int, seed: int) -> None:
    """17 tokens, a dense layer and one with experts: streams and choices bit for bit."""
    model = small(layers=4)
    encoder = golden(model, weights_of(model, seed=seed))
    made = encoder.run(task)
    for number in range(4):
        layer = golden_layer.run_layer(independent_layer(encoder, number, task), made.streams[number])
        np.testing.assert_array_equal(made.streams[number + 1], layer["out"], err_msg=f"layer {number}")
        if number in made.choices:
            choice = made.choices[number]
            scores_te = np.zeros_like(layer["gate"])
            np.put_along_axis(scores_te, choice.experts_tk, choice.scores_tk, axis=1)
            np.testing.assert_array_equal(scores_te, layer["gate"])
    assert sorted(made.choices) == [1, 3]


def test_layers_that_wrap_are_those_of_an_independent_layer() -> None:
    model = small()
    loud = weights_of(model).changed(lambda name, t: t * 60 if name == "pos_embed" else t)
    encoder = golden(model, loud)
    made = encoder.run()
    assert np.abs(made.streams[0]).max() > 2**29  # 128: the mean square is more than an accumulator holds
    for number in range(2):
        layer = golden_layer.run_layer(independent_layer(encoder, number, 0), made.streams[number])
        np.testing.assert_array_equal(made.streams[number + 1], layer["out"])


def test_tasks_part_at_the_first_gate() -> None:
    model = small(layers=3)
    encoder = golden(model, weights_of(model))
    depth, edges = encoder.run(0), encoder.run(1)
    equal = [bool((a == b).all()) for a, b in zip(depth.streams, edges.streams)]
    assert equal == [True, True, False, False]  # the embedding, the dense layer, the layer with experts, the next


def test_the_same_twice() -> None:
    model = small()
    one, two = (golden(model, weights_of(model)).run() for _ in range(2))
    for a, b in zip(one.streams, two.streams):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("learned", [0, 1])
def test_the_embedding_is_bias_then_pixels_then_position(learned: int) -> None:
    """Every number by Python's integers: each product from 24 to 22 fraction bits before it is added."""
    model = dense(class_token=bool(learned))
    encoder = golden(model, weights_of(model))
    image, w, bias, positions = (
        encoder.codes[name].tolist() for name in ("image", "patch_embed_weight", "patch_embed_bias", "pos_embed")
    )
    made = encoder.embed()
    assert made.shape == (16 + learned, 32)
    if learned:
        assert made[0].tolist() == positions[0]
    for patch, feature in ((0, 0), (1, 5), (4, 31), (15, 7)):
        row, column = divmod(patch, 4)
        total = bias[feature] << 11  # from 11 to 22 fraction bits
        for channel in range(3):
            for y in range(4):
                for x in range(4):
                    pixel = image[channel][4 * row + y][4 * column + x]
                    total += (pixel * w[feature][channel][y][x]) >> 2
        assert made[learned + patch, feature] == total + positions[learned + patch][feature]


def test_the_embedding_is_that_of_its_block() -> None:
    model = small(image_height=32, image_width=64)
    encoder = golden(model, weights_of(model))
    c, codes = encoder.blocks.patch_embed, encoder.codes
    w, bias, positions = (codes[name] for name in ("patch_embed_weight", "patch_embed_bias", "pos_embed"))
    blockwise = embed(c, patches(c, codes["image"]), w.reshape(32, -1), bias, positions[1:])
    np.testing.assert_array_equal(encoder.embed()[1:], blockwise)


@given(seed=SEEDS, tokens=st.integers(1, 9), ins=st.integers(1, 40), outs=st.integers(1, 20))
def test_floored_sums_are_those_of_the_linear_unit(seed: int, tokens: int, ins: int, outs: int) -> None:
    c, rng = LinearContract.from_preset("rtl"), np.random.default_rng(seed)
    x, w = random_codes(rng, c.activation, (tokens, ins)), random_codes(rng, c.weight, (outs, ins))
    bias = np.zeros(outs, dtype=np.int64)
    wrapped = (floored_sums(x, w, 14) + 2**31) % 2**32 - 2**31
    np.testing.assert_array_equal(wrapped, linear(c, x, w, bias))


def test_floored_sums_are_not_wrapped_and_may_gain_places() -> None:
    x, w = np.array([[-3, 5]]), np.array([[2**30, 1]])
    assert floored_sums(x, w, 1).tolist() == [[-3 * 2**29 + 2]]
    assert floored_sums(x, w, -2).tolist() == [[-3 * 2**32 + 20]]


@given(seed=SEEDS, tokens=st.integers(1, 6), size=st.sampled_from([8, 16, 24]), at=st.sampled_from(["sum", "beat"]))
def test_all_scores_are_those_of_each_pair(seed: int, tokens: int, size: int, at: str) -> None:
    c = QkReorderContract.from_preset("rtl", heads=2, head_dim=size, scale_code=3 << 17, scale_at=at)
    rng = np.random.default_rng(seed)
    q, k = (random_codes(rng, c.activation, (2, tokens, size)) for _ in range(2))
    np.testing.assert_array_equal(all_scores(c, q, k), scores(c, q[:, :, None], k[:, None]))


@given(seed=SEEDS, tokens=st.integers(1, 6))
def test_weighted_values_are_those_of_the_block(seed: int, tokens: int) -> None:
    c = MvContract.from_preset("rtl", heads=2, head_dim=32)
    rng = np.random.default_rng(seed)
    shares, v = (random_codes(rng, c.activation, (2, tokens, width)) for width in (tokens, 32))
    by_query = attend(c, shares, v.transpose(1, 0, 2))
    np.testing.assert_array_equal(weighted_values(c, shares, v), by_query.transpose(1, 0, 2))


@given(seed=SEEDS, experts=st.integers(2, 6), tokens=st.integers(1, 6))
def test_the_choice_fills_the_queues_of_the_gate(seed: int, experts: int, tokens: int) -> None:
    c = TopkGateContract.from_preset("rtl", experts=experts, inputs=16, max_tokens=8)
    rng = np.random.default_rng(seed)
    x, w = random_codes(rng, c.activation, (tokens, 16)), random_codes(rng, c.weight, (experts, 16))
    choice = choose_experts(c, gate_logits(c, x, w))
    made = [list(zip(*(of.tolist() for of in choice.queue(expert)))) for expert in range(experts)]
    assert made == queues(c, x, w)


def test_a_model_without_experts_ends_with_a_norm() -> None:
    model = dense()
    made = golden(model, weights_of(model, final_norm=True), final_norm=True).run()
    assert (len(made.streams), dict(made.choices)) == (4, {})
    values = made.streams[-1] * 2.0**-22
    assert values.std() == pytest.approx(1, rel=0.2)


def test_a_shared_gate_reads_the_vector_of_the_task() -> None:
    model = small(gate="shared", task_embedding=8)
    weights = weights_of(model)
    assert weights["l1_w_gate_T"].shape == (4, 40)
    loud = weights.changed(lambda name, t: t * 8 if name == "task_embed" else t)
    encoder = golden(model, loud)
    used = [np.bincount(encoder.run(task).choices[1].experts_tk.ravel(), minlength=4) for task in (0, 1)]
    assert (used[0] != used[1]).any()


def changed_blocks(**changes: Any) -> EncoderBlocks:
    """The blocks of a small model with some of one block's parameters changed, such as `mv__slots`."""
    blocks = EncoderBlocks.sized(small(), preset="rtl")
    made = vars(blocks).copy()
    for name, value in changes.items():
        block, _, field = name.partition("__")
        made[block] = type(made[block])(**{**vars(made[block]), field: value})
    return EncoderBlocks(**made)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mv__slots": 2}, "online_softmax.slots 4: the blocks beside it have 2"),
        ({"mv__activation": Fixed(width=24, integer=8)}, r"mv.activation fixed\(24,8\): blocks hand each other"),
        ({"weight_loader__bias": Fixed(width=17, integer=7)}, r"weight_loader.bias fixed\(17,7\): linear takes biases"),
    ],
)
def test_blocks_that_do_not_go_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MachineError, match=message):
        changed_blocks(**changes)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"d_model": 64}, "small: layernorm.features is 32, the model needs 64"),
        ({"heads": 4}, "small: qk_reorder.heads is 2, the model needs 4"),
        ({"experts": 8}, "small: topk_gate.experts is 4, the model needs 8"),
        ({"top_k": 1}, "small: topk_gate.top is 2, the model needs 1"),
        ({"image_width": 32}, "small: qk_reorder takes 17 tokens, an image has 33"),
        ({"activation": "silu"}, "small: activation silu: linear has gelu_erf alone"),
    ],
)
def test_blocks_of_other_sizes_than_the_model(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        EncoderBlocks.sized(small(), preset="rtl").check(small(**fields))


def test_scores_are_scaled_as_the_heads_want_it() -> None:
    with pytest.raises(MappingError, match=r"small: qk_reorder scales by 0\.125, heads of 16 by 0\.25"):
        changed_blocks(qk_reorder__scale_code=1 << 19).check(small())


def test_experts_need_a_gate() -> None:
    blocks = EncoderBlocks.sized(dense(), preset="rtl")
    with pytest.raises(MappingError, match="small: has experts, and the machine no gate"):
        blocks.check(small())


def test_more_tokens_than_a_sum_holds_widen_it() -> None:
    model = dense(image_height=96, image_width=96)
    totals = [EncoderBlocks.sized(model, preset=preset).online_softmax.total for preset in ("published", "rtl")]
    assert totals == [Fixed(width=33, integer=11), Fixed(width=32, integer=10, signed=False)]
