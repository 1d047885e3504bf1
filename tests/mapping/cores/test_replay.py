"""Plans replayed: every pair of the pattern is computed exactly once, and no bank is loaded while it is read."""

from functools import reduce
from operator import or_

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.cores.published import published_windows
from hwsim.mapping.cores.target import CoreTarget
from hwsim.mapping.patterns import After, BlockLocal, Causal, Full, MemorySlots, Pattern, Strided, Window, parse_pattern
from tests.mapping.cores.replay import lags, pairs, walk
from tests.mapping.pattern_cases import KINDS, Case, Drawn, case, plain

some_cores = st.sampled_from([1, 2, 3, 5, 8, 16, 512])
some_loads = st.integers(1, 6)
some_stage = st.sampled_from([2, 4])  # SV after QK, or after a running maximum's two stages


def replayed(pattern: Pattern, n_q: int, n_k: int, cores: int, loads: int, sv_stage: int = 2) -> CorePlan:
    target = CoreTarget(cores=cores, loads=loads, sv_stage=sv_stage)
    plan = compile_pattern(pattern, n_q, n_k, cores=cores, loads=loads, sv_stage=sv_stage)
    mask = pattern.mask(n_q, n_k)
    for behind in lags(target):
        assert (pairs(plan, behind, target) == mask).all()
    assert plan.pairs == mask.sum()
    assert plan.rows_without_keys == n_q - mask.any(axis=1).sum()
    assert all(one.loads.sum() + one.prologue == len(one.residencies) for one in plan.passes)
    assert all(sum(one.kinds.values()) == len(np.unique(one.residencies.core)) for one in plan.passes)
    carried(plan)
    return plan


