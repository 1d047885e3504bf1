"""Edge-MoE without its techniques: what each design is, that all 32 lower and hold together, and what they cost."""

from functools import lru_cache
from itertools import product
from typing import Any

import pytest

from hwsim.machines.edge_moe.instructions import Multiply, Program
from hwsim.machines.edge_moe.parts import fabric
from hwsim.machines.edge_moe.tasks import task_of
from hwsim.pipeline import load_workload, prepare, run
from tests.fabric.ideal_player import play

TECHNIQUES = (
    "expert_reordering", "single_pass_softmax", "gelu_approximation", "unified_linear", "attention_reordering",
)  # fmt: skip
SMALL = {
    "layers": 2, "d_model": 32, "heads": 2, "d_ff": 64, "image_height": 64, "image_width": 64, "experts": 4,
    "expert_hidden": 48,
}  # fmt: skip


def without(*techniques: str, workload: dict[str, Any] | None = None, **settings: Any) -> Program:
    off = {f"techniques.{name}": "off" for name in techniques}
    made = prepare(load_workload("m3vit_tiny", **(workload or {})), "edge_moe", {**off, **settings}).program
    assert isinstance(made, Program)
    return made


def first_step(made: Program) -> list[tuple[str, str]]:
    return [(i.unit, i.name) for i in made.instructions(next(made.steps()))]


@pytest.mark.parametrize("schedule", ["paper", "overlap"])
@pytest.mark.parametrize("blocks", ["published", "rtl"])
def test_all_32_designs_lower_and_hold_together(blocks: str, schedule: str) -> None:
    for combination in product((True, False), repeat=5):
        off = [name for name, on in zip(TECHNIQUES, combination) if not on]
        made = without(*off, workload=SMALL, blocks=blocks, schedule=schedule)
        step = next(made.steps())
        made.verify(step)
        units = {unit.name for unit in fabric(made.design)}
        for instruction in (*made.once, *made.instructions(step)):
            task = task_of(instruction, made)
            assert instruction.unit in units
            assert {transfer.port for transfer in task.transfers} <= set(made.spec.axi.ports)


def test_without_expert_reordering_a_token_fetches_its_experts() -> None:
    made = without("expert_reordering")
    works = [i.work for i in made.instructions(next(made.steps())) if i.operator == "l1.experts"]
    multiplies = [work for work in works if isinstance(work, Multiply)]
    assert [work.tokens for work in multiplies[:6]] == [(0,), (0,), (0,), (0,), (1,), (1,)]
    assert len(multiplies) == 129 * 2 * 2
    assert not any(work.command.use_expert for work in multiplies)
    assert [work.command.use_score for work in multiplies[:4]] == [False, True, False, True]


def test_without_the_single_pass_there_are_three_over_scores_in_memory() -> None:
    made = without("single_pass_softmax")
    found = [entry for entry in first_step(made) if entry[1].startswith("l0.attention")]
    assert found == [
        ("qk", "l0.attention.scores"), ("softmax", "l0.attention.softmax.maximum"),
        ("softmax", "l0.attention.softmax.exponentials"), ("softmax", "l0.attention.softmax.normalise"),
        ("mv", "l0.attention"),
    ]  # fmt: skip
    moved = {}
    for instruction in made.instructions(next(made.steps())):
        moved[instruction.name] = [transfer.total for transfer in task_of(instruction, made).transfers]
    assert moved["l0.attention.scores"] == [3096, 102_168, 8514]
    assert moved["l0.attention.softmax.maximum"] == [8514, 129]
    assert moved["l0.attention.softmax.exponentials"] == [8514, 129, 8514, 129]
    assert moved["l0.attention.softmax.normalise"] == [8514, 129, 8514]
    assert moved["l0.attention"] == [102_168, 8514, 3096]


def test_without_the_gelu_approximation_lanes_are_deeper_and_larger() -> None:
    with_it, exact = (without(*off).design.linears["linear"] for off in ((), ("gelu_approximation",)))
    assert exact.gelu.latency > 10 * with_it.gelu.latency
    assert exact.resources().dsp - with_it.resources().dsp == exact.gelu.resources().dsp - with_it.gelu.resources().dsp
    assert exact.gelu.resources().lut > 5 * with_it.gelu.resources().lut


def test_without_the_unified_unit_three_share_its_multipliers_and_wait_for_their_weights() -> None:
    made = without("unified_linear")
    lanes = {name: (c.in_lanes, c.out_lanes, c.banks) for name, c in made.design.linears.items()}
    assert lanes == {
        "linear_attention": (16, 4, 1), "linear_ffn": (16, 4, 1), "linear_experts": (16, 4, 1),
    }  # fmt: skip
    words = {name: c.weight_words for name, c in made.design.linears.items()}
    assert words == {"linear_attention": 576, "linear_ffn": 2304, "linear_experts": 1152}
    experts = [name for _, name in first_step(made) if name.startswith("l1.experts")]
    assert experts[:5] == [
        "l1.experts.zero", "l1.experts0.up.load", "l1.experts0.up", "l1.experts0.down.load", "l1.experts0.down",
    ]  # fmt: skip
    waits = {i.name: i.after for i in made.instructions(next(made.steps()))}
    names = [name for _, name in first_step(made)]
    assert [names[a] for a in waits["l1.experts0.down.load"]] == ["l1.experts0.up"]


def test_without_attention_reordering_queries_are_filled_up() -> None:
    made = without("attention_reordering")
    step = next(made.steps())
    scores = next(i for i in made.instructions(step) if i.name == "l0.attention.scores")
    task = task_of(scores, made)
    assert [transfer.total for transfer in task.transfers] == [132 * 24, 33 * 129 * 24, 33 * 129 * 2, 132]
    queries = next(take for take in task.loops[0].takes if take.fifo == "q")
    assert (queries.amount, queries.when.length) == (4, 24)


@lru_cache
def cycles(*off: str) -> int:
    """Cycles of a small model on ideal ports, one call after the other: the sum of its tasks."""
    made = without(*off, workload=SMALL)
    step = next(made.steps())
    return sum(play(task_of(instruction, made)).cycles for instruction in made.instructions(step))


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_no_technique_makes_the_work_longer(technique: str) -> None:
    assert cycles(technique) >= cycles()


@pytest.mark.parametrize("off", [(), TECHNIQUES, *((name,) for name in TECHNIQUES)])
def test_each_design_runs(off: tuple[str, ...]) -> None:
    report = run(load_workload("m3vit_tiny", **SMALL), "edge_moe", {f"techniques.{name}": "off" for name in off})
    assert report.latency_s > 0


def test_all_32_designs_run_and_none_is_faster_than_with_all_techniques_by_more_than_refreshes() -> None:
    cycles = {}
    for combination in product((True, False), repeat=5):
        off = {f"techniques.{name}": "off" for name, on in zip(TECHNIQUES, combination) if not on}
        cycles[combination] = run(load_workload("m3vit_tiny", images=1, **SMALL), "edge_moe", off).cycles
    assert len(cycles) == 32
    best = cycles[(True,) * 5]
    assert min(cycles.values()) > 0.98 * best
    assert cycles[False, True, True, True, True] > best
    assert cycles[True, True, True, False, True] > best
