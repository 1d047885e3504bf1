"""The functions of a transformer in float64, straight from their definitions: the reference for machines."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

EPSILON = 1e-5  # GPT-2's layer_norm_epsilon, Llama's rms_norm_eps

_erf = np.frompyfunc(erf, 1, 1)


def exp(x: ArrayLike) -> Values:
    """e^x."""
    return np.asarray(np.exp(np.asarray(x, dtype=np.float64)))


def reciprocal(x: ArrayLike) -> Values:
    """1/x."""
    return np.asarray(1 / np.asarray(x, dtype=np.float64))


def rsqrt(x: ArrayLike) -> Values:
    """1/sqrt(x)."""
    return np.asarray(1 / np.sqrt(np.asarray(x, dtype=np.float64)))


def softmax(x: ArrayLike) -> Values:
    """Softmax over the last axis."""
    x = np.asarray(x, dtype=np.float64)
    powers = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def gelu(x: ArrayLike) -> Values:
    """GELU in GPT-2's tanh form, 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    Written as x / (1 + exp(-2u)), the same function, which stays accurate where 1 + tanh(u) cancels.
    """
    x = np.asarray(x, dtype=np.float64)
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    with np.errstate(over="ignore"):  # infinite where GELU is 0
        return np.asarray(x / (1 + np.exp(-2 * u)))


def gelu_erf(x: ArrayLike) -> Values:
    """The exact GELU, x Phi(x) with the normal distribution's Phi."""
    x = np.asarray(x, dtype=np.float64)
    return np.asarray(x * (1 + np.asarray(_erf(x / sqrt(2)), dtype=np.float64)) / 2)


def silu(x: ArrayLike) -> Values:
    """SiLU, x / (1 + exp(-x))."""
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(over="ignore"):  # infinite where SiLU is 0
        return np.asarray(x / (1 + np.exp(-x)))


def rmsnorm(x: ArrayLike, gamma: ArrayLike) -> Values:
    """RMSNorm over the last axis."""
    x = np.asarray(x, dtype=np.float64)
    return np.multiply(x * rsqrt((x**2).mean(-1, keepdims=True) + EPSILON), gamma)


def layernorm(x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, *, epsilon: float = EPSILON) -> Values:
    """LayerNorm over the last axis."""
    x = np.asarray(x, dtype=np.float64)
    centred = x - x.mean(-1, keepdims=True)
    return np.asarray(centred * rsqrt(x.var(-1, keepdims=True) + epsilon) * gamma + beta)
