"""One transformer layer of Edge-MoE in fixed point over whole arrays, without streams, tiles or blocks.

Written independently of the blocks' golden models, so that RTL blocks in sequence can be compared with it. Only the
functions of one number (exp, reciprocals, GELU) are shared; they have their own tests against float64. All activations
are codes of `ACTIVATION`.

Source: Edge-MoE, schedule of a layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwsim.mapping.formats import Fixed
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.gelu_delta.golden import gelu
from hwsim.rtl.inverse_root.contract import ReciprocalContract, RsqrtContract
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.ports import Codes

ACTIVATION = Fixed(width=32, integer=10)
WEIGHT = Fixed(width=16, integer=2)
BIAS = Fixed(width=18, integer=7)  # holds the two formats of biases in memory:
ATTENTION_BIAS = Fixed(width=16, integer=7)
LINEAR_BIAS = Fixed(width=16, integer=5)
NORM = Fixed(width=16, integer=5)
FRACTION = ACTIVATION.fraction
EPSILON = 4
_UNIT = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
_EXP = ExpContract.from_preset("rtl", result=_UNIT)
_SUM = Fixed(width=31, integer=9, signed=False)
_RECIPROCAL = ReciprocalContract.from_preset("rtl", argument=_SUM, result=_UNIT)
_RSQRT = RsqrtContract.from_preset("rtl")
_GELU = GeluDeltaContract.from_preset("rtl")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes of a layer; `slots` is the attention's parallelism, by which a query's first key is chosen."""

    tokens: int = 17
    features: int = 32
    heads: int = 2
    hidden: int = 64
    expert_hidden: int = 32
    experts: int = 4
    top: int = 2
    slots: int = 4

    @property
    def head_dim(self) -> int:
        return self.features // self.heads

    @property
    def scale_code(self) -> int:
        """1/sqrt(head_dim), with as many fraction bits as an activation; Edge-MoE's 64 channels make it 1/8."""
        return round(2**FRACTION / self.head_dim**0.5)


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Weights (out, in), codes of `WEIGHT`, and biases (out,), codes of `BIAS`."""

    weight: Codes
    bias: Codes


@dataclass(frozen=True, kw_only=True)
class Norm:
    """Weights and biases (features,), codes of `NORM`."""

    weight: Codes
    bias: Codes


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Parameters of a layer: a dense one has `mlp`, one with experts `gate` (experts, features) and `experts`."""

    shape: Shape
    norm1: Norm
    q: Matrix
    k: Matrix
    v: Matrix
    proj: Matrix
    norm2: Norm
    mlp: tuple[Matrix, Matrix] | None = None
    gate: Codes | None = None
    experts: tuple[tuple[Matrix, Matrix], ...] = ()


def run_layer(layer: Layer, x: Codes) -> dict[str, Codes]:
    """Every array of a layer by name, in the order of computation; (tokens, features) unless said otherwise.

    `scores` and `probabilities` are (heads, queries, keys), `maximum` and `inverse` (heads, queries), `chosen` and
    `gate` (tokens, experts). `hidden2` is the hidden layer of expert 2 for its tokens, 0 for others, and `out2` the sum
    after expert 2. `out` is the layer's result.
    """
    s, made = layer.shape, {}
    made["norm1"] = norm(layer.norm1, x)
    made["q"], made["k"] = linear(layer.q, made["norm1"]), linear(layer.k, made["norm1"])
    made["scores"] = attention_scores(s, made["q"], made["k"])
    sums = np.array([[running_sum(row, i % s.slots) for i, row in enumerate(h)] for h in made["scores"]])
    made["maximum"], made["inverse"] = sums[..., 0], sums[..., 1]
    made["probabilities"] = np.array([[probabilities(*of) for of in zip(*h)] for h in zip(made["scores"], sums)])
    made["v"] = linear(layer.v, made["norm1"])
    made["attention"] = weigh(s, made["probabilities"], made["v"])
    made["proj"] = linear(layer.proj, made["attention"])
    made["residual"] = _wrap(x + made["proj"])
    made["norm2"] = norm(layer.norm2, made["residual"])
    if layer.mlp is not None:
        made["hidden"] = gelu(_GELU, linear(layer.mlp[0], made["norm2"]))
        made["mlp"] = linear(layer.mlp[1], made["hidden"])
    else:
        made["chosen"], made["gate"] = gate(layer, made["norm2"])
        made["mlp"] = np.zeros_like(x)
        for i, (expert, score) in enumerate(zip(layer.experts, made["gate"].T)):
            made[f"hidden{i}"] = np.where(made["chosen"][:, [i]] == 1, gelu(_GELU, linear(expert[0], made["norm2"])), 0)
            y = linear(expert[1], made[f"hidden{i}"])
            made["mlp"] = _wrap(made["mlp"] + _floor(score[:, None] * y, FRACTION))
            made[f"out{i}"] = _wrap(made["residual"] + made["mlp"])
    made["out"] = _wrap(made["residual"] + made["mlp"])
    return made


