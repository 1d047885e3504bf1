"""Loads: whole numbers of tokens for each expert, the same in any order of queries."""

from math import fsum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.load import field_names, load_workload
from hwsim.mapping.workload.loads import Load
from tests.mapping.families import workload


def queues(load: Load, number: int = 0, task: int = 0, **place: int) -> tuple[int, ...]:
    """Queue lengths of 129 tokens with 2 of 16 experts each, unless said otherwise."""
    return load.at(number, task).queue_lengths(**{"layer": 1, "tokens": 129, "experts": 16, "top_k": 2, **place})


@st.composite
def loads(draw: st.DrawFn) -> tuple[Load, dict[str, int]]:
    """Any load that needs no file, and a place to ask it about."""
    experts = draw(st.integers(1, 20))
    top_k = draw(st.integers(1, experts))
    weights = draw(st.lists(st.integers(0, 9) | st.floats(0, 1e6), min_size=experts, max_size=experts))
    numbers = [weight + (index < top_k) for index, weight in enumerate(weights)]  # enough experts to choose from
    histogram = [number / fsum(numbers) for number in numbers]
    load = draw(
        st.sampled_from([Load(), Load(load="histogram", histogram=histogram)])
        | st.builds(Load, load=st.just("zipf"), seed=st.integers(0, 99), exponent=st.floats(0, 10))
    )
    place = {"layer": draw(st.integers(0, 40)), "number": draw(st.integers(0, 1000)), "task": draw(st.integers(0, 3))}
    return load, {**place, "tokens": draw(st.integers(0, 200)), "experts": experts, "top_k": top_k}


@given(asked=loads())
def test_every_token_gets_its_experts_and_none_twice(asked: tuple[Load, dict[str, int]]) -> None:
    load, place = asked
    lengths = queues(load, **place)
    assert len(lengths) == place["experts"]
    assert sum(lengths) == place["tokens"] * place["top_k"]
    assert all(0 <= length <= place["tokens"] for length in lengths)


@given(asked=loads(), other=st.integers(0, 1000))
def test_what_was_asked_before_changes_nothing(asked: tuple[Load, dict[str, int]], other: int) -> None:
    load, place = asked
    first = queues(load, **place)
    queues(load, **{**place, "number": other})
    again = Load(**load.model_dump())  # remembers nothing
    assert queues(again, **place) == first


@given(tokens=st.integers(0, 300), experts=st.integers(1, 20), number=st.integers(0, 99), layer=st.integers(0, 9))
def test_uniform_differs_by_one_token_at_most(tokens: int, experts: int, number: int, layer: int) -> None:
    lengths = queues(Load(), number, tokens=tokens, experts=experts, top_k=min(2, experts), layer=layer)
    assert max(lengths) - min(lengths) <= 1


def test_uniform_over_129_tokens() -> None:
    # 258 = 16 x 16 + 2: two experts get one more, different ones in another layer and in the next step
    assert queues(Load()) == (16, 16, 16, 16, 16, 17, 16, 16, 16, 16, 16, 16, 16, 17, 16, 16)
    assert [expert for expert, length in enumerate(queues(Load(), layer=2)) if length == 17] == [3, 11]
    assert [expert for expert, length in enumerate(queues(Load(), 1)) if length == 17] == [2, 10]


def test_single_tokens_use_all_experts_alike_over_a_run() -> None:
    steps = [queues(Load(), number, tokens=1, experts=8) for number in range(1000)]
    assert {sum(used) for used in zip(*steps)} <= {248, 249, 250, 251, 252}


def test_a_histogram_of_counts_gives_these_counts() -> None:
    counts = (100, 60, 40, 30, 10, 8, 5, 5)
    load = Load(load="histogram", histogram=counts)
    assert all(queues(load, number, experts=8, layer=number) == counts for number in range(5))


def test_a_histogram_keeps_its_proportions_over_single_tokens() -> None:
    load = Load(load="histogram", histogram=(0.5, 0.3, 0.1, 0.1))
    steps = [queues(load, number, tokens=1, experts=4) for number in range(1000)]
    # the first would get 2 x 5/10 of each token: all of them; the others share the second place by 3 : 1 : 1
    assert [sum(used) for used in zip(*steps)] == [1000, 599, 200, 201]


