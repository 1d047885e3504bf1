"""The golden model of the MAC unit, compiled: the same order of additions, some hundred times faster.

Tests check that `MacKernel.sweep` equals `hwsim.rtl.mac_unit.golden.MacUnit.sweep` bit for bit on generated cases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwsim.dram.device.kernel_cache import find_cache_folder
from hwsim.mapping.formats import FP32, Float, Format
from hwsim.rtl.mac_unit.contract import MacUnitContract

find_cache_folder()

Operands = NDArray[np.float32]
Values = NDArray[np.float64]


class Rounding(NamedTuple):
    """How to round a float64 to a narrower float by its bits.

    Attributes
    ----------
    dropped : bits of float64's mantissa that the format does not have
    smallest : the smallest normal value
    magic : 1.5 x 2^k; its neighbours are as far apart as the format's subnormal values
    largest : the largest finite value
    """

    dropped: int
    smallest: float
    magic: float
    largest: float

    @classmethod
    def to(cls, fmt: Format) -> Rounding:
        assert isinstance(fmt, Float)  # the contract ensures it
        lowest = 2 - (1 << (fmt.exponent_bits - 1))
        return cls(52 - fmt.mantissa_bits, 2.0**lowest, 1.5 * 2.0 ** (lowest - fmt.mantissa_bits + 52), fmt.maximum)


class MacKernel:
    """The MAC unit on arrays whose last axis is padded to whole column accesses."""

    def __init__(self, contract: MacUnitContract) -> None:
        self.contract = contract
        self.roundings = tuple(Rounding.to(fmt) for fmt in (contract.tree, contract.accumulator, contract.output))
        self.native = contract.tree == contract.accumulator == FP32

    def padded(self, x: NDArray[np.floating]) -> Operands:
        """`x`, whose values are in the operand format, with its last axis padded by zeros to a whole column access."""
        column = self.contract.column_elements
        elements = -(-x.shape[-1] // column) * column
        widths = [(0, 0)] * (x.ndim - 1) + [(0, elements - x.shape[-1])]
        return np.ascontiguousarray(np.pad(x.astype(np.float32), widths))  # np.pad keeps a transposed memory layout

    def sweep(self, weights_oi: Operands, inputs_i: Operands) -> Values:
        """Do as `MacUnit.sweep`, on padded (outputs, inputs) and (inputs,)."""
        contract = self.contract
        assert weights_oi.shape[1] == inputs_i.size
        assert inputs_i.size % contract.column_elements == 0
        weights, inputs = np.ascontiguousarray(weights_oi), np.ascontiguousarray(inputs_i)
        tree, accumulator, output = self.roundings
        results: Values
        if self.native:
            results = _sweep_fp32(weights, inputs, contract.column_elements, contract.lanes, output)
        else:
            results = _sweep(weights, inputs, contract.column_elements, contract.lanes, tree, accumulator, output)
        return results


@njit(cache=True)
def _round(x, to):
    """The value of the format nearest to a float64, ties to even."""
    magnitude = abs(x)
    if not magnitude <= 1.7976931348623157e308:
        return x
    if magnitude < to.smallest:
        return (x + to.magic) - to.magic
    bits = np.float64(x).view(np.int64)
    half = (np.int64(1) << (to.dropped - 1)) - 1
    bits += half + ((bits >> to.dropped) & 1)
    rounded = np.int64((bits >> to.dropped) << to.dropped).view(np.float64)
    return rounded if abs(rounded) <= to.largest else np.copysign(np.inf, x)


@njit(cache=True)
def _sweep(weights, inputs, column_elements, lanes, tree, accumulator, output):
    """For any formats: compute every result in float64, then round it."""
    results = np.empty(weights.shape[0], np.float64)
    terms = np.empty(min(lanes, column_elements), np.float64)
    for row in range(weights.shape[0]):
        total = 0.0
        for column in range(0, inputs.size, column_elements):
            for first in range(column, column + column_elements, lanes):
                width = min(lanes, column + column_elements - first)
                for lane in range(width):
                    product = np.float64(weights[row, first + lane]) * np.float64(inputs[first + lane])
                    terms[lane] = _round(product, tree)
                while width > 1:
                    pairs = width // 2
                    for pair in range(pairs):
                        terms[pair] = _round(terms[2 * pair] + terms[2 * pair + 1], tree)
                    if width % 2:
                        terms[pairs] = terms[width - 1]
                    width = pairs + width % 2
                total = _round(total + _round(terms[0], accumulator), accumulator)
        results[row] = _round(total, output)
    return results


@njit(cache=True)
def _sweep_fp32(weights, inputs, column_elements, lanes, output):
    """For tree and accumulator in FP32: the processor's own arithmetic rounds each result once."""
    results = np.empty(weights.shape[0], np.float64)
    terms = np.empty(min(lanes, column_elements), np.float32)
    for row in range(weights.shape[0]):
        total = np.float32(0)
        for column in range(0, inputs.size, column_elements):
            for first in range(column, column + column_elements, lanes):
                width = min(lanes, column + column_elements - first)
                for lane in range(width):
                    terms[lane] = weights[row, first + lane] * inputs[first + lane]
                while width > 1:
                    pairs = width // 2
                    for pair in range(pairs):
                        terms[pair] = terms[2 * pair] + terms[2 * pair + 1]
                    if width % 2:
                        terms[pairs] = terms[width - 1]
                    width = pairs + width % 2
                total += terms[0]
        results[row] = _round(np.float64(total), output)
    return results