def norm(p: Norm, x: Codes) -> Codes:
    """Layer norm of each token."""
    term = _floor(x * (2**FRACTION // x.shape[1]), FRACTION)
    mean = _wrap(term.sum(axis=1, keepdims=True))
    of_squares = _wrap(_floor(x * term, FRACTION).sum(axis=1, keepdims=True))
    variance = _wrap(of_squares - _floor(mean * mean, FRACTION) + EPSILON)
    root = inverse_root(_RSQRT, np.maximum(variance, 0))
    normal = _floor(_wrap(x - mean) * root, _RSQRT.result.fraction)
    return _wrap(_floor(normal * p.weight, NORM.fraction) + (p.bias << (FRACTION - NORM.fraction)))


def linear(p: Matrix, x: Codes) -> Codes:
    """`W x + bias` of each token; each product floors."""
    products = _floor(x[:, None, :] * p.weight[None], WEIGHT.fraction)
    return _wrap((p.bias << (FRACTION - BIAS.fraction)) + products.sum(axis=2))


def attention_scores(s: Shape, q: Codes, k: Codes) -> Codes:
    """(heads, queries, keys), times 1/sqrt(head_dim)."""
    q, k = (a.reshape(s.tokens, s.heads, s.head_dim).transpose(1, 0, 2) for a in (q, k))
    sums = _wrap(_floor(q[:, :, None, :] * k[:, None, :, :], FRACTION).sum(axis=3))
    return _floor(sums * s.scale_code, FRACTION)


def running_sum(scores: Codes, start: int) -> tuple[int, int]:
    """Maximum of one row of scores, and 1 over their softmax's sum; keys come from `start` on, then the rest."""
    best, total = int(scores[start]), 1 << FRACTION
    for score in np.roll(scores, -start)[1:].tolist():
        if score > best:
            total, best = ((total * _exp(best - score)) >> FRACTION) + (1 << FRACTION), score
        else:
            total += _exp(score - best)
    return best, int(inverse_root(_RECIPROCAL, np.array([total]))[0])


def probabilities(scores: Codes, sums: tuple[int, int]) -> Codes:
    """Softmax of one row, floored to activations before values are weighted."""
    best, inverse = map(int, sums)
    return np.array([_exp(score - best) * inverse >> FRACTION for score in scores.tolist()], dtype=np.int64)


def weigh(s: Shape, shares: Codes, v: Codes) -> Codes:
    """Values weighted by probabilities."""
    v = v.reshape(s.tokens, s.heads, s.head_dim).transpose(1, 0, 2)
    products = _floor(shares[:, :, :, None] * v[:, None, :, :], FRACTION)
    return _wrap(products.sum(axis=2)).transpose(1, 0, 2).reshape(s.tokens, s.features)


def gate(layer: Layer, x: Codes) -> tuple[Codes, Codes]:
    """(tokens, experts): 1 if an expert is among a token's best, otherwise 0; and its score there, which may be 0.

    Ties go to the lower expert.
    """
    assert layer.gate is not None
    logits = _wrap(_floor(x[:, None, :] * layer.gate[None], WEIGHT.fraction).sum(axis=2))
    every = np.array([probabilities(row, running_sum(row, 0)) for row in logits])
    ranks = np.argsort(np.argsort(-logits, axis=1, kind="stable"), axis=1)
    chosen = ranks < layer.shape.top
    return chosen.astype(np.int64), np.where(chosen, every, 0)


def random_layer(shape: Shape, rng: np.random.Generator, *, dense: bool) -> tuple[Layer, Codes]:
    """A layer of the sizes of a trained one (weights of deviation 1/sqrt(in)), and its input."""

    def matrix(outs: int, ins: int, stored: Fixed) -> Matrix:
        weight = WEIGHT.quantise(np.clip(rng.normal(0, ins**-0.5, size=(outs, ins)), -1.9, 1.9))
        bias = stored.quantise(rng.normal(0, 0.2, size=outs)) << (BIAS.fraction - stored.fraction)
        return Matrix(weight=weight, bias=bias)

    def norm_of() -> Norm:
        d = shape.features
        return Norm(weight=NORM.quantise(rng.normal(1, 0.2, size=d)), bias=NORM.quantise(rng.normal(0, 0.2, size=d)))

    d = shape.features
    attention = {name: matrix(d, d, ATTENTION_BIAS) for name in ("q", "k", "v", "proj")}
    norms = {name: norm_of() for name in ("norm1", "norm2")}
    x = ACTIVATION.quantise(rng.normal(0.1, 1.5, size=(shape.tokens, d)))
    if dense:
        mlp = matrix(shape.hidden, d, LINEAR_BIAS), matrix(d, shape.hidden, LINEAR_BIAS)
        return Layer(shape=shape, **attention, **norms, mlp=mlp), x
    hidden = shape.expert_hidden
    experts = tuple((matrix(hidden, d, LINEAR_BIAS), matrix(d, hidden, LINEAR_BIAS)) for _ in range(shape.experts))
    gate_weights = matrix(shape.experts, d, LINEAR_BIAS).weight
    return Layer(shape=shape, **attention, **norms, gate=gate_weights, experts=experts), x


def _wrap(codes: Codes) -> Codes:
    """Codes modulo 2^32."""
    return (codes + 2**31) % 2**32 - 2**31


def _floor(products: Codes, places: int) -> Codes:
    """Products with `places` excess fraction bits, as an accumulator holds them."""
    return _wrap(products >> places)


def _exp(difference: int) -> int:
    """Code of exp of a code up to 0; differences below the range count as its end."""
    return int(exp(_EXP, np.array([max(difference, ACTIVATION.code_range[0])]))[0])