@pytest.mark.parametrize(
    ("histogram", "message"),
    [
        (
            (10, 10, 10, 10),
            "step 3, layer 1: 40 tokens in all queues, expected 10 x 2 = 20 (or shares that add up to 1)",
        ),
        ((15, 5, 0, 0), "step 3, layer 1: expert 0 gets 15 tokens of 10"),
    ],
)
def test_a_histogram_of_numbers_must_add_up(histogram: tuple[int, ...], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        queues(Load(load="histogram", histogram=histogram), 3, tokens=10, experts=4)
    assert str(caught.value) == f"routing.histogram: {message}"


def test_an_expert_takes_no_token_twice_however_popular() -> None:
    load = Load(load="histogram", histogram=(0.998, 0.001, 0.001, 0))
    assert queues(load, tokens=10, experts=4) == (10, 5, 5, 0)


def test_zipf_draws_by_its_seed() -> None:
    zipf = Load(load="zipf", seed=7)
    assert queues(zipf) == queues(Load(load="zipf", seed=7, exponent=1.0))
    drawn = {
        queues(zipf),
        queues(zipf, 1),
        queues(zipf, layer=3),
        queues(zipf, 0, 1),
        queues(Load(load="zipf", seed=8)),
    }
    assert len(drawn) == 5


def test_zipf_keeps_its_popular_experts_in_all_steps() -> None:
    zipf = Load(load="zipf", exponent=2)
    popular = {max(range(16), key=lambda expert: queues(zipf, number)[expert]) for number in range(20)}
    assert len(popular) == 1


def test_zipf_has_its_probabilities() -> None:
    # one expert each: of 4, by 1, 1/2, 1/3, 1/4
    lengths = queues(Load(load="zipf"), tokens=250_000, experts=4, top_k=1)
    assert sorted(lengths) == pytest.approx([30_000, 40_000, 60_000, 120_000], rel=0.02)


def test_without_popularity_zipf_chooses_among_all_alike() -> None:
    lengths = queues(Load(load="zipf", exponent=0), tokens=100_000, experts=5, top_k=2)
    assert lengths == pytest.approx([40_000] * 5, rel=0.02)


def test_what_is_still_to_be_computed_says_so() -> None:
    with pytest.raises(WorkloadError, match=r"routing.load computed: how many tokens an expert gets follows from"):
        queues(Load(load="computed", weights="random:0"))
    assert (Load(load="computed", weights="random:0").at(0).known, Load().at(0).known) == (False, True)


def test_loads_say_what_they_are() -> None:
    shown = [
        Load(),
        Load(load="zipf", seed=3),
        Load(load="trace", trace="t.csv"),
        Load(load="computed", weights="random:0"),
    ]
    assert list(map(str, shown)) == [
        "uniform",
        "zipf, exponent 1, seed 3",
        "trace t.csv",
        "computed with weights random:0",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"load": "computed", "seed": 1}, "seed goes with load: uniform, zipf, histogram, trace, and with no other"),
        ({"load": "histogram", "exponent": 2}, "exponent goes with load: zipf"),
        ({"histogram": [1, 2]}, "histogram goes with load: histogram"),
        ({"load": "zipf", "trace": "t.csv"}, "trace goes with load: trace"),
        ({"load": "trace"}, "load: trace needs a trace"),
        ({"load": "histogram"}, "load: histogram needs a histogram"),
        ({"load": "histogram", "histogram": [1, -1]}, "histogram: expected numbers of at least 0, one of them more"),
        ({"load": "histogram", "histogram": [0, 0]}, "histogram: expected numbers of at least 0, one of them more"),
        (
            {"load": "histogram", "histogram": [0.5, 0.3]},
            "histogram: adds up to 0.8; expected shares that add up to 1, or whole numbers of tokens",
        ),
        ({"load": "zipf", "exponent": 11}, "less than or equal to 10"),
        ({"load": "zipf", "seed": -1}, "greater than or equal to 0"),
        ({"load": "normal"}, "Input should be 'uniform', 'zipf', 'histogram', 'trace' or 'computed'"),
    ],
)
def test_a_load_that_contradicts_itself(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Load.model_validate(fields)


def test_a_histogram_with_too_few_experts_in_it() -> None:
    routing = {"load": "histogram", "histogram": [1, 0, 0, 0]}
    with pytest.raises(WorkloadError, match=r"small: routing.histogram uses 1 experts, a token goes to 2"):
        workload("moe_vit", routing=routing)


FILE = """
name: moe
family: moe_vit
layers: 2
d_model: 8
heads: 2
image_height: 4
image_width: 4
patch: 2
experts: 4
top_k: 2
expert_hidden: 6
routing: {load: trace, trace: choices.csv}
provenance: {grade: A, source: a test}
"""


def test_a_trace_lies_beside_the_workload_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "moe.yaml").write_text(FILE)
    with pytest.raises(WorkloadError, match=f"{tmp_path}/choices.csv: cannot be read as a routing trace: No such file"):
        load_workload(tmp_path / "moe.yaml")
    (tmp_path / "choices.csv").write_text("step,layer,expert,tokens\n0,1,0,5\n0,1,3,5\n")
    moe = load_workload(tmp_path / "moe.yaml")
    (step,) = moe.steps()
    assert step.load is not None
    assert step.load.queue_lengths(layer=1, tokens=5, experts=4, top_k=2) == (5, 0, 0, 5)


def test_a_load_can_be_set_by_a_dot(tmp_path: Path) -> None:
    (tmp_path / "moe.yaml").write_text(FILE)
    replaced = {"routing.load": "zipf", "routing.trace": None, "routing.seed": 5}
    assert load_workload(tmp_path / "moe.yaml", replaced).run.routing == Load(load="zipf", seed=5)
    assert {"routing.load", "routing.seed", "routing.exponent", "routing.trace"} <= set(field_names())
