"""The preset `published`: every value is the one of Edge-MoE's source, by a slow oracle in whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Job
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.exp import power_tables
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.exp.golden import exp
from hwsim.rtl.inverse_root.golden import inverse_root
from hwsim.rtl.layernorm.golden import layernorm
from hwsim.rtl.mv.golden import attend, probabilities
from hwsim.rtl.online_softmax.golden import softmax_info
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.qk_reorder.golden import scores
from hwsim.rtl.random_codes import random_codes
from hwsim.rtl.skew import skewed_rows
from hwsim.rtl.topk_gate.golden import choices
from tests.rtl import published_oracle as oracle
from tests.rtl.simulation import SEED

ONE = oracle.ONE
CHOSEN = {
    "exp": {"method": "tables"},
    "reciprocal": {"method": "division"},
    "rsqrt": {"method": "division"},
    "online_softmax": {"exp_method": "tables", "inverse_method": "division"},
    "topk_gate": {"exp_method": "tables", "probability": "quotient"},
    "layernorm": {"root_method": "division"},
    "qk_reorder": {"scale_at": "beat"},
    "mv": {"exp_method": "tables"},
}


def published(name: str, **changes: Any) -> Any:
    return BLOCKS[name].contract.from_preset("published", **changes)


def share(ours: ArrayLike, theirs: ArrayLike) -> float:
    """The part of values that are equal."""
    a, b = np.asarray(ours), np.asarray(theirs)
    assert a.shape == b.shape
    assert a.size > 0
    return float((a == b).mean())


def jobs(name: str, contract: Any, count: int = 4) -> list[Job]:
    """The corner jobs of a block, and some random ones."""
    rng, cases = np.random.default_rng(SEED), BLOCKS[name].cases
    return [*cases.corner_jobs(contract), *(cases.random_job(contract, rng) for _ in range(count))]


def run(name: str, contract: Any, job: Job) -> Streams:
    return BLOCKS[name].golden(contract, job.inputs)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_presets_choose_by_the_same_parameters(name: str) -> None:
    contract, chosen = BLOCKS[name].contract, CHOSEN[name]
    ours, theirs = contract.from_preset("rtl"), contract.from_preset("published")
    assert {p: getattr(theirs, p) for p in contract.choices} == chosen
    assert [p for p in contract.choices if getattr(ours, p) == chosen[p]] == []
    assert not theirs.proven
    for made in (ours, theirs):
        texts = {p: str(v).lower() if isinstance(v, bool) else str(v) for p, v in made.parameters().items()}
        assert contract.from_text(made.preset, texts) == made
        assert contract.from_parameters(made.parameters(), made.preset) == made


def test_sums_of_many_exponentials_fit() -> None:
    """1,025 tokens: a sum of 34 bits times an exponential, which is 1 at most, whatever its format could hold."""
    c = published("online_softmax", max_tokens=1025, total=Fixed(width=34, integer=12))
    scores_hqk = np.zeros((1, 1025, 1025), dtype=np.int64)
    scores_hqk[0, :, -1] = ONE
    inverse, maximum = softmax_info(c, scores_hqk)
    total = (1024 * ONE * oracle.exp(-ONE) >> 22) + ONE  # query 0 meets its largest score last
    assert (inverse[0, 0], maximum[0, 0]) == ((1 << 44) // total, ONE)


def test_exp() -> None:
    c, rng = published("exp"), np.random.default_rng(SEED)
    near = rng.integers(-17 * ONE, 1, size=4000)
    steps = -np.arange(17 * 8 + 1)[:, None] * (ONE >> 3) + np.arange(-2, 3)
    codes = [*near.tolist(), *np.minimum(steps, 0).ravel().tolist(), oracle.LOWEST]
    assert share(exp(c, np.array(codes)), [oracle.exp(x) for x in codes]) == 1
    assert exp(c, np.array([0, -1, -ONE, -16 * ONE, -16 * ONE + 1])).tolist() == [ONE, ONE - 2, 1542998, 0, 0]


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_the_short_tables_of_the_rtl_make_every_growth(step: int) -> None:
    growth = power_tables.growth()
    assert len(growth) == 1 << 19
    assert share(growth[::step], [oracle.growth(rest) for rest in range(0, 1 << 19, step)]) == 1


def test_exp_of_coarser_arguments_is_that_of_equal_ones() -> None:
    coarse = ExpContract.from_preset("published", argument=Fixed(width=12, integer=6))
    x = np.arange(-(1 << 11), 1)
    assert exp(coarse, x).tolist() == exp(published("exp"), x << 16).tolist()


def test_reciprocal() -> None:
    c = published("reciprocal")
    for job in jobs("reciprocal", c):
        x, y = (streams["value"].tolist() for streams in (job.inputs["x"], run("reciprocal", c, job)["y"]))
        assert y == [oracle.inverse(total) if total else (1 << 31) - 1 for total in x]


def test_inverse_root_wraps_up_to_16_codes() -> None:
    c = published("rsqrt")
    for job in jobs("rsqrt", c):
        x, y = (streams["value"].tolist() for streams in (job.inputs["x"], run("rsqrt", c, job)["y"]))
        assert y == [oracle.inverse_root(variance) if variance else (1 << 31) - 1 for variance in x]
    assert inverse_root(c, np.array([1, 4, 16, 17, 18, ONE])).tolist() == [
        0,
        0,
        -(1 << 31),
        2083394841,
        2024650252,
        ONE,
    ]


@pytest.mark.parametrize("places", [0, 7, 12])
def test_scores(places: int) -> None:
    c, rng = published("qk_reorder"), np.random.default_rng(SEED)
    q, k = (random_codes(rng, c.activation, (9, c.head_dim)) >> places for _ in range(2))
    slow = [[oracle.score(a, b) for b in k.tolist()] for a in q.tolist()]
    assert share(scores(c, q[:, None], k), slow) == 1
    assert share(scores(BLOCKS["qk_reorder"].contract.from_preset("rtl"), q[:, None], k), slow) < 1


def test_scores_of_corners() -> None:
    c = published("qk_reorder", heads=1)
    for job in jobs("qk_reorder", c):
        q, k = (job.inputs[name]["values"].reshape(-1, c.head_dim).tolist() for name in ("q", "k"))
        beats, rows = run("qk_reorder", c, job)["scores"], list(skewed_rows(job.work, c.slots))
        slow = [[0 if n is None else oracle.score(q[n], k[i]) for n in row.queries] for i, row in enumerate(rows)]
        assert beats["values"].tolist() == slow


@pytest.mark.parametrize("spread", [0.25, 3, 400])
def test_softmax(spread: float) -> None:
    c, rng, tokens = published("online_softmax", heads=2), np.random.default_rng(SEED), 17
    raw = np.clip(rng.normal(0, spread, size=(c.heads, tokens, tokens)), -512, 511)
    scores_hqk = np.round(raw * ONE).astype(np.int64)
    inverse, bias = softmax_info(c, scores_hqk)
    for head in range(c.heads):
        rows = [np.roll(scores_hqk[head, q], -(q % c.slots)).tolist() for q in range(tokens)]
        slow = [oracle.running_sum(row) for row in rows]
        assert share(bias[head], [best for best, _ in slow]) == 1
        assert share(inverse[head], [oracle.inverse(total) for _, total in slow]) == 1


def test_softmax_of_corners() -> None:
    c = published("online_softmax", heads=1, max_tokens=17)
    for job in jobs("online_softmax", c):
        info, rows = run("online_softmax", c, job)["info"], list(skewed_rows(job.work, c.slots))
        met: dict[int, list[int]] = {query: [] for query in range(job.work)}
        for row, values, mask in zip(rows, job.inputs["scores"]["values"].tolist(), job.inputs["scores"]["mask"]):
            for query, value, counts in zip(row.queries, values, mask):
                if query is not None and counts:
                    met[query].append(value)
        slow = [oracle.running_sum(met[query]) for query in range(job.work)]
        assert info["bias"].ravel().tolist() == [best for best, _ in slow]
        # a query without a score does not occur in the source; its sum of 0 is ours
        wanted = [oracle.inverse(total) if total else (1 << 31) - 1 for _, total in slow]
        assert info["inverse"].ravel().tolist() == wanted


def test_weighted_values() -> None:
    c, rng, tokens = published("mv", heads=1, head_dim=32), np.random.default_rng(SEED), 9
    scores_hqk = np.round(rng.normal(0, 3, size=(1, tokens, tokens)) * ONE).astype(np.int64)
    v = random_codes(rng, c.activation, (tokens, 1, c.head_dim))
    inverse, bias = softmax_info(published("online_softmax", heads=1), scores_hqk)
    shares = probabilities(c, scores_hqk, inverse[..., None], bias[..., None])
    slow = [
        [oracle.probability(a, int(b), int(i)) for a in row]
        for row, i, b in zip(scores_hqk[0].tolist(), inverse[0], bias[0])
    ]
    assert share(shares[0], slow) == 1
    sums = [[oracle.weigh(row, column) for column in v[:, 0].T.tolist()] for row in slow]
    assert share(attend(c, shares, v)[:, 0], sums) == 1


def test_weighted_values_of_corners() -> None:
    c = published("mv", heads=1, head_dim=32)
    for job in jobs("mv", c):
        inverse, bias = (job.inputs["info"][name].ravel().tolist() for name in ("inverse", "bias"))
        v = job.inputs["v"]["values"].reshape(-1, c.head_dim).T.tolist()
        met: list[list[tuple[int, int]]] = [[] for _ in range(job.work)]  # row and probability
        beats = zip(
            skewed_rows(job.work, c.slots), *(job.inputs["scores"][name].tolist() for name in ("values", "mask"))
        )
        for i, (row, values, mask) in enumerate(beats):
            for query, value, counts in zip(row.queries, values, mask):
                if query is not None:
                    p = oracle.probability(value, bias[query], inverse[query]) if value <= bias[query] else None
                    p = inverse[query] if p is None else p  # a score above the maximum counts as the maximum
                    met[query].append((i, p if counts else 0))
        slow = [[oracle.weigh([p for _, p in pairs], [column[i] for i, _ in pairs]) for column in v] for pairs in met]
        assert run("mv", c, job)["y"]["values"].reshape(-1, c.head_dim).tolist() == slow


@pytest.mark.parametrize("spread", [0.1, 2, 100])
def test_gate(spread: float) -> None:
    c, rng = published("topk_gate"), np.random.default_rng(SEED)
    logits = np.round(np.clip(rng.normal(0, spread, size=(40, c.experts)), -512, 511) * ONE).astype(np.int64)
    logits[::4, 5] = logits[::4, 9]  # ties
    experts, chosen = choices(c, logits)
    slow = [oracle.gate(row, c.top) for row in logits.tolist()]
    assert experts.tolist() == [[expert for expert, _ in row] for row in slow]
    assert share(chosen, [[p for _, p in row] for row in slow]) == 1


def test_layernorm() -> None:
    c = published("layernorm", features=24)
    for job in jobs("layernorm", c, count=8):
        x = job.inputs["x"]["values"].reshape(-1, c.features).tolist()
        weight, bias = (job.inputs["norm"][name].reshape(-1, c.features).tolist() for name in ("weight", "bias"))
        sequence, slow = 0, []
        for token, last in zip(x, job.inputs["x"]["last"][c.beats - 1 :: c.beats]):
            slow.append(oracle.layernorm(token, weight[sequence], bias[sequence]))
            sequence += int(last)
        assert run("layernorm", c, job)["y"]["values"].reshape(-1, c.features).tolist() == slow


def test_layernorm_of_a_constant_token_is_its_bias_since_the_root_wraps_to_0() -> None:
    c = published("layernorm")
    bias: Codes = np.arange(c.features)
    x = np.zeros((1, c.features), dtype=np.int64)
    assert layernorm(c, x, np.full(c.features, 1 << 11), bias).tolist() == [(bias << 11).tolist()]
    assert inverse_root(c.rsqrt, np.array([c.epsilon])).tolist() == [0]


def test_weights_are_cut_off_downwards() -> None:
    for name, parameter in (("linear", "weight"), ("linear", "bias"), ("topk_gate", "weight"), ("layernorm", "weight")):
        fmt = getattr(published(name), parameter)
        assert fmt.quantise([0.75 * fmt.resolution, -0.25 * fmt.resolution]).tolist() == [0, -1]
