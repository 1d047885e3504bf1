"""Golden model of the vector unit: every operation rounded to the unit's formats, in the order of its algorithms.

All arithmetic goes through `Arithmetic`, so that a test can count what the contract charges.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats import FLOATS, Float, Format, round_to
from hwsim.rtl.vector_unit.contract import VectorUnitContract

Values = NDArray[np.float64]

LOG2E = 1.4426950408889634
LN2 = 0.6931471805599453
GELU_LINEAR = -2 * 0.7978845608028654
GELU_CUBIC = GELU_LINEAR * 0.044715
EPSILON = 1e-5
EXP_LOWEST = -87.0  # below this the result counts as zero: FP32 has no normal number there
EXP_HIGHEST = 89.0  # from 88.73 on, the result is infinite in FP32 and all smaller formats
MAGIC = 0x5F3759DF


class Arithmetic:
    """Addition and multiplication in one format; each result is rounded once."""

    def __init__(self, fmt: Format) -> None:
        self.fmt = fmt

    def add(self, a: ArrayLike, b: ArrayLike) -> Values:
        return self._round(np.add(self.operand(a), self.operand(b), dtype=np.float64))

    def multiply(self, a: ArrayLike, b: ArrayLike) -> Values:
        # a product of two floats of up to 24 bits is exact in float64, so it is rounded once; so is a sum wherever it
        # matters to FP32 (float64 has more than twice its bits)
        return self._round(np.multiply(self.operand(a), self.operand(b), dtype=np.float64))

    def operand(self, x: ArrayLike) -> ArrayLike:
        """`x` as the unit sees it: constants are rounded to the format; arrays already hold its values."""
        return self._round(np.asarray(x, dtype=np.float64)) if isinstance(x, float) else x

    def maximum(self, a: Values, b: Values) -> Values:
        """A comparison, done by an adder."""
        return np.maximum(a, b)

    def to_integer(self, a: Values) -> Values:
        """Nearest integer, ties to even: add and subtract a constant so large that the fraction is rounded off."""
        return np.rint(a)

    def scale_exponent(self, a: Values, k: Values) -> Values:
        """Multiply by 2^k, an addition to the exponent."""
        return self._round(np.ldexp(a, k.astype(np.int64)))

    def bits_subtract(self, minuend: int, a: Values) -> Values:
        """`minuend - (bits of a >> 1)` as an FP32 pattern: the start of the fast inverse square root."""
        pattern = minuend - (np.asarray(a, dtype=np.float32).view(np.int32) >> 1)
        return self._round(pattern.astype(np.int32).view(np.float32).astype(np.float64))

    def _round(self, x: Values) -> Values:
        if isinstance(self.fmt, Float) and self.fmt is FLOATS["fp32"]:
            with np.errstate(over="ignore"):
                return x.astype(np.float32).astype(np.float64)  # the common case, without using codes
        return round_to(x, self.fmt)


class VectorUnit:
    """The unit's functions; arrays in and out are float64 that hold values of the contract's formats.

    Parameters
    ----------
    arithmetic, accumulate : how to add and multiply; by default in the contract's internal and accumulator formats
    """

    def __init__(
        self,
        contract: VectorUnitContract,
        arithmetic: Arithmetic | None = None,
        accumulate: Arithmetic | None = None,
    ) -> None:
        self.contract = contract
        self.op = arithmetic or Arithmetic(contract.internal)
        self.sum_op = accumulate or Arithmetic(contract.accumulator)

    def exp(self, x: ArrayLike) -> Values:
        """e^x by range reduction and `taylor_terms` terms of the series; 0 below -87, infinite beyond FP32."""
        x = np.asarray(x, dtype=np.float64)
        op = self.op
        clamped = np.clip(x, EXP_LOWEST, EXP_HIGHEST)
        k = op.to_integer(op.multiply(clamped, LOG2E))
        r = op.add(clamped, op.multiply(k, -LN2))
        terms = self.contract.taylor_terms
        coefficients = 1 / np.cumprod(np.concatenate(([1.0], np.arange(1, terms))))
        result = np.full_like(r, op.operand(float(coefficients[-1])))
        for coefficient in coefficients[-2::-1]:
            result = op.add(op.multiply(result, r), float(coefficient))
        result = op.scale_exponent(result, k)
        return np.where(x < EXP_LOWEST, 0.0, result)

    def reciprocal(self, d: ArrayLike) -> Values:
        """1/d for positive d by Newton-Raphson on d scaled into [0.5, 1); 0 for infinity."""
        d = np.asarray(d, dtype=np.float64)
        op = self.op
        finite = np.where(np.isinf(d), 1.0, d)
        _, exponent = np.frexp(finite)
        scaled = op.scale_exponent(finite, -exponent)
        x = op.add(op.multiply(scaled, -32 / 17), 48 / 17)
        for _ in range(self.contract.newton_steps):
            x = op.multiply(x, op.add(2.0, -op.multiply(scaled, x)))
        return np.where(np.isinf(d), 0.0, op.scale_exponent(x, -exponent))

    def rsqrt(self, d: ArrayLike) -> Values:
        """1/sqrt(d) for positive d by the fast inverse square root."""
        d = np.asarray(d, dtype=np.float64)
        op = self.op
        half = op.scale_exponent(d, np.full(d.shape, -1))
        y = op.bits_subtract(MAGIC, d)
        for _ in range(self.contract.rsqrt_steps):
            y = op.multiply(y, op.add(1.5, -op.multiply(op.multiply(half, y), y)))
        return y

    def softmax(self, scores: ArrayLike, scale: float = 1.0) -> Values:
        """Softmax over the last axis of (rows, length) scores times `scale`, rounded to the output format."""
        op = self.op
        scaled = op.multiply(np.asarray(scores, dtype=np.float64), scale)
        exps = self.exp(op.add(scaled, -self._tree(scaled, op.maximum)))
        total = self._tree(exps, self.sum_op.add)
        return round_to(op.multiply(exps, self.reciprocal(total)), self.contract.output)

    def gelu(self, x: ArrayLike) -> Values:
        """GELU (tanh form), element by element, rounded to the output format."""
        return round_to(self._gelu(np.asarray(x, dtype=np.float64)), self.contract.output)

    def silu(self, x: ArrayLike) -> Values:
        """SiLU, element by element, rounded to the output format."""
        return round_to(self._silu(np.asarray(x, dtype=np.float64)), self.contract.output)

    def glu(self, gate: ArrayLike, up: ArrayLike, function: str) -> Values:
        """Activation of `gate` times `up`, element by element, rounded to the output format after the product."""
        activation = {"gelu": self._gelu, "silu": self._silu}[function]
        product = self.op.multiply(activation(np.asarray(gate, dtype=np.float64)), up)
        return round_to(product, self.contract.output)

    def rope(self, x: ArrayLike, cosines: ArrayLike, sines: ArrayLike) -> Values:
        """Rotate (heads, size), rounded to the output format.

        Parameters
        ----------
        cosines, sines : (size / 2,) of the position's angles; elements i and i + size / 2 are the coordinates of a
        point
        """
        op = self.op
        first, second = np.split(np.asarray(x, dtype=np.float64), 2, axis=-1)
        rotated = (
            op.add(op.multiply(first, cosines), -op.multiply(second, sines)),
            op.add(op.multiply(second, cosines), op.multiply(first, sines)),
        )
        return round_to(np.concatenate(rotated, axis=-1), self.contract.output)

    def layernorm(self, x: ArrayLike, gamma: ArrayLike, beta: ArrayLike) -> Values:
        """LayerNorm over the last axis of (rows, length), rounded to the output format."""
        x = np.asarray(x, dtype=np.float64)
        op, length = self.op, x.shape[-1]
        mean = op.multiply(self._tree(x, self.sum_op.add), 1 / length)
        difference = op.add(x, -mean)
        squares = self._tree(op.multiply(difference, difference), self.sum_op.add)
        deviation = self.rsqrt(op.add(op.multiply(squares, 1 / length), EPSILON))
        scaled = op.multiply(op.multiply(difference, deviation), gamma)
        return round_to(op.add(scaled, beta), self.contract.output)

    def rmsnorm(self, x: ArrayLike, gamma: ArrayLike) -> Values:
        """RMSNorm over the last axis of (rows, length), rounded to the output format."""
        x = np.asarray(x, dtype=np.float64)
        op, length = self.op, x.shape[-1]
        squares = self._tree(op.multiply(x, x), self.sum_op.add)
        inverse = self.rsqrt(op.add(op.multiply(squares, 1 / length), EPSILON))
        return round_to(op.multiply(op.multiply(x, inverse), gamma), self.contract.output)

    def add(self, a: ArrayLike, b: ArrayLike) -> Values:
        """Residual addition, rounded to the output format."""
        return round_to(self.op.add(a, b), self.contract.output)

    def accumulate(self, parts: ArrayLike) -> Values:
        """Sum of (parts, elements) over the first axis, one part after the other."""
        rows = np.asarray(parts, dtype=np.float64)
        total: Values = rows[0]
        for row in rows[1:]:
            total = self.sum_op.add(total, row)
        return total

    def _gelu(self, x: Values) -> Values:
        op = self.op
        factor = op.add(op.multiply(op.multiply(x, x), GELU_CUBIC), GELU_LINEAR)
        return self._gated(x, op.multiply(x, factor))

    def _silu(self, x: Values) -> Values:
        return self._gated(x, -x)

    def _gated(self, x: Values, exponent: Values) -> Values:
        """`x / (1 + exp(exponent))`; the denominator is infinite where the result is 0."""
        return self.op.multiply(x, self.reciprocal(self.op.add(1.0, self.exp(exponent))))

    def _tree(self, x: Values, combine: Callable[[Values, Values], Values]) -> Values:
        """Reduce the last axis by pairs to (rows, 1); an odd last element waits for the next level."""
        while x.shape[-1] > 1:
            pairs = x.shape[-1] // 2
            joined = combine(x[..., 0 : 2 * pairs : 2], x[..., 1 : 2 * pairs : 2])
            x = np.concatenate((joined, x[..., 2 * pairs :]), axis=-1)
        return x
