"""The float64 encoder against one written number by number, and the golden encoder's distance from it."""

from __future__ import annotations

from itertools import pairwise
from math import erf, exp, sqrt
from typing import Any

import numpy as np
import pytest

from hwsim.verify.float64_image import Float64Encoder
from hwsim.verify.image_encoder.codes import held
from hwsim.verify.image_tensors import ImageModel
from hwsim.verify.image_weights import ImageWeights
from tests.verify.images import dense, golden, small, weights_of

Rows = list[list[float]]


class ByHand:
    """The same model with Python's numbers and loops alone."""

    def __init__(self, model: Any, weights: ImageWeights) -> None:
        self.model = model
        self.t = {name: tensor.astype(np.float64).tolist() for name, tensor in weights.tensors.items()}

    def run(self, task: int, *, final_norm: bool) -> list[Rows]:
        streams = [self.embed()]
        for layer in range(self.model.layers):
            x = add(streams[-1], self.attention(layer, self.norm(f"l{layer}_norm1", streams[-1])))
            streams.append(add(x, self.mix(layer, self.norm(f"l{layer}_norm2", x), task)))
        return [*streams, self.norm("norm", streams[-1])] if final_norm else streams

    def embed(self) -> Rows:
        m, t = self.model, self.t
        tokens = [list(row) for row in t["pos_embed"]]
        across = m.image_width // m.patch
        for number, token in enumerate(tokens[m.class_tokens :]):
            top, left = m.patch * (number // across), m.patch * (number % across)
            for out in range(m.d_model):
                token[out] += t["patch_embed_bias"][out]
                for c in range(m.channels):
                    for y in range(m.patch):
                        for x in range(m.patch):
                            token[out] += t["patch_embed_weight"][out][c][y][x] * t["image"][c][top + y][left + x]
        return tokens

    def attention(self, layer: int, x: Rows) -> Rows:
        d, size, rows = self.model.d_model, self.model.head_size, self.linear(f"l{layer}_qkv", x)
        out: Rows = [[] for _ in x]
        for head in range(0, d, size):
            q, k, v = ([row[start + head : start + head + size] for row in rows] for start in (0, d, 2 * d))
            for token, query in enumerate(q):
                share = softmax([dot(query, key) / sqrt(size) for key in k])
                out[token] += [sum(s * value[i] for s, value in zip(share, v)) for i in range(size)]
        return self.linear(f"l{layer}_attn_proj", out)

    def mix(self, layer: int, x: Rows, task: int) -> Rows:
        if f"l{layer}_fc1_weight" in self.t:
            return self.linear(f"l{layer}_fc2", gelu(self.linear(f"l{layer}_fc1", x)))
        return [self.experts(layer, token, task) for token in x]

    def experts(self, layer: int, token: list[float], task: int) -> list[float]:
        share = softmax([dot(token, row) for row in self.t[f"l{layer}_w_gate_T_task{task}"]])
        total = [0.0] * len(token)
        for expert in sorted(range(len(share)), key=lambda e: (-share[e], e))[: self.model.top_k]:
            (y,) = self.linear(f"l{layer}_h4toh", gelu(self.linear(f"l{layer}_htoh4", [token], expert)), expert)
            total = [a + share[expert] * b for a, b in zip(total, y)]
        return total

    def linear(self, name: str, x: Rows, expert: int | None = None) -> Rows:
        w, b = self.t[f"{name}_weight"], self.t.get(f"{name}_bias")
        w = w if expert is None else w[expert]
        b = [0.0] * len(w) if b is None else b if expert is None else b[expert]
        return [[dot(row, token) + bias for row, bias in zip(w, b)] for token in x]

    def norm(self, name: str, x: Rows) -> Rows:
        g, b = self.t[f"{name}_weight"], self.t[f"{name}_bias"]
        return [normal(token, g, b) for token in x]


def normal(token: list[float], g: list[float], b: list[float]) -> list[float]:
    mean = sum(token) / len(token)
    variance = sum((value - mean) ** 2 for value in token) / len(token)
    return [(value - mean) / sqrt(variance + 1e-6) * scale + shift for value, scale, shift in zip(token, g, b)]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(a: Rows, b: Rows) -> Rows:
    return [[x + y for x, y in zip(*rows)] for rows in zip(a, b)]


def gelu(x: Rows) -> Rows:
    return [[value * (1 + erf(value / sqrt(2))) / 2 for value in row] for row in x]


def softmax(x: list[float]) -> list[float]:
    powers = [exp(value - max(x)) for value in x]
    return [power / sum(powers) for power in powers]


TINY = {"d_model": 8, "image_height": 8, "image_width": 12, "d_ff": 12, "patch": 4}


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (small(**TINY, expert_hidden=5), 0),
        (small(**TINY, expert_hidden=5, top_k=3), 1),
        (dense(**TINY, class_token=False), 0),
        (dense(**TINY, distillation_token=True, qkv_bias=False), 0),
    ],
)
def test_it_is_the_model_by_hand(model: ImageModel, task: int) -> None:
    final_norm = not hasattr(model, "experts")
    weights = weights_of(model, final_norm=final_norm)
    made = Float64Encoder(model, weights, final_norm=final_norm).run(task)
    by_hand = ByHand(model, weights).run(task, final_norm=final_norm)
    assert len(made.streams) == len(by_hand) == 3 + final_norm
    for ours, theirs in zip(made.streams, by_hand):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_it_follows_another_choice_and_says_what_its_own_is() -> None:
    model = small()
    encoder = Float64Encoder(model, weights_of(model), final_norm=False)
    own = encoder.run()
    assert own.choices[1].shape == (17, 2)
    others = np.argsort(own.logits[1], axis=1)[:, :2]  # the two worst
    forced = encoder.run(choices={1: others})
    np.testing.assert_array_equal(forced.choices[1], own.choices[1])
    assert np.abs(forced.streams[-1] - own.streams[-1]).max() > 0.01


@pytest.mark.parametrize("preset", ["published", "rtl"])
def test_errors_of_the_golden_encoder_stay_small_over_twelve_layers(preset: str) -> None:
    """Floors push all sums down by half a step a product, so that errors add up layer by layer, but no faster."""
    model = small(layers=12)
    machine = golden(model, weights_of(model), preset=preset)
    made = machine.run()
    exact = Float64Encoder(model, held(weights_of(model), machine.codes), final_norm=False)
    followed = exact.run(choices={layer: choice.experts_tk for layer, choice in made.choices.items()})
    errors = [np.abs(a * 2.0**-22 - b).max() for a, b in zip(made.streams, followed.streams)]
    assert errors[0] < 2**-22 * (1 + 3 * 16)  # a step for each pixel's product, and one for the sum
    assert errors[-1] < 2e-3
    assert all(later < earlier + 5e-4 for earlier, later in pairwise(errors))
