"""The gate: against float64 and a sort, the hazards of the published source, and messages of wrong parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.topk_gate.golden import choose, logits, queues, run

C = TopkGateContract.from_preset("rtl", experts=4, lanes=4, inputs=8, max_tokens=5)
ONE = 1 << 22


@given(st.lists(st.integers(-8 * ONE, 8 * ONE), min_size=4, max_size=4))
def test_choices_are_the_best_probabilities_over_all_experts(logits_e: list[int]) -> None:
    chosen = choose(C, np.array(logits_e))
    values = np.array(logits_e) / ONE
    probability = np.exp(values - values.max()) / np.exp(values - values.max()).sum()
    assert [expert for expert, _ in chosen] == np.argsort(-np.array(logits_e), kind="stable")[:2].tolist()
    bound = (C.experts + 1) * (C.recurrence.exp.error_bound + 2.0**-22) + sum(C.reciprocal.error_bound) + 2.0**-22
    assert all(abs(score / ONE - probability[expert]) <= bound for expert, score in chosen)


def test_a_later_second_best_leaves_the_best_in_its_place() -> None:
    assert [expert for expert, _ in choose(C, np.array([3, 1, 2, 0]) * ONE)] == [0, 2]


def test_equal_logits_go_to_the_lower_experts_at_a_quarter_each() -> None:
    assert choose(C, np.zeros(4, dtype=np.int64)) == [(0, ONE // 4), (1, ONE // 4)]


def test_an_expert_takes_every_token_and_others_none() -> None:
    weights = np.zeros((4, 8), dtype=np.int64)
    weights[2] = 1 << 14
    filled = queues(C, np.full((C.max_tokens, 8), ONE), weights)
    assert [len(entries) for entries in filled] == [5, 0, 5, 0]
    streams = run(
        C,
        {
            "command": {"load": np.array([1]), "tokens": np.array([5])},
            "weights": {"values": weights.reshape(-1, 4)},
            "x": {"values": np.full((10, 4), ONE)},
        },
    )
    assert {name: codes.tolist() for name, codes in streams["meta"].items()} == {
        "expert": [0, 2],
        "length": [5, 5],
        "last": [0, 1],
    }
    assert streams["queue"]["token"].tolist() == [0, 1, 2, 3, 4] * 2


def test_logits_are_the_products_floored_one_by_one() -> None:
    rng = np.random.default_rng(1)
    x, weights = rng.integers(-ONE, ONE, 8), rng.integers(-(1 << 14), 1 << 14, (4, 8))
    assert logits(C, x, weights).tolist() == [sum(int(w) * int(v) >> 14 for w, v in zip(row, x)) for row in weights]


def test_published_depths_and_intervals() -> None:
    c = TopkGateContract.from_preset("published")
    assert (c.mac.latency, c.latency, c.logit_interval) == (7, 104, 3)


def test_parts_of_a_token_follow_one_another_in_the_published_gate() -> None:
    """24 beats, 7 edges to the logits, 16 logits at interval 3 and 2 choices, 104 edges to the queues, and the turn."""
    c = TopkGateContract.from_preset("published")
    assert c.token_interval == 24 + 7 + (15 * 3 + 1 + 2) + 104 + 1 == 184
    assert TopkGateContract.from_preset("published", serial=False).token_interval == 48


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top": 17}, "topk_gate: top must be 1 to 16, got 17"),
        ({"inputs": 190}, "topk_gate: inputs must be a multiple of 8 lanes, got 190"),
        ({"total": Fixed(width=26, integer=4, signed=False)}, "a sum of 16 exponentials does not fit ufixed(26,4)"),
        (
            {"exponential": Fixed(width=30, integer=2), "inverse": Fixed(width=40, integer=12, signed=False)},
            "topk_gate: exponential times inverse may have 62 bits, 70 asked for",
        ),
        ({"mac_stages": 9}, "topk_gate: mac_stages must be 1 to 6, got 9"),
        (
            {"accumulator": Fixed(width=32, integer=10, signed=False)},
            "topk_gate: accumulator must be signed, got ufixed(32,10)",
        ),
        (
            {"inverse": Fixed(width=23, integer=1, signed=False)},
            "topk_gate: inverse must saturate, got ufixed(23,1)",
        ),
        ({"weight": Fixed(width=40, integer=2)}, "topk_gate: a product may have 64 bits, 72 asked for"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError) as error:
        TopkGateContract.from_preset("rtl", **changes)
    assert message in str(error.value)
