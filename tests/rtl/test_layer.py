"""One layer of Edge-MoE: the golden layer against float64, and RTL blocks in sequence against the golden layer."""

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
    attention = np.einsum("hqk,khd->qhd", _softmax(np.einsum("qhd,khd->hqk", q, k) / np.sqrt(s.head_dim)), v)
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
    exact = float_layer(layer, x, None if dense else made["chosen"] == 1)
    error = np.abs(ACTIVATION.dequantise(made["out"]) - exact).max()
    assert 1e-6 < error < 1e-3, error  # GELU's table is off by 1e-4, sums of floors by less


def test_each_token_has_two_experts() -> None:
    layer, x = random_layer(Shape(), np.random.default_rng(SEED), dense=False)
    assert (run_layer(layer, x)["chosen"].sum(axis=1) == 2).all()


def play_and_compare(layer: Layer, x: NDArray[np.int64], folder: Path) -> RtlLayer:
    """The layer by RTL; each array is compared with the golden layer's as soon as it is computed."""
    golden, rtl = run_layer(layer, x), RtlLayer(layer, folder)
    for name in rtl.run(x):
        np.testing.assert_array_equal(rtl.made[name], golden[name], err_msg=name)
    return rtl


COUNTED = 20231028  # a fixed seed, since the cycles depend on how tokens choose experts
BOTH = {"layernorm": 204, "qk_reorder": 688, "online_softmax": 278, "mv": 702}


@pytest.mark.parametrize(
    ("dense", "cycles", "total"),
    [
        (True, BOTH | {"weight_loader": 596, "linear": 3017}, 5485),
        (False, BOTH | {"weight_loader": 913, "linear": 3607, "topk_gate": 292}, 6684),
    ],
)
def test_a_layer_by_rtl_is_the_golden_layer(dense: bool, cycles: dict[str, int], total: int, tmp_path: Path) -> None:
    """17 tokens, 32 features, 2 heads, 4 experts: every array bit for bit, every call to the cycle."""
    layer, x = random_layer(Shape(), np.random.default_rng(COUNTED), dense=dense)
    rtl = play_and_compare(layer, x, tmp_path)
    assert rtl.cycles == cycles  # of all calls of a block, one after the other
    assert sum(rtl.cycles.values()) == total


@pytest.mark.slow
def test_an_expert_of_all_tokens_and_one_of_none(tmp_path: Path) -> None:
    """In Edge-MoE's source the unit's reader and writer disagree over an expert with exactly all tokens, and hang."""
    layer, x = random_layer(Shape(), np.random.default_rng(COUNTED), dense=False)
    layer.norm2.weight[0], layer.norm2.bias[0] = 0, NORM.quantise(np.array(2.0))  # a feature that all tokens share
    assert layer.gate is not None
    layer.gate[:, 0] = WEIGHT.quantise(np.array([0, 1.9, -1.9, 0]))
    layer.gate[1:3, 1:] //= 8  # so that the shared feature decides between experts 1 and 2
    rtl = play_and_compare(layer, x, tmp_path)
    assert rtl.made["chosen"].sum(axis=0).tolist() == [10, 17, 0, 7]
    assert "hidden2" not in rtl.made


@pytest.mark.slow
@pytest.mark.parametrize("dense", [True, False])
def test_layers_of_large_numbers(dense: bool, tmp_path: Path) -> None:
    """Sums wrap, and most keys' exponentials are 0, in the golden layer as in RTL."""
    layer, x = random_layer(Shape(), np.random.default_rng(COUNTED), dense=dense)
    x = x * 64
    assert (ACTIVATION.dequantise(x) ** 2).mean(axis=1).min() > 512  # more than an accumulator holds
    layer.norm1.weight[:] = np.minimum(layer.norm1.weight * 10, NORM.code_range[1])
    made = play_and_compare(layer, x, tmp_path).made
    assert np.ptp(ACTIVATION.dequantise(made["scores"]), axis=2).max() > 32  # exp(-16) is less than a code
    if not dense:
        assert ((made["chosen"] == 1) & (made["gate"] == 0)).any()  # still in the queue
