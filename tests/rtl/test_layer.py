"""One layer of Edge-MoE: the golden layer against float64, and RTL in its sequence against the golden layer."""

from __future__ import annotations

from math import erf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rtl.exp.golden import exp
from rtl.layernorm.contract import LayerNormContract
from rtl.online_softmax.contract import OnlineSoftmaxContract
from rtl.skew import skewed_rows
from rtl.topk_gate.contract import TopkGateContract
from rtl.weight_loader.contract import Group, WeightLoaderContract
from tests.rtl.golden_layer import ACTIVATION, BIAS, NORM, WEIGHT, Layer, Matrix, Norm, Shape, random_layer, run_layer
from tests.rtl.players import play
from tests.rtl.simulation import SEED

Floats = NDArray[np.float64]


def float_layer(layer: Layer, codes: NDArray[np.int64], gates: NDArray[np.bool_] | None) -> Floats:
    """The layer in float64, the experts chosen as `gates` (tokens, experts) says."""
    s, x = layer.shape, ACTIVATION.dequantise(codes)
    h = _norm(layer.norm1, x)
    q, k, v = (_linear(m, h).reshape(s.tokens, s.heads, s.head_dim) for m in (layer.q, layer.k, layer.v))
    attention = np.einsum("hqk,khd->qhd", _softmax(np.einsum("qhd,khd->hqk", q, k) / 8), v)
    x = x + _linear(layer.proj, attention.reshape(s.tokens, s.features))
    h = _norm(layer.norm2, x)
    if layer.mlp is not None:
        return x + _mlp(layer.mlp, h)
    scores = np.where(gates, _softmax(h @ WEIGHT.dequantise(layer.gate).T), 0)
    return x + sum(score[:, None] * _mlp(expert, h) for expert, score in zip(layer.experts, scores.T))


def _norm(p: Norm, x: Floats) -> Floats:
    normal = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 2.0**-20)
    return normal * NORM.dequantise(p.weight) + NORM.dequantise(p.bias)


def _linear(p: Matrix, x: Floats) -> Floats:
    return x @ WEIGHT.dequantise(p.weight).T + BIAS.dequantise(p.bias)


def _mlp(layers: tuple[Matrix, Matrix], x: Floats) -> Floats:
    hidden = _linear(layers[0], x)
    return _linear(layers[1], hidden * (1 + np.vectorize(erf)(hidden / np.sqrt(2))) / 2)


def _softmax(x: Floats) -> Floats:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("dense", [True, False])
def test_the_golden_layer_is_near_float64(dense: bool) -> None:
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=dense)
    made = run_layer(layer, x)
    exact = float_layer(layer, x, None if dense else made["gate"] > 0)
    error = np.abs(ACTIVATION.dequantise(made["out"]) - exact).max()
    assert 1e-6 < error < 1e-3, error  # GELU's table is off by 1e-4, sums of floors by less


def test_each_token_has_two_experts() -> None:
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=False)
    assert ((run_layer(layer, x)["gate"] > 0).sum(axis=1) == 2).all()


# The blocks that exist; `linear`, `qk_reorder` and `mv` are still the golden layer's own.
NORM_UNIT = LayerNormContract.from_preset("rtl", features=32, lanes=8)
SOFTMAX = OnlineSoftmaxContract.from_preset("rtl", heads=2, slots=4, max_tokens=17)
GATE = TopkGateContract.from_preset("rtl", experts=4, lanes=8, inputs=32, max_tokens=17)
LOADER = WeightLoaderContract.from_preset("rtl", in_lanes=8, out_lanes=8, weight_words=32, bias_words=8)


def test_both_norms_of_a_layer_by_rtl(tmp_path: Path) -> None:
    """Two sequences of 17 tokens one behind the other, each with its own weights."""
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=True)
    made = run_layer(layer, x)
    last = np.zeros(2 * 17 * NORM_UNIT.beats, dtype=np.int64)
    last[[17 * NORM_UNIT.beats - 1, -1]] = 1
    inputs = {
        "x": {"values": np.concatenate([x, made["residual"]]).reshape(-1, 8), "last": last},
        "norm": {
            "weight": np.concatenate([layer.norm1.weight, layer.norm2.weight]).reshape(-1, 8),
            "bias": np.concatenate([layer.norm1.bias, layer.norm2.bias]).reshape(-1, 8),
        },
    }
    y = play(NORM_UNIT, 2 * 17, inputs, tmp_path)["y"]["values"].reshape(2, 17, 32)
    np.testing.assert_array_equal(y[0], made["norm1"])
    np.testing.assert_array_equal(y[1], made["norm2"])