def carried(plan: CorePlan) -> None:
    """Rows of several passes are partial in all but the last of them, and continued in all but the first."""
    passes = [one.rows.tolist() for one in plan.passes]
    for index, one in enumerate(plan.passes):
        before, after = set[int]().union(*passes[:index]), set[int]().union(*passes[index + 1 :])
        assert one.carries_in.tolist() == [row in before for row in passes[index]]
        assert one.carries_out.tolist() == [row in after for row in passes[index]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_computes_every_pair_once(kind: str) -> None:
    @given(case(KINDS[kind]), some_cores, some_loads, some_stage)
    @settings(max_examples=60, deadline=None)
    def check(drawn: Case, cores: int, loads: int, sv_stage: int) -> None:
        replayed(*drawn, cores, loads, sv_stage)

    check()


def mixed(n_k: int) -> Drawn:
    """Unions of two or three, some of them under causal or after other tokens."""
    unions = st.lists(plain(n_k), min_size=2, max_size=3).map(lambda found: reduce(or_, found))
    choices = [unions, unions.map(lambda pattern: pattern & Causal())]
    if n_k > 3:
        inner = st.integers(1, n_k - 2).flatmap(lambda count: st.tuples(st.just(count), plain(n_k - count), plain(n_k)))
        choices.append(inner.map(lambda drawn: After(count=drawn[0], pattern=drawn[1]) | drawn[2]))
    return st.one_of(choices)


@given(case(mixed), some_cores, some_loads, some_stage)
@settings(max_examples=400, deadline=None)
def test_unions_compute_every_pair_once(drawn: Case, cores: int, loads: int, sv_stage: int) -> None:
    replayed(*drawn, cores, loads, sv_stage)


@given(st.integers(1, 40), st.integers(1, 40), some_cores, st.booleans())
def test_cross_attention_of_any_lengths(n_q: int, n_k: int, cores: int, every_second: bool) -> None:
    pattern = Strided(stride=2) | MemorySlots(count=1) if every_second else Full()
    plan = replayed(pattern, n_q, n_k, cores, 2)
    assert len(plan.passes) == -(-((n_k + 1) // 2 if every_second else n_k) // cores)


def test_the_replay_sees_a_bank_that_is_loaded_too_early() -> None:
    """A plan for SV right after QK, on stages that have two more between them."""
    plan = compile_pattern(Window(left=2, right=2), 16, 16, cores=5, loads=1)
    with pytest.raises(AssertionError, match="SV reads a bank that is being loaded"):
        pairs(plan, 7, CoreTarget(cores=5, loads=1, sv_stage=4))
    assert dict(compile_pattern(Window(left=2, right=2), 16, 16, cores=8, loads=1, sv_stage=4).passes[0].kinds) == {
        "window": 6
    }


def test_a_small_bigbird_fills_its_cores() -> None:
    """Blocks of 16 on 128 cores: 48 for the window, 48 for random keys, 32 global; 64 keys come in 16 rows."""
    pattern = parse_pattern("block_local(16, 1, forward=1) | random_blocks(3, 16, seed=0) | global(16, last=16)")
    plan = replayed(pattern, 256, 256, cores=128, loads=6)
    first, *others = plan.passes
    assert dict(first.kinds) == {"global": 32, "window": 48, "random": 48}
    assert (len(first.rows), first.loads.max()) == (224, 4)
    assert [(len(one.rows), dict(one.kinds)) for one in others] == 2 * [(32, {"global_rows": 128})]


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 60))
def test_a_window_loads_each_key_once(left: int, right: int, tokens: int) -> None:
    pattern = Window(left=left, right=right)
    plan = replayed(pattern, tokens, tokens, cores=20, loads=1)
    (one,) = plan.passes
    assert sorted(one.residencies.key.tolist()) == list(range(tokens))
    assert one.loads.max() == 1
    assert one.prologue == min(right, tokens - 1)


def test_a_key_goes_to_the_core_of_the_oldest() -> None:
    """Row i sees keys i - 2 to i + 1 and key j lies in core j mod 4; row i loads key i + 1."""
    plan = replayed(Window(left=2, right=1), 8, 8, cores=4, loads=1)
    (one,) = plan.passes
    qk = [slot.keys for slot in walk(plan.passes, 2, CoreTarget(cores=4, loads=1)) if slot.stage == "QK"]
    assert [[keys.get(core, "-") for core in range(4)] for keys in qk] == [
        [0, 1, "-", "-"],
        [0, 1, 2, "-"],
        [0, 1, 2, 3],
        [4, 1, 2, 3],
        [4, 5, 2, 3],
        [4, 5, 6, 3],
        [4, 5, 6, 7],
        ["-", 5, 6, 7],
    ]
    assert one.residencies.key.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert one.residencies.loaded.tolist() == [-1, 0, 1, 2, 3, 4, 5, 6]


@given(case(mixed), some_cores)
@settings(deadline=None)
def test_what_published_windows_drop_and_add_is_counted(drawn: Case, cores: int) -> None:
    pattern, n_q, n_k = drawn
    plan = compile_pattern(pattern, n_q, n_k, cores=cores, loads=2, window="published")
    exact, taken = pattern.mask(n_q, n_k), published_windows(pattern).mask(n_q, n_k)
    assert (pairs(plan, 2, CoreTarget(cores=cores, loads=2)) == taken).all()
    assert (plan.dropped, plan.added) == ((exact & ~taken).sum(), (taken & ~exact).sum())
    assert plan.pairs + plan.dropped - plan.added == pattern.pairs(n_q, n_k)


def test_published_windows_have_as_many_keys_as_cores() -> None:
    longformer = Window(left=256, right=256) | MemorySlots(count=1)
    assert published_windows(longformer) == Window(left=256, right=255) | MemorySlots(count=1)
    dilated = Window(left=3, right=3, dilation=4)
    assert published_windows(dilated) == Window(left=3, right=2, dilation=4)
    bigbird = BlockLocal(size=64, back=1, forward=1)
    assert published_windows(bigbird) == Window(left=96, right=95)
    assert published_windows(After(count=2, pattern=bigbird)) == After(count=2, pattern=Window(left=96, right=95))
    odd = BlockLocal(size=3, back=1, forward=1)
    assert published_windows(odd) == Window(left=4, right=4)
    for unchanged in (Window(left=9), Window(left=0), BlockLocal(size=4, back=1), dilated & Causal(), Full()):
        assert published_windows(unchanged) == unchanged
