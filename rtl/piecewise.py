"""Smooth functions on [0, 1) as a table of polynomials in fixed point: coefficients, golden evaluation, error bound.

The upper bits of the argument choose a segment, the lower bits are the variable of its polynomial, evaluated by
Horner's rule with a floor to the working resolution after each product.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Resources
from hwsim.rtl.estimates import adder, delay, multiplier, register, rom
from hwsim.rtl.ports import Codes


@dataclass(frozen=True, kw_only=True)
class Smooth:
    """A function on [0, 1] with values in [0, 1], and a bound on its n-th derivative there."""

    value: Callable[[float], float]
    derivative_bound: Callable[[int], float]


@dataclass(frozen=True, kw_only=True)
class Piecewise:
    """Polynomials of `degree` on 2^segments_log2 equal segments of [0, 1), for one function after the other.

    Attributes
    ----------
    functions : the functions in the table; segments are numbered through all of them
    fraction : fraction bits of coefficients, intermediate values and the result
    rest_bits : bits of the argument below a segment
    """

    functions: tuple[Smooth, ...]
    segments_log2: int
    degree: int
    fraction: int
    rest_bits: int

    @property
    def stages(self) -> int:
        """Registers of the pipelined evaluation: the table, then product and sum of each degree."""
        return 1 + 2 * self.degree

    @property
    def error_bound(self) -> float:
        """Largest distance from the function at an argument that has no bits below the rest.

        The interpolation is at Chebyshev's nodes; each coefficient has an error of half a resolution, each floor one of
        a whole.
        """
        n, h = self.degree + 1, 2.0**-self.segments_log2
        chebyshev = max(2 * (h / 4) ** n * f.derivative_bound(n) / math.factorial(n) for f in self.functions)
        return chebyshev + (0.5 * n + self.degree) * 2.0**-self.fraction

    def evaluate(self, segment: Codes, rest: Codes) -> Codes:
        """Values, as codes with `fraction` fraction bits."""
        coefficients = self.coefficients()[:, segment]
        value: Codes = coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            value = ((value * rest) >> self.rest_bits) + coefficient
        return value

    def resources(self) -> Resources:
        """Table, products and sums of the pipelined evaluation."""
        constants = [fmt.width for fmt in self.coefficient_formats()]
        value, total = constants[-1], rom(len(self.functions) << self.segments_log2, sum(constants))
        total += register(self.rest_bits)
        for i, fmt in enumerate(self.value_formats()):
            total += multiplier(value, self.rest_bits, fmt.width) + register(value)
            total += delay(constants[self.degree - 1 - i], 2 * i + 1)  # waits for its sum
            total += adder(fmt.width) + register(fmt.width)
            if i < self.degree - 1:
                total += delay(self.rest_bits, 2)
            value = fmt.width
        return total

    def coefficients(self) -> NDArray[np.int64]:
        """(degree + 1, segments of all functions) codes, the constant term first."""
        return _coefficients(self)

    def coefficient_formats(self) -> list[Fixed]:
        """The narrowest format that holds each degree's coefficients."""
        return [_narrowest(int(row.min()), int(row.max()), self.fraction) for row in self.coefficients()]

    def value_formats(self) -> list[Fixed]:
        """The narrowest format that holds the value after each sum, by the coefficients of each segment."""
        low = high = self.coefficients()[-1]
        formats = []
        for constant in self.coefficients()[-2::-1]:
            low, high = np.minimum(low, 0) + constant, np.maximum(high, 0) + constant
            formats.append(_narrowest(int(low.min()), int(high.max()), self.fraction))
        return formats


def _narrowest(low: int, high: int, fraction: int) -> Fixed:
    signed = low < 0
    width = max(high.bit_length(), (~low).bit_length() if signed else 1) + signed
    return Fixed(width=width, integer=width - fraction, signed=signed)


@cache
def _coefficients(p: Piecewise) -> NDArray[np.int64]:
    count, nodes = 1 << p.segments_log2, _chebyshev_nodes(p.degree + 1)
    # value(r) at the nodes -> coefficients of powers of r in [0, 1)
    to_powers = np.linalg.inv(np.vander(nodes, increasing=True))
    columns = [
        to_powers @ np.array([function.value((segment + node) / count) for node in nodes])
        for function in p.functions
        for segment in range(count)
    ]
    return np.rint(np.array(columns).T * 2.0**p.fraction).astype(np.int64)


def _chebyshev_nodes(count: int) -> NDArray[np.float64]:
    """Chebyshev's nodes on [0, 1]."""
    return (1 + np.cos((2 * np.arange(count) + 1) * np.pi / (2 * count))) / 2


EXP2_NEGATIVE = Smooth(value=lambda u: 2.0**-u, derivative_bound=lambda n: math.log(2) ** n)
RECIPROCAL = Smooth(value=lambda u: 1 / (1 + u), derivative_bound=math.factorial)


def _rsqrt_derivative(n: int) -> float:
    """The n-th derivative of 1/sqrt(1 + u) at 0: (2n - 1)!! / 2^n."""
    return math.prod(range(1, 2 * n, 2)) / 2.0**n


RSQRT = Smooth(value=lambda u: 1 / math.sqrt(1 + u), derivative_bound=_rsqrt_derivative)
RSQRT_OF_DOUBLE = Smooth(
    value=lambda u: 1 / math.sqrt(2 * (1 + u)), derivative_bound=lambda n: _rsqrt_derivative(n) / math.sqrt(2)
)