def test_the_loader_brings_the_matrices_of_attention(tmp_path: Path) -> None:
    """Q, K, V and the projection from memory, each loaded while the one before is read, tile by tile."""
    layer, _ = random_layer(Shape(), np.random.default_rng(SEED), dense=True)
    matrices = (layer.q, layer.k, layer.v, layer.proj)
    tiles = [m.weight.reshape(4, 8, 4, 8).transpose(0, 2, 1, 3).reshape(16, 64) for m in matrices]
    # biases of attention lie in memory as <16,7>, and come out as <18,7>: two bits more behind the point
    stored = [np.pad((m.bias >> 2).reshape(4, 8), ((0, 0), (0, 8))) for m in matrices]
    memory = [part for t, b in zip(tiles, stored) for part in (t.reshape(-1, 16), b)]
    reads = np.arange(16)
    inputs = {
        "command": {"in_tiles": np.full(4, 4), "out_tiles": np.full(4, 4), "attention": np.ones(4, dtype=np.int64)},
        "memory": {"numbers": np.concatenate(memory)},
        "read": {
            "word": np.tile(reads, 4),
            "tile": np.tile(reads // 4, 4),
            "last": np.tile(reads // 15, 4),
        },
    }
    words = play(LOADER, [Group(in_tiles=4, out_tiles=4, reads=16, attention=True)] * 4, inputs, tmp_path)["word"]
    np.testing.assert_array_equal(words["weights"], np.concatenate(tiles))
    biases = np.concatenate([np.repeat((m.bias >> 2 << 2).reshape(4, 8), 4, axis=0) for m in matrices])
    np.testing.assert_array_equal(words["bias"], biases)


def test_the_softmax_of_a_layer_by_rtl(tmp_path: Path) -> None:
    """Scores stream by in the skewed order; what comes back makes the golden layer's probabilities."""
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=True)
    made = run_layer(layer, x)
    rows = list(skewed_rows(17, 4))
    masks = np.repeat([row.mask for row in rows], 2, axis=0).astype(np.int64)
    values = [
        [0 if query is None else made["scores"][head, query, row.key] for query in row.queries]
        for row in rows
        for head in range(2)
    ]
    inputs = {
        "command": {"tokens": np.array([17])},
        "scores": {"values": np.array(values, dtype=np.int64), "mask": masks},
    }
    answer = play(SOFTMAX, 17, inputs, tmp_path)
    np.testing.assert_array_equal(answer["raw"]["values"], values)
    bias, inverse = (answer["info"][name].T[:, :, None] for name in ("bias", "inverse"))  # (heads, queries, 1)
    powers = exp(SOFTMAX.recurrence.exp, made["scores"] - bias)
    np.testing.assert_array_equal((powers * inverse) >> 22, made["probabilities"])


def test_norm_and_gate_of_a_layer_by_rtl(tmp_path: Path) -> None:
    """What the norm's RTL answers goes into the gate's, whose queues hold the golden layer's scores."""
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=False)
    made = run_layer(layer, x)
    last = np.zeros(17 * NORM_UNIT.beats, dtype=np.int64)
    last[-1] = 1
    norm = {"weight": layer.norm2.weight.reshape(-1, 8), "bias": layer.norm2.bias.reshape(-1, 8)}
    inputs = {"x": {"values": made["residual"].reshape(-1, 8), "last": last}, "norm": norm}
    (tmp_path / "norm").mkdir()
    (tmp_path / "gate").mkdir()
    normed = play(NORM_UNIT, 17, inputs, tmp_path / "norm")["y"]["values"]
    inputs = {
        "command": {"load": np.array([1]), "tokens": np.array([17])},
        "weights": {"values": layer.gate.reshape(-1, 8)},
        "x": {"values": normed},
    }
    answer = play(GATE, [(True, 17)], inputs, tmp_path / "gate")
    scores = np.zeros((17, 4), dtype=np.int64)
    experts = np.repeat(answer["meta"]["expert"], answer["meta"]["length"])
    scores[answer["queue"]["token"], experts] = answer["queue"]["score"]
    assert answer["meta"]["length"].sum() == 2 * 17
    np.testing.assert_array_equal(scores, made["gate"])
