"""The golden encoder at preset `published` against Edge-MoE's arithmetic in plain whole numbers, number by number."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pytest

from hwsim.verify.image_encoder.encoder import GoldenEncoder
from tests.rtl import published_oracle as oracle
from tests.verify.images import golden, small, weights_of

Rows = list[list[int]]
ONE = oracle.ONE
SLOTS = 4
# GELU's distance from the rectifier at steps of 1/32, up to 5.5
TABLE = [round(t * erfc(t / sqrt(2)) / 2 * ONE) for t in (i / 32 for i in range(177))]


class Oracle:
    """The same encoder, with the codes of its memory and nothing else of it."""

    def __init__(self, encoder: GoldenEncoder) -> None:
        self.model = encoder.model
        self.codes = {name: codes.tolist() for name, codes in encoder.codes.tensors.items()}

    def layer(self, number: int, x: Rows, task: int) -> Rows:
        at, d = f"l{number}_", self.model.d_model
        h = self.norm(f"{at}norm1", x)
        qkv = self.linear(f"{at}qkv", h, bias_places=13)  # biases of fixed(16,7)
        q, k, v = ([row[i : i + d] for row in qkv] for i in range(0, 3 * d, d))
        mixed = [attend(number, query, k, v) for number, query in enumerate(q)]
        x = add(x, self.linear(f"{at}attn_proj", mixed, bias_places=13))
        h = self.norm(f"{at}norm2", x)
        if f"{at}fc1_weight" in self.codes:
            return add(x, self.linear(f"{at}fc2", gelu(self.linear(f"{at}fc1", h))))
        return add(x, [self.experts(at, token, task) for token in h])

    def experts(self, at: str, token: list[int], task: int) -> list[int]:
        logits = [dot(row, token) for row in self.codes[f"{at}w_gate_T_task{task}"]]
        total = [0] * len(token)
        for expert, score in sorted(oracle.gate(logits, self.model.top_k)):  # expert by expert
            (y,) = self.linear(f"{at}h4toh", gelu(self.linear(f"{at}htoh4", [token], expert)), expert)
            total = [oracle.wrap(a + oracle.product(b, score)) for a, b in zip(total, y)]
        return total

    def linear(self, name: str, x: Rows, expert: int | None = None, bias_places: int = 11) -> Rows:
        """Biases of fixed(16,5) unless said otherwise."""
        weight, bias = self.codes[f"{name}_weight"], self.codes[f"{name}_bias"]
        if expert is not None:
            weight, bias = weight[expert], bias[expert]
        return [[dot(row, token, b << bias_places) for row, b in zip(weight, bias)] for token in x]

    def norm(self, name: str, x: Rows) -> Rows:
        weight, bias = (self.codes[f"{name}_{part}"] for part in ("weight", "bias"))
        return [oracle.layernorm(token, weight, bias) for token in x]


def dot(weight: list[int], x: list[int], start: int = 0) -> int:
    """A sum that begins with a bias; weights have 14 fraction bits."""
    total = start
    for w, value in zip(weight, x):
        total = oracle.wrap(total + oracle.product(value, w, 14))
    return total


def attend(number: int, query: list[int], keys: Rows, values: Rows) -> list[int]:
    """A query of one head; it meets its keys from that of its slot's number on."""
    scores = [oracle.score(query, key) for key in keys]
    first = number % SLOTS
    best, total = oracle.running_sum(scores[first:] + scores[:first])
    shares = [oracle.probability(score, best, oracle.inverse(total)) for score in scores]
    return [oracle.weigh(shares, list(channel)) for channel in zip(*values)]


def gelu(x: Rows) -> Rows:
    return [[max(value, 0) - delta(abs(value)) for value in row] for row in x]


def delta(t: int) -> int:
    index, rest = divmod(t, ONE // 32)
    if index >= 176:
        return 0
    return TABLE[index] + ((TABLE[index + 1] - TABLE[index]) * rest >> 17)


def add(a: Rows, b: Rows) -> Rows:
    return [[oracle.wrap(x + y) for x, y in zip(*rows)] for rows in zip(a, b)]


@pytest.mark.parametrize("task", [0, 1])
def test_every_value_is_that_of_the_source(task: int) -> None:
    """5 tokens, a head of 64 channels, a dense layer and one with experts."""
    model = small(d_model=64, heads=1, d_ff=48, image_height=8, image_width=8)
    encoder = golden(model, weights_of(model), preset="published")
    made, by_hand = encoder.run(task), Oracle(encoder)
    for number in range(2):
        expected = by_hand.layer(number, made.streams[number].tolist(), task)
        np.testing.assert_array_equal(made.streams[number + 1], np.array(expected), err_msg=f"layer {number}")


def test_values_that_wrap_are_those_of_the_source() -> None:
    model = small(d_model=64, heads=1, d_ff=48, image_height=8, image_width=8)
    loud = weights_of(model).changed(lambda name, t: t * 60 if name == "pos_embed" else t)
    encoder = golden(model, loud, preset="published")
    made, by_hand = encoder.run(), Oracle(encoder)
    for number in range(2):
        expected = by_hand.layer(number, made.streams[number].tolist(), 0)
        np.testing.assert_array_equal(made.streams[number + 1], np.array(expected), err_msg=f"layer {number}")
