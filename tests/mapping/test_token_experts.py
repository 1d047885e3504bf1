"""Which experts each token goes to: as many as the queues say, and the same whenever they are asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import GraphError, WorkloadError
from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Experts, Load
from hwsim.mapping.workload.place import Place
from hwsim.mapping.workload.token_experts import dealt_experts
from tests.mapping.families import graph_of
from tests.mapping.test_loads import loads, queues


def experts_of(load: Load, number: int = 0, task: int = 0, **place: int) -> Experts:
    """Experts of 6 tokens with 2 of 4 experts each, unless said otherwise."""
    asked = {"layer": 1, "tokens": 6, "experts": 4, "top_k": 2, **place}
    return load.at(number, task).token_experts(**asked)


def counts_of(experts: Experts, count: int) -> tuple[int, ...]:
    return tuple(np.bincount(experts.ravel(), minlength=count).tolist())


@given(asked=loads())
def test_tokens_fill_the_queues_and_none_comes_twice(asked: tuple[Load, dict[str, int]]) -> None:
    load, place = asked
    chosen = experts_of(load, **place)
    assert chosen.shape == (place["tokens"], place["top_k"])
    assert counts_of(chosen, place["experts"]) == queues(load, **place)
    assert all(len(set(row)) == place["top_k"] for row in chosen.tolist())


@given(asked=loads(), other=st.integers(0, 1000))
def test_what_was_asked_before_changes_no_token(asked: tuple[Load, dict[str, int]], other: int) -> None:
    load, place = asked
    first = experts_of(load, **place).copy()
    experts_of(load, **{**place, "number": other})
    dealt_experts.cache_clear()
    assert experts_of(Load(**load.model_dump()), **place).tolist() == first.tolist()


@given(data=st.data(), tokens=st.integers(1, 12), experts=st.integers(1, 6))
def test_any_possible_queues_can_be_dealt_out(data: st.DataObject, tokens: int, experts: int) -> None:
    """Queues that leave no choice too: some experts have every token, others a few."""
    top_k = data.draw(st.integers(1, experts))
    rows = [data.draw(st.permutations(range(experts))) for _ in range(tokens)]
    lengths = counts_of(np.array([row[:top_k] for row in rows]), experts)
    place = Place(number=0, layer=0, task=0)
    assert counts_of(dealt_experts(lengths, tokens=tokens, top_k=top_k, seed=3, place=place), experts) == lengths


def test_uniform_tokens_come_in_no_order() -> None:
    # the first five tokens of 129 in a layer of Edge-MoE's
    first, other = (experts_of(Load(seed=seed), tokens=129, experts=16)[:5].tolist() for seed in (0, 1))
    assert first == [[0, 2], [8, 10], [0, 7], [12, 9], [14, 4]]
    assert first != other


def test_the_popular_experts_of_zipf_are_drawn_first() -> None:
    chosen = experts_of(Load(load="zipf", exponent=3), tokens=2000)
    first, second = (np.bincount(chosen[:, place], minlength=4) for place in (0, 1))
    popular = int(np.argmax(first))
    assert first[popular] > 1600  # 1 / (1 + 1/8 + 1/27 + 1/64) = 85 % of 2000
    assert second[popular] < 400


def test_a_histogram_that_leaves_no_choice() -> None:
    chosen = experts_of(Load(load="histogram", histogram=(6, 0, 0, 6)))
    assert {tuple(sorted(row)) for row in chosen.tolist()} == {(0, 3)}


def test_what_is_kept_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        experts_of(Load())[0, 0] = 1


CHOICES = "step,layer,token,expert\n0,1,0,3\n0,1,1,2\n0,1,1,0\n0,1,0,2\n"
COUNTS = "step,layer,expert,tokens\n0,1,3,1\n0,1,2,2\n0,1,0,1\n"


def trace(folder: Path, text: str, **fields: Any) -> Load:
    (folder / "t.csv").write_text(text)
    return Load(load="trace", trace=str(folder / "t.csv"), **fields)


def test_a_trace_of_choices_is_followed(tmp_path: Path) -> None:
    assert experts_of(trace(tmp_path, CHOICES), tokens=2).tolist() == [[3, 2], [2, 0]]


def test_a_trace_of_counts_is_dealt_out(tmp_path: Path) -> None:
    chosen = experts_of(trace(tmp_path, COUNTS, seed=4), tokens=2)
    assert counts_of(chosen, 4) == (1, 0, 2, 1)


def test_a_token_with_too_few_experts(tmp_path: Path) -> None:
    lame = trace(tmp_path, "step,layer,token,expert\n0,1,0,3\n0,1,0,2\n0,1,0,1\n0,1,1,2\n")
    with pytest.raises(WorkloadError, match=r"t.csv: step 0, layer 1: token 0 has 3 experts, expected 2"):
        experts_of(lame, tokens=2)


def test_nothing_is_drawn_of_a_trace_of_choices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"routing.seed 4: .*t.csv has every token's experts; nothing is drawn"):
        trace(tmp_path, CHOICES, seed=4).check(experts=4, top_k=2)


def test_what_is_still_to_be_computed_says_so() -> None:
    with pytest.raises(WorkloadError, match=r"routing.load computed: how many tokens an expert gets follows from"):
        experts_of(Load(load="computed", weights="random:0"))


def test_an_operator_asks_for_its_own_layer() -> None:
    (experts,) = (op for op in graph_of("moe_vit").operators if isinstance(op, ExpertFfn))
    load = Load(load="zipf", seed=2)
    step = Step(queries=6, context=6, load=load.at(0))
    assert experts.token_experts(step).tolist() == experts_of(load).tolist()
    with pytest.raises(GraphError, match="nothing says how many tokens an expert gets: the step declares no load"):
        experts.token_experts(Step(queries=6, context=6))
