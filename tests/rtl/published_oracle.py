"""Edge-MoE's arithmetic in plain whole numbers, one number at a time: slow, and written from its description alone.

All numbers are codes with 22 fraction bits in 32 bits, unless said otherwise. Nothing of the golden models is used.

Source: the published HLS source, compiled and compared; exp and square root by a stand-in of the vendor's library.
"""

from __future__ import annotations

from decimal import Context, Decimal
from functools import cache
from math import isqrt

ONE = 1 << 22
LOWEST = -(1 << 31)
_DIGITS = Context(prec=80)


def wrap(code: int) -> int:
    """The code in 32 bits."""
    return (code + (1 << 31)) % (1 << 32) - (1 << 31)


def product(a: int, b: int, fraction: int = 22) -> int:
    """`a b`, floored; `b` has `fraction` fraction bits."""
    return wrap((a * b) >> fraction)


def score(q: list[int], k: list[int]) -> int:
    """Each product is floored, each sum over 8 channels is multiplied by 0.125 and floored, and these are added up."""
    total = 0
    for start in range(0, len(q), 8):
        partial = 0
        for a, b in zip(q[start : start + 8], k[start : start + 8]):
            partial = wrap(partial + product(a, b))
        total = wrap(total + (partial >> 3))
    return total


def exp(x: int) -> int:
    """T is e^m, for m the multiple of 1/8 at or below x, and G is e^(x - m) - 1; `T + T G` is truncated."""
    if x < -16 * ONE:
        return 0
    eighths = (x << 3) >> 22
    rest = x - ((eighths << 22) >> 3)
    power = _power(eighths)
    return (power + ((power * growth(rest)) >> 52)) >> 5


@cache
def _power(eighths: int) -> int:
    """T at 27 fraction bits."""
    return int((Decimal(eighths) / 8).exp(_DIGITS) * (1 << 27))


@cache
def growth(rest: int) -> int:
    """G at 52 fraction bits."""
    return int(((Decimal(rest) / ONE).exp(_DIGITS) - 1) * (1 << 52))


def inverse(total: int) -> int:
    return wrap((1 << 44) // total)


def inverse_root(variance: int) -> int:
    """The root is rounded to nearest; the quotient wraps for up to 16 codes. For variances above 0."""
    square = variance << 22
    root = isqrt(square)
    if square - root * root > root:  # above the middle of two roots
        root += 1
    return wrap((1 << 44) // root)


def running_sum(scores: list[int]) -> tuple[int, int]:
    """Maximum and sum of exponentials, in the order of the scores."""
    best, total = LOWEST, 0
    for a in scores:
        d = best - a
        if d < 0:
            total, best = wrap(product(total, exp(d)) + ONE), a
        else:
            total = wrap(total + exp(-d))
    return best, total


def probability(a: int, best: int, inverse_sum: int) -> int:
    """As attention recomputes it."""
    return product(exp(a - best), inverse_sum)


def weigh(probabilities: list[int], values: list[int]) -> int:
    total = 0
    for p, v in zip(probabilities, values):
        total = wrap(total + product(p, v))
    return total


def gate(logits: list[int], top: int) -> list[tuple[int, int]]:
    """The best experts with their probabilities, by division; ties to the lower expert."""
    best, total = running_sum(logits)
    chosen: list[int] = []
    for _ in range(top):
        left = [expert for expert in range(len(logits)) if expert not in chosen]
        chosen.append(max(left, key=lambda expert: (logits[expert], -expert)))
    return [(expert, wrap((exp(logits[expert] - best) << 22) // total)) for expert in chosen]


def layernorm(x: list[int], weight: list[int], bias: list[int]) -> list[int]:
    """A token; weights and biases have 11 fraction bits. A variance of 0 or below is ours: the largest inverse root."""
    share, mean, of_squares = ONE // len(x), 0, 0
    for value in x:
        term = product(value, share)
        mean, of_squares = wrap(mean + term), wrap(of_squares + product(value, term))
    variance = wrap(of_squares - product(mean, mean) + 4)
    root = inverse_root(variance) if variance > 0 else (1 << 31) - 1
    return [wrap(product(product(wrap(value - mean), root), w, 11) + (b << 11)) for value, w, b in zip(x, weight, bias)]
