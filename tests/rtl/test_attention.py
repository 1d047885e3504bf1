"""Attention in the skewed order: golden models against plain attention, the paper's table, messages."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.mv.golden import run as run_mv
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.online_softmax.golden import run as run_online_softmax
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.qk_reorder import cases as qk_reorder_cases
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.qk_reorder.golden import run as run_qk_reorder
from hwsim.rtl.skew import row_count, skewed_rows

ONE = 1 << 22  # the code of 1 in <32,10>


def plain_score(q: list[int], k: list[int]) -> int:
    """Code of a score of codes of <32,10>, in rational numbers: floored products, their sum, an eighth, floored."""
    total = sum(floor(Fraction(a, ONE) * Fraction(b, ONE) * ONE) for a, b in zip(q, k))
    wrapped = (total + 2**31) % 2**32 - 2**31
    return floor(Fraction(wrapped, 8))


def qk_job(c: QkReorderContract, q: Codes, k: Codes) -> Streams:
    """Queries and keys (tokens, channels of all heads) as the memory streams them."""
    tokens = len(q)
    again = [row.key for row in skewed_rows(tokens, c.slots)]
    return {
        "command": {"tokens": np.array([tokens])},
        "q": {"values": q.reshape(-1, c.channels)},
        "k": {"values": k[again].reshape(-1, c.channels)},
    }


def unskew(tokens: int, slots: int, rows: Codes) -> Codes:
    """(rows, heads, slots) as (heads, queries, keys)."""
    found = np.full((rows.shape[1], tokens, tokens), 1 << 60)
    for row, values in zip(skewed_rows(tokens, slots), rows, strict=True):
        for slot, query in enumerate(row.queries):
            if query is not None:
                found[:, query, row.key] = values[:, slot]
    return found


@settings(max_examples=40, deadline=None)
@given(
    tokens=st.integers(1, 9),
    slots=st.integers(1, 5),
    heads=st.integers(1, 3),
    scale_bits=st.integers(0, 31),
    data=st.data(),
)
def test_reassembled_scores_are_those_of_plain_attention(
    tokens: int, slots: int, heads: int, scale_bits: int, data: st.DataObject
) -> None:
    c = QkReorderContract(slots=slots, channels=2, heads=heads, head_dim=4, max_tokens=9)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    q, k = rng.integers(-(2**31), 2**31, size=(2, tokens, heads * 4)) >> scale_bits
    beats = run_qk_reorder(c, qk_job(c, q, k))["scores"]
    found = unskew(tokens, slots, beats["values"].reshape(-1, heads, slots))
    for head in range(heads):
        part = slice(4 * head, 4 * head + 4)
        wanted = [[plain_score(a[part].tolist(), b[part].tolist()) for b in k] for a in q]
        assert found[head].tolist() == wanted
    rows = list(skewed_rows(tokens, slots))
    assert beats["mask"].reshape(-1, heads, slots).tolist() == [[[int(v) for v in r.mask]] * heads for r in rows]
    assert (beats["values"][beats["mask"] == 0] == 0).all()


@pytest.mark.parametrize("slots", [1, 3, 4])
@pytest.mark.parametrize("tokens", [1, 2, 4, 5, 17])
def test_the_three_blocks_in_sequence_are_near_attention_in_float64(tokens: int, slots: int) -> None:
    """Also equal to probabilities times values, each product floored, in the order of keys."""
    heads, head_dim, channels = 2, 16, 4
    same = {"slots": slots, "heads": heads, "max_tokens": 17}
    qk = QkReorderContract(**same, channels=channels, head_dim=head_dim)
    softmax, mv = OnlineSoftmaxContract(**same), MvContract(**same, channels=channels, head_dim=head_dim)
    rng = np.random.default_rng(100 * tokens + slots)
    q, k, v = np.rint(rng.normal(0, 2, size=(3, tokens, heads * head_dim)) * ONE).astype(np.int64)

    inputs = qk_job(qk, q, k)
    scores = run_qk_reorder(qk, inputs)["scores"]
    found = run_online_softmax(softmax, {"command": inputs["command"], "scores": scores})
    again = [row.key for row in skewed_rows(tokens, slots)]
    values = {"values": v[again].reshape(-1, channels)}
    y = run_mv(mv, {"command": inputs["command"], "info": found["info"], "scores": found["raw"], "v": values})["y"]
    y_qhd = y["values"].reshape(tokens, heads, head_dim)

    q_, k_, v_ = (a.reshape(tokens, heads, head_dim) / ONE for a in (q, k, v))
    a = np.einsum("qhd,khd->hqk", q_, k_) / 8
    p = np.exp(a - a.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    exact = np.einsum("hqk,khd->qhd", p, v_)
    # a score's error is head_dim/8 + 1 floors, which scales its probability; then exp, 1/sum and a floor per product
    one_probability = (head_dim / 8 + 1) * 2.0**-22 * 2 + 2 * mv.exp.error_bound + tokens * 2.0**-21
    bound = tokens * (one_probability * np.abs(v_).max() + 2.0**-22)
    assert np.abs(y_qhd / ONE - exact).max() <= bound
    assert y_qhd.tolist() == weighed_in_order(mv, unskew(tokens, slots, _rows(scores, heads, slots)), found["info"], v)


def _rows(scores: Any, heads: int, slots: int) -> Codes:
    return scores["values"].reshape(-1, heads, slots)


def weighed_in_order(c: MvContract, scores: Codes, info: Any, v: Codes) -> list[list[list[int]]]:
    """Results in whole numbers, query by query and key by key; only the exponential is shared."""
    results = []
    for query, (inverse, bias) in enumerate(zip(info["inverse"].tolist(), info["bias"].tolist())):
        heads = []
        for head in range(c.heads):
            total = [0] * c.head_dim
            for key, score in enumerate(scores[head, query].tolist()):
                p = int(exp(c.exp, np.array(score - bias[head]))) * inverse[head] >> 22
                part = v[key, head * c.head_dim : (head + 1) * c.head_dim].tolist()
                total = [t + (p * x >> 22) for t, x in zip(total, part)]
            heads.append([(t + 2**31) % 2**32 - 2**31 for t in total])
        results.append(heads)
    return results


@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_the_table_of_the_paper(slots: int) -> None:
    """N = 24 on p slots, in tokens: loads, rows, peak loads a row, tokens held. Reordering leaves the peak at 2."""
    n, p = 24, slots
    c = QkReorderContract(slots=p, channels=2, heads=1, head_dim=2, max_tokens=n)
    job: Job = qk_reorder_cases._job(c, "table", *np.zeros((2, n, 1, 2), dtype=np.int64))
    loads = len(job.inputs["q"]["values"]) + len(job.inputs["k"]["values"])
    rows = c.cycles(n) - 1 - c.latency
    held = c.resources().sram_bytes // (2 * 4) + 1  # the slots, and the key that streams by
    peak = max(1 + (row.refill is not None) for row in skewed_rows(n, p))
    assert (loads, rows, peak, held) == (n * n // p + n + p - 1, n * n // p + p - 1, 2, p + 1)

    block_by_block = [1 + (p if key == 0 else 0) for _ in range(n // p) for key in range(n)]  # without reordering
    assert (sum(block_by_block), len(block_by_block), max(block_by_block)) == (n * n // p + n, n * n // p, p + 1)


def test_edge_moe_takes_a_row_in_24_cycles() -> None:
    qk, mv = QkReorderContract.from_preset("published"), MvContract.from_preset("published")
    assert (row_count(129, 4), qk.token_beats, mv.token_beats) == (4257, 24, 24)
    assert qk.cycles(129) - qk.latency - 1 == mv.cycles(129) - mv.latency - 1 == 102_168
    assert (qk.latency + 1, mv.latency + 1) == (15, 29)  # depths in the HLS log
    assert mv.turns == 4  # of 8 cycles a head, so 12 exponentials in 24 cycles


@pytest.mark.parametrize(
    ("contract", "changes", "message"),
    [
        (QkReorderContract, {"slots": 0}, "qk_reorder: slots must be 1 to 16, got 0"),
        (QkReorderContract, {"head_dim": 20}, "qk_reorder: head_dim 20 is no multiple of 8 channels"),
        (QkReorderContract, {"channels": 65}, "qk_reorder: channels must be 1 to 64, got 65"),
        (
            QkReorderContract,
            {"scale": Fixed(width=8, integer=1)},
            "qk_reorder: scale_code must be -128 to 127, got 524288",
        ),
        (
            QkReorderContract,
            {"accumulator": Fixed(width=40, integer=10)},
            "qk_reorder: accumulator must be signed and may have 32 bits, got fixed(40,10)",
        ),
        (MvContract, {"guard_bits": 1}, "mv: guard_bits must be 2 to 8, got 1"),
        (MvContract, {"channels": 48}, "mv: head_dim 64 is no multiple of 48 channels"),
        (MvContract, {"slots": 16}, "mv: 16 slots on 1 exp_units take 16 cycles, a head has 8"),
        (
            MvContract,
            {"heads": 1, "head_dim": 8},
            "mv: a token must have 2 beats at least, to read a sum before it is written",
        ),
        (
            MvContract,
            {"activation": Fixed(width=40, integer=10)},
            "mv: activation must be signed, of 32 bits at most, got fixed(40,10)",
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line(
    contract: type[Contract], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError) as caught:
        contract.from_preset("rtl", **changes)
    assert str(caught.value) == message
