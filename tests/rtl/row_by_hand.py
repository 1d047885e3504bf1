"""Row-wise attention a number at a time, in the arithmetic of numpy's and ml_dtypes' own scalars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import ml_dtypes
import numpy as np

from hwsim.mapping.formats import Format, round_to
from hwsim.rtl.row_attention.blocks import RowBlocks

DTYPES: dict[str, Any] = {"bf16": ml_dtypes.bfloat16, "fp16": np.float16, "fp32": np.float32}
Row = Sequence[Any]


def exact_exp(x: float, fmt: Format) -> Any:
    """e^x from 40 digits."""
    dtype = DTYPES[str(fmt)]
    if np.isnan(x) or np.isinf(x):
        return dtype(np.exp(x))
    with localcontext() as context:
        context.prec = 40
        return dtype(round_to(float(Decimal(float(x)).exp()), fmt))


class RowByHand:
    """One row after the other, one core after the other."""

    def __init__(self, blocks: RowBlocks) -> None:
        self.blocks = blocks
        self.fmt = blocks.core.fmt
        self.number = DTYPES[str(blocks.core.fmt)]
        self.qk_sum = DTYPES[str(blocks.core.sum_fmt)]
        self.sum = DTYPES[str(blocks.row_sum.sum_fmt)]

    def row(
        self,
        q: Row,
        keys: Sequence[Row | None],
        values: Sequence[Row | None],
        biases: Row,
        carried: tuple[list[Any], Any, Any],
    ) -> tuple[list[Any], Any, Any]:
        """Numerator, sum and maximum of a row over cores, of which those that hold None are idle."""
        scores = [None if k is None else self.score(q, k, bias) for k, bias in zip(keys, biases)]
        z, total, maximum = carried
        if self.blocks.row_max:
            old = maximum
            for s in scores:  # numpy's maximum of a number and NaN is NaN
                maximum = maximum if s is None else np.maximum(maximum, s)
            scores = [None if s is None else self.number(s - maximum) for s in scores]
            if old != -np.inf:
                factor = self.sum(exact_exp(self.number(old - maximum), self.fmt))
                z, total = [self.sum(x * factor) for x in z], self.sum(total * factor)
        exps = [self.number(0) if s is None else exact_exp(s, self.fmt) for s in scores]
        total = self.sum(total + self.one_by_one([self.sum(e) for e in exps], self.blocks.row_sum.group))
        z = [self.sum(x + self.element(index, exps, values)) for index, x in enumerate(z)]
        return z, total, maximum

    def score(self, q: Row, k: Row, bias: Any) -> Any:
        total = self.qk_sum(0)
        for a, b in zip(q, k):
            total = self.qk_sum(total + self.qk_sum(self.number(a * b)))
        return self.number(self.number(total) + bias)

    def element(self, index: int, exps: Sequence[Any], values: Sequence[Row | None]) -> Any:
        """An element of the numerator."""
        terms = [self.sum(0) if v is None else self.sum(self.number(e * v[index])) for e, v in zip(exps, values)]
        group = self.blocks.z_reduce.group
        if self.blocks.z_reduce.order == "chain":
            return self.one_by_one(terms, group)
        return self.pairs([self.pairs(terms[first : first + group]) for first in range(0, len(terms), group)])

    def one_by_one(self, terms: Sequence[Any], group: int) -> Any:
        return self.chain([self.chain(terms[first : first + group]) for first in range(0, len(terms), group)])

    def chain(self, terms: Sequence[Any]) -> Any:
        total = terms[0]
        for term in terms[1:]:
            total = self.sum(total + term)
        return total

    def pairs(self, terms: Sequence[Any]) -> Any:
        terms = list(terms)
        while len(terms) > 1:
            odd = terms[-1:] if len(terms) % 2 else []
            terms = [self.sum(a + b) for a, b in zip(terms[::2], terms[1::2])] + odd
        return terms[0]

    def divided(self, z: Row, total: Any) -> list[Any]:
        return [self.number(self.sum(x / total)) for x in z]
