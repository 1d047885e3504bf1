"""Inputs of every kind, what they do in each format, and which heads a workload has."""

import math
from functools import lru_cache

import numpy as np
import pytest

from hwsim.errors import MappingError
from hwsim.mapping.formats import FP16, FP32, Float
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.kernel import KernelModel
from hwsim.mapping.patterns import Window, parse_pattern
from hwsim.mapping.workload.row_run import RowRun
from hwsim.mapping.workload.workload import Workload
from hwsim.verify.report import AttentionError
from hwsim.verify.row_attention.comparison import compare_head
from hwsim.verify.row_attention.heads import Head, heads_of
from hwsim.verify.row_attention.inputs import INPUTS, HeadSize
from tests.rtl.test_row_attention import blocks
from tests.verify.row_attention.plans import plain_plan

WINDOW = Head(pattern=Window(left=64, right=63), queries=512, keys=512, d_k=64, d_v=64, scale=1 / 8)
ROWS = [0, 100, 200, 300, 400, 511]


@lru_cache
def errors(fmt: Float) -> dict[tuple[str, str], AttentionError]:
    plan = plain_plan(WINDOW.pattern, 512, 512, 128)
    found = compare_head(WINDOW, plan, blocks(fmt, cores=128), ROWS, seed=0)
    return {(error.inputs, error.softmax): error for error in found}


def relative(fmt: Float, inputs: str, softmax: str) -> float:
    error = errors(fmt)[inputs, softmax].max_relative
    assert error is not None
    return error


def test_every_input_is_computed_plain_and_safe() -> None:
    assert list(errors(FP16)) == [(name, softmax) for name in INPUTS for softmax in ("plain", "safe")]


@pytest.mark.parametrize(
    ("inputs", "overflows"), [("random", False), ("large", True), ("equal", False), ("dominating", True),
                              ("negative", True), ("cancelling", False)],
)  # fmt: skip
@pytest.mark.parametrize("fmt", [FP16, FP32])
def test_plain_rows_are_lost_where_numbers_leave_the_format_and_safe_ones_never(
    fmt: Float, inputs: str, overflows: bool
) -> None:
    plain, safe = (errors(fmt)[inputs, softmax] for softmax in ("plain", "safe"))
    assert (plain.rows_lost > 0) == overflows
    counts = (
        safe.rows_lost,
        safe.infinite_scores,
        safe.infinite_exps,
        safe.infinite_products,
        safe.infinite_sums,
    )
    assert counts == (0, 0, 0, 0, 0)
    assert relative(fmt, inputs, "safe") < 16 * fmt.resolution


def test_each_input_reaches_the_end_that_it_is_made_for() -> None:
    found = errors(FP16)
    pairs = found["random", "plain"].scores
    assert pairs == sum(min(row + 64, 512) - max(row - 64, 0) for row in ROWS)
    assert found["large", "plain"].infinite_exps > 0
    assert found["dominating", "plain"].infinite_exps == 0
    assert found["dominating", "plain"].infinite_products > 0  # exp(10.09) times V beyond e
    assert found["negative", "plain"].zero_exps == pairs
    assert found["negative", "plain"].rows_lost == len(ROWS)
    assert found["negative", "plain"].max_absolute is None
    assert found["negative", "safe"].zero_exps == 0


@pytest.mark.parametrize("inputs", ["random", "equal", "cancelling"])
def test_fp32_is_hundreds_of_times_nearer_than_fp16(inputs: str) -> None:
    for softmax in ("plain", "safe"):
        assert relative(FP32, inputs, softmax) < relative(FP16, inputs, softmax) / 500


def test_the_same_seed_gives_the_same_errors_and_another_others() -> None:
    def of(seed: int) -> list[AttentionError]:
        plan = plain_plan(WINDOW.pattern, 512, 512, 128)
        return list(compare_head(WINDOW, plan, blocks(cores=128), ROWS[:1], seed))

    assert of(1) == of(1) != of(2)


