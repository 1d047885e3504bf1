"""One layer of Edge-MoE: the golden layer against float64, and RTL in its sequence against the golden layer."""

from __future__ import annotations

from math import erf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.rtl.golden_layer import ACTIVATION, BIAS, NORM, WEIGHT, Layer, Matrix, Norm, Shape, random_layer, run_layer
from tests.rtl.rtl_layer import RtlLayer
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


BOTH = {"layernorm": 204, "qk_reorder": 688, "online_softmax": 278, "mv": 702}


@pytest.mark.parametrize(
    ("dense", "cycles"),
    [
        (True, BOTH | {"weight_loader": 596, "linear": 3017}),
        (False, BOTH | {"weight_loader": 913, "linear": 3607, "topk_gate": 292}),
    ],
)
def test_a_layer_by_rtl_is_the_golden_layer(dense: bool, cycles: dict[str, int], tmp_path: Path) -> None:
    """17 tokens, 32 features, 2 heads, 4 experts: every array bit for bit, every call to the cycle."""
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=dense)
    golden, rtl = run_layer(layer, x), RtlLayer(layer, tmp_path)
    for name, array in rtl.run(x).items():
        np.testing.assert_array_equal(array, golden[name], err_msg=name)
    assert rtl.cycles == cycles  # of all calls of a block, one after the other
