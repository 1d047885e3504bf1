"""The softmax in a single pass: against float64 in two passes, and the messages of wrong parameters."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_softmax.golden import online_softmax
from hwsim.rtl.skew import skewed_rows


@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 5, 9, 17])
def test_each_query_gets_the_maximum_and_inverse_sum_of_its_own_scores(tokens: int) -> None:
    c = OnlineSoftmaxContract.from_preset("rtl", heads=2)
    rng = np.random.default_rng(tokens)
    scores_hqk = np.round(rng.normal(0, 3, (c.heads, tokens, tokens)) * (1 << 22)).astype(np.int64)
    rows = list(skewed_rows(tokens, c.slots))
    queries = np.array([[-1 if q is None else q for q in row.queries] for row in rows])
    keys = np.array([row.key for row in rows])[:, None]
    skewed = scores_hqk[:, queries, keys].transpose(1, 0, 2)
    mask = np.repeat((queries >= 0)[:, None].astype(np.int64), c.heads, axis=1)
    inverse, bias = online_softmax(c, tokens, np.where(mask == 1, skewed, 12345 << 20), mask)

    wanted = scores_hqk.max(axis=2)
    total = np.exp((scores_hqk - wanted[:, :, None]) * 2.0**-22).sum(axis=2)
    assert (bias == wanted.T).all()
    # each key adds an exponential's error and a floor; 1/s changes by less than s, since s >= 1
    bound = tokens * (c.recurrence.exp.error_bound + 2.0**-22) + sum(c.reciprocal.error_bound)
    assert np.abs(inverse * c.inverse.resolution - 1 / total.T).max() <= bound


@pytest.mark.parametrize(
    ("counts", "total", "maximum"), [([1, 1], 2, 3), ([0, 1], 1, 3), ([1, 0], 1, 3), ([0, 0], 0, -512)]
)
def test_a_masked_score_counts_for_nothing_even_as_the_first(counts: list[int], total: int, maximum: int) -> None:
    """Two queries one after the other in a slot; nothing may remain of the larger scores of the first."""
    c = OnlineSoftmaxContract.from_preset("rtl", heads=1, slots=1)
    scores, mask = np.array([9, 9, 3, 3]) << c.activation.fraction, np.array([1, 1, *counts])
    inverse, bias = online_softmax(c, 2, scores.reshape(4, 1, 1), mask.reshape(4, 1, 1))
    largest = c.inverse.code_range[1]
    assert inverse[1] == (largest if total == 0 else 1 / total / c.inverse.resolution)
    assert bias[1] == maximum << c.activation.fraction


def test_published_rows_take_12_cycles_and_a_beat_77_edges() -> None:
    c = OnlineSoftmaxContract.from_preset("published")
    assert (c.row_interval, c.latency, c.rows(129)) == (12, 77, 4257)


def test_one_head_waits_for_its_sum() -> None:
    alone, many = (OnlineSoftmaxContract.from_preset("rtl", heads=heads, slots=1) for heads in (1, 3))
    assert alone.cycles(9) - alone.cycles(8) == (81 - 64) * 3
    assert many.cycles(9) - many.cycles(8) == (81 - 64) * 3  # three heads fill the time


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 0}, "online_softmax: heads must be 1 to 64, got 0"),
        (
            {"activation": Fixed(width=32, integer=10, signed=False)},
            "online_softmax: activation must be signed, got ufixed(32,10)",
        ),
        ({"max_tokens": 512}, "a sum of 512 exponentials does not fit ufixed(31,9)"),
        (
            {"total": Fixed(width=31, integer=1)},
            "online_softmax: total must have bits on both sides of its point, got fixed(31,1)",
        ),
        (
            {"exponential": Fixed(width=22, integer=0, signed=False)},
            "online_softmax: exponential must hold 1 and have 2 to 28 fraction bits, got ufixed(22,0)",
        ),
        ({"total": Fixed(width=45, integer=9, signed=False)}, "sum times exponential may have 62 bits, 68 asked for"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError) as error:
        OnlineSoftmaxContract.from_preset("rtl", **changes)
    assert message in str(error.value)
