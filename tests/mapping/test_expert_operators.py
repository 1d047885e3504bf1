"""Routing and experts: their work, their weights, and what they read."""

from typing import Any

import pytest

from hwsim.mapping.errors import GraphError
from hwsim.mapping.expert_queues import ExpertQueues, expert_queues
from hwsim.mapping.formats import BF16, Int
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import ExpertFfn, Route, Tensor
from hwsim.mapping.step import Step
from hwsim.mapping.workload.loads import Load
from tests.mapping.families import graph_of, workload

STEP = Step(queries=10, context=10, load=Load().at(0))


def route(**fields: Any) -> Route:
    return Route(**{"name": "route", "inputs": ("x",), "fmt": BF16, "width": 8, "experts": 16, "top_k": 2, **fields})


def experts(**fields: Any) -> ExpertFfn:
    given = {"width": 8, "hidden": 6, "experts": 16, "top_k": 2, "layer": 0, **fields}
    return ExpertFfn(name="experts", inputs=("x", "route"), fmt=BF16, **given)


def test_a_gate_scores_all_experts_and_compares_each_score_with_the_best() -> None:
    assert route().macs(STEP) == 10 * 8 * 16
    assert route().compares(STEP) == 10 * 16 * 2  # two compares find a place among two
    assert [route(top_k=k).compares(STEP) // 160 for k in (1, 2, 3, 4, 8)] == [1, 2, 2, 3, 4]
    assert route().element_ops(STEP) == 10 * 16 + 10 * 16 * 2
    assert route(renormalise=True).element_ops(STEP) == 10 * (16 + 2) + 10 * 16 * 2


def test_softmax_needs_one_reciprocal_and_sigmoid_one_an_expert() -> None:
    assert route().special_functions(STEP) == 10 * (16 + 1)
    assert route(score="sigmoid").special_functions(STEP) == 10 * 2 * 16
    assert route(renormalise=True).special_functions(STEP) == 10 * (16 + 2)


def test_work_of_experts_adds_up_whoever_gets_the_tokens() -> None:
    assert experts().macs(STEP) == 20 * 2 * 8 * 6
    assert experts(gated=True).macs(STEP) == 20 * 3 * 8 * 6
    assert experts().element_ops(STEP) == 20 * (6 + 2 * 8)  # activations; product with the score and sum
    assert experts(gated=True, function="silu").element_ops(STEP) == 20 * (2 * 6 + 2 * 8)
    assert experts(function="relu").special_functions(STEP) == 0
    assert experts(function="gelu").special_functions(STEP) == 20 * 2 * 6
    assert experts().macs(Step(queries=10, context=10)) == experts().macs(STEP)  # no load needed


def test_weights_of_experts_without_a_token_are_not_read() -> None:
    one = (2 * 8 * 6 + 6 + 8) * 2
    assert experts().expert_bytes == one
    assert experts().weight_bytes == 16 * one
    step = Step(queries=10, context=10, load=Load(load="histogram", histogram=[10, 6, 4] + 13 * [0]).at(0))
    assert experts().queue_lengths(step)[:3] == (10, 6, 4)
    assert experts().weight_bytes_read(step) == 3 * one


def test_each_expert_has_matrices_of_its_own() -> None:
    tables = {table.identity: (table.count, table.rows, table.columns) for table in experts(gated=True).tables}
    assert tables == {
        "experts.gate.weight": (16, 6, 8), "experts.up.weight": (16, 6, 8), "experts.down.weight": (16, 8, 6),
        "experts.gate.bias": (16, 1, 6), "experts.up.bias": (16, 1, 6), "experts.down.bias": (16, 1, 8),
    }  # fmt: skip
    eight = experts(bias=False, weight_fmt=Int(width=8))
    assert eight.expert_bytes == 2 * 8 * 6


def test_nothing_says_how_many_tokens_an_expert_gets() -> None:
    with pytest.raises(GraphError, match="experts: nothing says how many tokens an expert gets: the step declares no"):
        experts().queue_lengths(Step(queries=10, context=10))
    with pytest.raises(GraphError, match="experts: nothing says how many tokens an expert gets: it belongs to no lay"):
        experts(layer=None).queue_lengths(STEP)


def test_a_token_has_as_many_experts_as_there_are_at_most() -> None:
    with pytest.raises(GraphError, match="route: a token goes to 17 of 16 experts, expected 1 to 16"):
        route(top_k=17)
    with pytest.raises(GraphError, match="experts: a token goes to 0 of 16 experts, expected 1 to 16"):
        experts(top_k=0)


def test_experts_read_the_scores_of_their_number() -> None:
    x = Tensor(name="x", shape=("tokens", 8), fmt=BF16)
    with pytest.raises(GraphError, match=r"experts: input route\[tokens, 15\] bf16 where expert_ffn expects"):
        OperatorGraph(name="g", inputs=[x], operators=[route(experts=15), experts()])


def test_a_dump_says_which_load_and_what_hangs_on_it() -> None:
    moe = workload("moe_vit", routing={"load": "zipf", "seed": 3})
    lines = graph_of("moe_vit").dump(moe.run.last_step(moe.model)).splitlines()
    assert lines[0] == "graph small: 25 operators, step of 9 at 9, task 0, routing zipf, exponent 1, seed 3"
    computed = workload("moe_vit", routing={"load": "computed", "weights": "random:0"})
    lines = graph_of("moe_vit").dump(computed.run.last_step(computed.model)).splitlines()
    assert lines[-1] == "traffic depends on activations"


def test_queues_of_a_run() -> None:
    # 9 tokens to 2 of 4 experts each in one layer: 18 over 4
    moe = workload("moe_vit", frames=50)
    assert expert_queues(graph_of("moe_vit"), moe.steps()) == ExpertQueues(mean=4.5, p99=5, longest=5, used=4.0)
    skewed = workload("moe_vit", frames=50, routing={"load": "zipf", "exponent": 3})
    assert expert_queues(graph_of("moe_vit"), skewed.steps()) == ExpertQueues(mean=4.5, p99=9, longest=9, used=3.4)
    vit = workload("vit")
    assert expert_queues(graph_of("vit"), vit.steps()) is None


def test_p99_is_the_least_length_that_99_of_100_do_not_exceed() -> None:
    # a layer of 100 experts: one gets all tokens, the others share the second choices
    op = experts(experts=100, top_k=1)
    inputs = [Tensor(name="x", shape=("tokens", 8), fmt=BF16), Tensor(name="route", shape=("tokens", 100), fmt=BF16)]
    graph = OperatorGraph(name="g", inputs=inputs, operators=[op])
    one = Load(load="histogram", histogram=[1] + 99 * [0])
    two = Load(load="histogram", histogram=[0.5, 0.5] + 98 * [0])
    assert expert_queues(graph, [Step(queries=10, context=10, load=one.at(0))]) == ExpertQueues(
        mean=0.1, p99=0, longest=10, used=1.0
    )
    assert expert_queues(graph, [Step(queries=10, context=10, load=two.at(0))]) == ExpertQueues(
        mean=0.1, p99=5, longest=5, used=2.0
    )
