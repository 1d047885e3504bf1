"""A head on cores against float64, on inputs of every kind, plain and with a running maximum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Literal

import numpy as np

from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.formats import Float
from hwsim.rtl.float_values import to_format
from hwsim.rtl.row_attention.blocks import RowBlocks
from hwsim.rtl.row_attention.golden import RowAttention
from hwsim.verify.float64 import Values
from hwsim.verify.float64_attention import attention_rows
from hwsim.verify.report import AttentionError
from hwsim.verify.row_attention.biases import PairBiases
from hwsim.verify.row_attention.heads import Head
from hwsim.verify.row_attention.inputs import INPUTS, HeadSize
from hwsim.verify.row_attention.through_cores import Computed, through_cores

Softmax = Literal["plain", "safe"]


def compare_head(
    head: Head, plan: CorePlan, blocks: RowBlocks, queries: Sequence[int], seed: int
) -> Iterator[AttentionError]:
    """Errors of some queries of a head, for each kind of inputs plain and safe.

    Float64 gets the inputs as the format holds them, so that all errors are the arithmetic's. It goes by the pattern,
    and knows no plan.

    Parameters
    ----------
    head : its pattern is what the plan computes
    queries : which, each with at least one key
    """
    fmt = blocks.core.fmt
    assert isinstance(fmt, Float)  # contracts ensure it
    size = HeadSize(
        queries=head.queries,
        keys=head.keys,
        d_k=head.d_k,
        d_v=head.d_v,
        scale=head.scale,
        fmt=fmt,
        biases=head.bias.entries if head.bias else 0,
    )
    units: dict[Softmax, RowAttention] = {"plain": RowAttention(blocks.plain), "safe": RowAttention(blocks.safe)}
    for name, make in INPUTS.items():
        inputs = make(np.random.default_rng(seed), size)
        q, k, v = (to_format(x, fmt) for x in (inputs.q, inputs.k, inputs.v))
        wide = [x.astype(np.float64) for x in (q, k, v)]
        biases = PairBiases.of(head.bias, to_format(inputs.biases, fmt))
        exact = attention_rows(head.pattern, queries, *wide, scale=head.scale, bias=biases.of_keys if biases else None)
        for softmax, unit in units.items():
            computed = through_cores(unit, plan, queries, q, k, v, scale=head.scale, biases=biases)
            yield _error(name, softmax, computed, exact, largest=float(np.abs(wide[2]).max()))


def _error(inputs: str, softmax: Softmax, computed: Computed, exact: Values, *, largest: float) -> AttentionError:
    kept = ~computed.lost_r
    errors = np.abs(computed.results_rh[kept].astype(np.float64) - exact[kept])
    return AttentionError(
        inputs=inputs,
        softmax=softmax,
        rows_lost=int(computed.lost_r.sum()),
        max_absolute=float(errors.max()) if errors.size else None,
        mean_absolute=float(errors.mean()) if errors.size else None,
        max_relative=float(errors.max() / largest) if errors.size else None,
        **asdict(computed.events),
    )
