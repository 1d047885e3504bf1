"""Golden model of the MAC unit: its order of additions written out, slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.mapping.formats import Format, round_to
from hwsim.rtl.mac_unit.contract import MacUnitContract

Values = NDArray[np.float64]


class MacUnit:
    """The unit's only function; arrays are float64 that hold values of the contract's formats.

    Every adder has operands and result in one format (float64 holds the sum or product of two floats of 24 bits
    precisely enough that rounding it gives the rounded exact result); a value that goes from one format to another is
    rounded.
    """

    def __init__(self, contract: MacUnitContract) -> None:
        self.contract = contract

    def sweep(self, weights_oi: ArrayLike, inputs_i: ArrayLike) -> Values:
        """Inner products of one broadcast vector with the columns of several outputs.

        Parameters
        ----------
        weights_oi : (outputs, inputs) in the operand format
        inputs_i : (inputs,) in the operand format; a part-filled last column access is padded with 0

        Returns
        -------
        (outputs,) in the output format
        """
        contract = self.contract
        weights = self._passes(np.asarray(weights_oi, dtype=np.float64))
        inputs = self._passes(np.asarray(inputs_i, dtype=np.float64)[np.newaxis])
        total = np.zeros(weights.shape[0])
        for index in range(weights.shape[1]):
            products = round_to(weights[:, index] * inputs[:, index], contract.tree)
            sums = self._tree(products)
            total = _add(total, round_to(sums, contract.accumulator), contract.accumulator)
        return round_to(total, contract.output)

    def _passes(self, x: Values) -> Values:
        """(rows, elements) as (rows, passes, lanes), padded with zeros."""
        contract = self.contract
        columns = -(-x.shape[1] // contract.column_elements)
        by_column = _padded(x, columns * contract.column_elements).reshape(x.shape[0], columns, -1)
        by_pass = _padded(by_column, contract.passes * contract.lanes)
        return by_pass.reshape(x.shape[0], columns * contract.passes, contract.lanes)

    def _tree(self, products: Values) -> Values:
        """Sums of (rows, lanes) over the lanes, by pairs."""
        while products.shape[1] > 1:
            pairs = products.shape[1] // 2
            sums = _add(products[:, 0 : 2 * pairs : 2], products[:, 1 : 2 * pairs : 2], self.contract.tree)
            products = np.concatenate((sums, products[:, 2 * pairs :]), axis=1)
        return products[:, 0]


def _add(a: Values, b: Values, fmt: Format) -> Values:
    return round_to(a + b, fmt)


def _padded(x: Values, elements: int) -> Values:
    """`x` with zeros after its last axis."""
    widths = [(0, 0)] * (x.ndim - 1) + [(0, elements - x.shape[-1])]
    return np.pad(x, widths)