@pytest.mark.parametrize(("fmt", "highest", "lowest"), [(FP16, 11.09, -17.33), (FP32, 88.72, -103.97)])
def test_the_ends_of_exp_are_those_of_the_format(fmt: Float, highest: float, lowest: float) -> None:
    size = HeadSize(queries=1, keys=1, d_k=1, d_v=1, scale=1, fmt=fmt)
    assert (round(size.highest, 2), round(size.lowest, 2)) == (highest, lowest)


@pytest.mark.parametrize(("d_k", "scale"), [(64, 1 / 8), (32, 1.0), (128, 128**-0.5)])
def test_inputs_give_the_scores_that_they_promise(d_k: int, scale: float) -> None:
    size = HeadSize(queries=200, keys=256, d_k=d_k, d_v=2, scale=scale, fmt=FP16)
    made = {name: make(np.random.default_rng(0), size) for name, make in INPUTS.items()}
    scores = {name: scale * of.q @ of.k.T for name, of in made.items()}
    assert scores["random"].std() == pytest.approx(1, rel=0.1)
    assert scores["large"].std() == pytest.approx(11.09 / 3, rel=0.1)
    assert np.ptp(scores["equal"], axis=1).max() == pytest.approx(0, abs=1e-9)
    assert scores["dominating"][:, 56:].diagonal() == pytest.approx(10.09, rel=0.01)
    assert scores["dominating"][:, :56].std() == pytest.approx(10.09 / math.sqrt(d_k), rel=0.2)
    assert scores["negative"].mean() == pytest.approx(-1.2 * 17.33, rel=0.01)
    assert 0.5 < scores["cancelling"].std() < 1.5
    assert abs(made["cancelling"].v.mean()) < 1
    assert np.abs(made["cancelling"].v).min() > 90


def kernel(pattern: str, heads: int, **given: int) -> Workload[KernelModel, RowRun]:
    fields = {"name": "k", "operator": "attention", "heads": heads, "head_dim": 8, "pattern": pattern, **given}
    return Workload(
        model=KernelModel.model_validate({**fields, "provenance": {"grade": "A", "source": "a test"}}),
        run=RowRun(rows=64),
    )


def test_heads_that_are_alike_count_once() -> None:
    workload = kernel("strided_heads(2)", 5)
    found = heads_of(build_graph(workload), workload.run.last_step(workload.model))
    assert [(str(of.head.pattern), of.heads, of.operators) for of in found] == [
        ("strided(2, 0)", 3, ("attention",)),
        ("strided(2, 1)", 2, ("attention",)),
    ]
    assert {(of.head.queries, of.head.keys, of.head.d_k, of.head.scale) for of in found} == {(64, 64, 8, 1 / 8**0.5)}


def test_heads_of_a_whole_model() -> None:
    from hwsim.mapping.workload.load import load_workload
    from hwsim.shipped import find_workload

    workload = load_workload(find_workload("bert_large"), {})
    (found,) = heads_of(build_graph(workload), workload.run.last_step(workload.model))
    assert (found.heads, len(found.operators), str(found.head.pattern)) == (24 * 16, 24, "full")


def test_attention_of_another_form_is_refused() -> None:
    workload = kernel("full", 2)
    graph = build_graph(workload)
    op = graph.operators[0]
    object.__setattr__(op, "softcap", 30.0)
    with pytest.raises(
        MappingError, match="attention: a verification of attention on cores does not know capped scores"
    ):
        heads_of(graph, workload.run.last_step(workload.model))


def test_errors_are_those_of_rows_that_are_not_lost() -> None:
    """In FP32 the sum has no more range than exps: beyond it, a finite numerator is divided by infinity."""
    head = Head(pattern=parse_pattern("window(4, 4, dilation=2)"), queries=32, keys=32, d_k=4, d_v=2, scale=0.5)
    plan = plain_plan(head.pattern, 32, 32, 4)
    found = {(of.inputs, of.softmax): of for of in compare_head(head, plan, blocks(FP32, cores=4), range(32), seed=0)}
    plain, safe = (found["dominating", softmax] for softmax in ("plain", "safe"))
    assert plain.infinite_sums > 0
    assert 0 < plain.rows_lost < 32
    assert safe.rows_lost == 0
    for error in (plain, safe):
        assert error.max_relative is not None
        assert error.max_relative < 1e-6
