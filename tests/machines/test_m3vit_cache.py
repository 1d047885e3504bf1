"""The cache of experts: what misses, and who gives way."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.machines.m3vit.expert_cache import ExpertCache, Miss
from hwsim.machines.m3vit.spec import Policy

POLICIES: tuple[Policy, ...] = ("lru", "fifo", "lfu", "random", "optimal")


def misses(order: list[int], capacity: int, policy: Policy, seed: int = 0) -> list[Miss]:
    return list(ExpertCache(capacity=capacity, policy=policy, seed=seed).misses(np.array(order).reshape(-1, 1)))


def fetched(order: list[int], capacity: int, policy: Policy) -> list[int]:
    return [miss.expert for miss in misses(order, capacity, policy)]


def test_who_gives_way_by_each_policy() -> None:
    # two places; 0 was used often and long ago, 1 came last
    order = [0, 0, 0, 1, 2, 0, 1]
    assert fetched(order, 2, "lru") == [0, 1, 2, 0, 1]
    assert fetched(order, 2, "fifo") == [0, 1, 2, 0, 1]
    assert fetched(order, 2, "lfu") == [0, 1, 2, 1]
    assert fetched(order, 2, "optimal") == [0, 1, 2, 1]
    assert fetched([0, 1, 0, 2, 0], 2, "lru") == [0, 1, 2]
    assert fetched([0, 1, 0, 2, 0], 2, "fifo") == [0, 1, 2, 0]


def test_a_miss_says_when_the_one_that_gives_way_was_used_last() -> None:
    assert misses([5, 6, 5, 7], 2, "lru") == [
        Miss(access=0, expert=5, victim_used=-1),
        Miss(access=1, expert=6, victim_used=-1),
        Miss(access=3, expert=7, victim_used=1),
    ]


def test_a_tokens_experts_come_in_their_own_order() -> None:
    tokens = np.array([[3, 1], [1, 3], [0, 3]])
    assert [miss.expert for miss in ExpertCache(capacity=2, policy="lru").misses(tokens)] == [3, 1, 0]


def test_held_experts_of_a_token_may_come_first() -> None:
    # the second token needs 7, which takes the place of 3, and 3, which must come again; or 3 first
    tokens = np.array([[3, 1], [7, 3]])
    fetched = {
        first: [miss.expert for miss in ExpertCache(capacity=2, policy="fifo", held_first=first).misses(tokens)]
        for first in (False, True)
    }
    assert fetched == {False: [3, 1, 7, 3], True: [3, 1, 7]}


ORDERS = st.lists(st.integers(0, 6), max_size=60)


@given(order=ORDERS, capacity=st.integers(1, 8), policy=st.sampled_from(POLICIES), seed=st.integers(0, 9))
def test_what_is_not_held_is_fetched(order: list[int], capacity: int, policy: Policy, seed: int) -> None:
    """A second account of the cache, by sets: it holds no more than fits, and whoever misses was not held."""
    found = {miss.access: miss for miss in misses(order, capacity, policy, seed)}
    held: dict[int, int] = {}
    for access, expert in enumerate(order):
        assert (expert in held) == (access not in found)
        if access in found and len(held) == capacity:
            (victim,) = [other for other, used in held.items() if used == found[access].victim_used]
            del held[victim]
        held[expert] = access
        assert len(held) <= capacity


@given(order=ORDERS, capacity=st.integers(1, 8))
def test_lru_keeps_the_last_different_ones(order: list[int], capacity: int) -> None:
    hits = [
        place for place, expert in enumerate(order) if expert in list(dict.fromkeys(reversed(order[:place])))[:capacity]
    ]
    missed = {miss.access for miss in misses(order, capacity, "lru")}
    assert [place for place in range(len(order)) if place not in missed] == hits


@given(order=ORDERS, capacity=st.integers(1, 8), policy=st.sampled_from(POLICIES))
def test_nobody_beats_who_knows_the_future(order: list[int], capacity: int, policy: Policy) -> None:
    assert len(misses(order, capacity, "optimal")) <= len(misses(order, capacity, policy))


def _fewest(order: list[int], capacity: int) -> int:
    """The least number of fetches that any choice of victims leads to."""
    states: dict[frozenset[int], int] = {frozenset(): 0}
    for expert in order:
        following: dict[frozenset[int], int] = {}

        def reach(state: frozenset[int], cost: int, into: dict[frozenset[int], int] = following) -> None:
            into[state] = min(cost, into.get(state, cost))

        _step(states, expert, capacity, reach)
        states = following
    return min(states.values())


def _step(
    states: dict[frozenset[int], int], expert: int, capacity: int, reach: Callable[[frozenset[int], int], None]
) -> None:
    for state, cost in states.items():
        if expert in state:
            reach(state, cost)
        elif len(state) < capacity:
            reach(state | {expert}, cost + 1)
        else:
            for victim in state:
                reach(state - {victim} | {expert}, cost + 1)


@given(order=st.lists(st.integers(0, 4), max_size=14), capacity=st.integers(1, 4))
def test_optimal_is_the_best_of_all_choices(order: list[int], capacity: int) -> None:
    assert len(misses(order, capacity, "optimal")) == _fewest(order, capacity)


def test_random_draws_by_its_seed() -> None:
    order = np.random.default_rng(1).integers(0, 8, 200).tolist()
    found = {tuple(miss.expert for miss in misses(order, 4, "random", seed)) for seed in (0, 1, 0)}
    assert len(found) == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cache_of_all_experts_fetches_each_once(policy: Policy) -> None:
    assert sorted(fetched([2, 0, 1, 1, 2, 0, 2], 3, policy)) == [0, 1, 2]
