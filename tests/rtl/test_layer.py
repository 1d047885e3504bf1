"""Layers of Edge-MoE: a golden layer against float64, and RTL that plays a program against the golden encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import erf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.pipeline import load_workload
from hwsim.verify.image_weights import Tensor
from tests.mapping.families import workload
from tests.rtl.golden_layer import ACTIVATION, BIAS, NORM, WEIGHT, Layer, Matrix, Norm, Shape, random_layer, run_layer
from tests.rtl.machine_units import MachineUnits, running_units
from tests.rtl.played_encoder import Prepared, play_and_compare, prepared
from tests.rtl.simulation import SEED
from tests.verify.images import save, weights_of

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


SMALL = {
    "layers": 2, "d_model": 32, "heads": 2, "d_ff": 64, "image_height": 64, "image_width": 64, "patch": 16,
    "experts": 4, "top_k": 2, "expert_hidden": 32, "task_names": ["depth", "edges"], "final_norm": False,
}  # fmt: skip
# Tiles of a beat of activations, so that a beat of weights is two rows; the dense layer's matrices come in two passes.
NARROW = {"in_lanes": 8, "out_lanes": 8, "input_tiles": 8, "weight_words": 16, "bias_words": 8}
SMALL_UNITS = {f"linear.{name}": value for name, value in NARROW.items()}


def small(weights: str) -> Prepared:
    """17 tokens, 32 features, 2 heads; 64 hidden units, in the second layer 4 experts of 32."""
    return prepared(workload("moe_vit", **SMALL, routing={"load": "computed", "weights": weights}), SMALL_UNITS)


def changed(folder: Path, **changes: Callable[[Tensor], Tensor]) -> str:
    """A folder of random weights, of which some tensors are changed."""
    model = workload("moe_vit", **SMALL).model
    tensors = dict(weights_of(model).tensors)
    for name, change in changes.items():
        tensors[name] = change(tensors[name])
    return str(save(folder / "weights", tensors))


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MachineUnits]:
    with running_units(small("random:0").program, tmp_path_factory.mktemp("units")) as running:
        yield running


ATTENTION = {"norm_loader": 13, "layernorm": 204, "qk": 373, "mv": 360, "residual_add": 138}


def test_layers_by_rtl_are_the_golden_encoder(units: MachineUnits) -> None:
    """Every array bit for bit; every call to the cycle in RTL, contract and machine."""
    player = play_and_compare(small("random:0"), units)
    assert player.cycles == {
        None: {"patch_embed": 9322},
        0: ATTENTION | {"weight_loader": 548, "linear": 2290},
        1: ATTENTION | {"weight_loader": 828, "linear": 2364, "gate": 258, "fill": 69},
    }
    assert {layer: sum(of_units.values()) for layer, of_units in player.cycles.items()} == {
        None: 9322,
        0: 3926,
        1: 4607,
    }


def test_an_expert_of_all_tokens_and_one_of_none(units: MachineUnits, tmp_path: Path) -> None:
    """In Edge-MoE's source the unit's reader and writer disagree over an expert with exactly all tokens, and hang."""

    def shared(vector: Tensor, value: float) -> Tensor:
        """A feature that all tokens share."""
        return np.concatenate([[np.float32(value)], vector[1:]])

    def gate(weights: Tensor) -> Tensor:
        """The shared feature decides between experts 1 and 2."""
        weights = weights / np.array([[1], [8], [8], [1]], dtype=np.float32)
        weights[:, 0] = [0, 1.9, -1.9, 0]
        return weights

    folder = changed(
        tmp_path, l1_norm2_weight=lambda v: shared(v, 0), l1_norm2_bias=lambda v: shared(v, 2), l1_w_gate_T_task0=gate
    )
    player = play_and_compare(small(folder), units)
    assert {expert: len(tokens) for expert, (tokens, _) in player.calls.queues.items()} == {0: 9, 1: 17, 3: 8}


def test_layers_of_large_numbers(units: MachineUnits, tmp_path: Path) -> None:
    """Sums wrap, and most keys' exponentials are 0, in the golden encoder as in RTL."""
    case = small(changed(
        tmp_path, pos_embed=lambda t: t * 60, l0_norm1_weight=lambda t: t * 8, l1_norm1_weight=lambda t: t * 8,
        l1_norm2_weight=lambda t: t * 8,
    ))  # fmt: skip
    made = {name: ACTIVATION.dequantise(array) for name, array in case.golden.items()}
    assert (made["embed"] ** 2).mean(axis=1).min() > 512  # more than an accumulator holds
    assert all(np.ptp(made[f"l{layer}.attention.scores"], axis=2).max() > 32 for layer in (0, 1))  # exp(-16) is nothing
    assert (case.golden["l1.route"] == 0).any()  # a score of 0, and still in the queue
    play_and_compare(case, units)


def test_a_wrong_weight_shows_where_it_is_used(units: MachineUnits) -> None:
    case = small("random:0")
    array = case.program.mapped.memory.arrays["l0.ffn1.weight"]
    case.memory.put(array.row(63), np.array([0x1234], dtype="<i2"))
    with pytest.raises(AssertionError, match=r"l0\.ffn1"):
        play_and_compare(case, units)


@pytest.mark.slow
def test_layers_of_m3vit_tiny_by_rtl_are_the_golden_encoder(tmp_path: Path) -> None:
    """A dense layer and one with experts at the published sizes, on the published tiles and banks."""
    routing = {"routing.load": "computed", "routing.weights": "random:0"}
    case = prepared(load_workload("m3vit_tiny", layers=2, **routing), {})
    with running_units(case.program, tmp_path) as running:
        player = play_and_compare(case, running)
    attention = {"norm_loader": 73, "layernorm": 6300, "qk": 102_201, "mv": 102_190, "residual_add": 6194}
    assert player.cycles == {
        None: {"patch_embed": 83_339},
        0: attention | {"weight_loader": 27_762, "linear": 222_995},
        1: attention | {"weight_loader": 157_332, "linear": 223_508, "gate": 6634, "fill": 3097},
    }
    assert {layer: sum(of_units.values()) for layer, of_units in player.cycles.items()} == {
        None: 83_339, 0: 467_715, 1: 607_529,
    }  # fmt: skip
