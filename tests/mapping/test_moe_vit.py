"""Vision transformers with experts and tasks."""

from fractions import Fraction
from typing import Any

import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import ExpertFfn, Route
from hwsim.mapping.workload.loads import Load
from tests.mapping.families import graph_of, lines_of, workload

EDGE_MOE: dict[str, Any] = {
    "layers": 12, "d_model": 192, "heads": 3, "d_ff": 768, "image_height": 128, "image_width": 256, "patch": 16,
    "experts": 16, "top_k": 2, "expert_hidden": 384, "task_names": ["segmentation", "depth"], "final_norm": False,
}  # fmt: skip


def test_every_second_layer_has_experts() -> None:
    assert lines_of(graph_of("moe_vit"))[8:24] == [
        "l0.norm2 <- l0.add1: layernorm 8",
        "l0.ffn1 <- l0.norm2: 8 -> 32 + bias",
        "l0.gelu_erf <- l0.ffn1: gelu_erf 32",
        "l0.ffn2 <- l0.gelu_erf: 32 -> 8 + bias",
        "l0.add2 <- l0.add1, l0.ffn2: add 8",
        "l1.norm1 <- l0.add2: layernorm 8",
        "l1.q <- l1.norm1: 8 -> 8 + bias",
        "l1.k <- l1.norm1: 8 -> 8 + bias",
        "l1.v <- l1.norm1: 8 -> 8 + bias",
        "l1.attention <- l1.q, l1.k, l1.v: 2 heads x 4, full",
        "l1.proj <- l1.attention: 8 -> 8 + bias",
        "l1.add1 <- l0.add2, l1.proj: add 8",
        "l1.norm2 <- l1.add1: layernorm 8",
        "l1.route <- l1.norm2: 8 -> top 2 of 4 by softmax, 2 gates",
        "l1.experts <- l1.norm2, l1.route: 4 experts, 2 a token: 8 -> 6 -> 8 + bias, gelu_erf",
        "l1.add2 <- l1.add1, l1.experts: add 8",
    ]


def test_edge_moes_model() -> None:
    edge_moe = workload("moe_vit", **EDGE_MOE)
    graph, step = build_graph(edge_moe), edge_moe.run.last_step(edge_moe.model)
    assert edge_moe.model.tokens == 129
    experts = [op for op in graph.operators if isinstance(op, ExpertFfn)]
    assert [op.layer for op in experts] == [1, 3, 5, 7, 9, 11]
    assert sum(op.weights for op in experts) == 14_211_072
    assert sum(op.macs(step) for op in experts) == 228_261_888
    assert sum(op.macs(step) for op in graph.operators if isinstance(op, Route)) == 2_377_728
    assert graph.totals(step).macs == edge_moe.model.macs(step) == 782_719_488
    # 17.97 M are published: one task's gates and the class token within its position
    assert edge_moe.model.parameters - 6 * 16 * 192 - 192 == 17_965_056


def test_m3vits_model_is_one_of_31_7_g_at_1024_tokens() -> None:
    m3vit = workload(
        "moe_vit", layers=12, d_model=384, heads=12, image_height=512, image_width=512, patch=16, class_token=False,
        experts=16, top_k=4, expert_hidden=384,
    )  # fmt: skip
    step = m3vit.run.last_step(m3vit.model)
    gate = 6 * 1024 * 384 * 16
    assert m3vit.model.macs(step) - gate == 31_708_938_240


def test_a_gate_a_task_or_one_that_reads_the_task() -> None:
    each, shared = graph_of("moe_vit"), graph_of("moe_vit", gate="shared")
    told = graph_of("moe_vit", gate="shared", task_embedding=3, layers=4)
    assert {t.identity: t.elements for t in each.operator("l1.route").tables} == {
        "l1.route.gate0": 4 * 8, "l1.route.gate1": 4 * 8,
    }  # fmt: skip
    assert {t.identity: t.elements for t in shared.operator("l1.route").tables} == {"l1.route.gate0": 4 * 8}
    assert {t.identity: t.elements for t in told.operator("l3.route").tables} == {
        "l3.route.gate0": 4 * (8 + 3), "tasks": 2 * 3,
    }  # fmt: skip
    assert len([t for t in told.tables if t.identity == "tasks"]) == 1  # both layers read it


def test_a_step_reads_its_tasks_gate_alone() -> None:
    moe = workload("moe_vit")
    step = moe.run.last_step(moe.model)
    assert build_graph(moe).operator("l1.route").weight_bytes_read(step) == 4 * 8 * 2


def test_images_take_turns_at_the_tasks() -> None:
    moe = workload("moe_vit", images=5, batch=2)
    assert [(step.task, step.batch) for step in moe.steps()] == [(0, 2), (1, 2), (0, 1)]
    assert (moe.run.produced, moe.run.unit) == (5, "images")
    assert moe.run.last_step(moe.model) == list(moe.steps())[-1]


def test_a_frame_passes_once_for_every_task() -> None:
    moe = workload("moe_vit", frames=3, batch=2, task_names=["depth", "edges", "normals"])
    assert [(step.task, step.batch) for step in moe.steps()] == [(0, 2), (1, 2), (2, 2), (0, 1), (1, 1), (2, 1)]
    assert (moe.run.produced, moe.run.unit) == (3, "frames")
    assert moe.run.last_step(moe.model) == list(moe.steps())[-1]


def test_a_run_may_have_some_tasks_in_an_order_of_its_own() -> None:
    frames = workload("moe_vit", frames=2, tasks=["edges"])
    assert [step.task for step in frames.steps()] == [1, 1]
    images = workload("moe_vit", images=4, tasks=["edges", "edges", "depth"])
    assert [step.task for step in images.steps()] == [1, 1, 0, 1]


def test_a_run_that_names_tasks_does_each_of_them() -> None:
    run = workload("moe_vit", tasks=["edges", "depth", "edges"])
    assert ([step.task for step in run.steps()], run.run.images) == ([1, 0, 1], 3)
    batches = workload("moe_vit", tasks=["edges", "depth"], batch=2)
    assert ([(step.task, step.batch) for step in batches.steps()], batches.run.images) == ([(1, 2), (0, 2)], 4)


def test_frames_arrive_one_after_the_other() -> None:
    frames = workload("moe_vit", frames=3, frames_per_second=20)
    # each passes once a task
    assert [step.arrives for step in frames.steps()] == [
        0,
        0,
        Fraction(1, 20),
        Fraction(1, 20),
        Fraction(1, 10),
        Fraction(1, 10),
    ]
    assert [step.arrives for step in workload("moe_vit", images=2).steps()] == [0, 0]
    assert workload("moe_vit", images=101, frames_per_second=29.97).run.arrives(100) == Fraction(100_00, 2997)


def test_a_batch_waits_for_its_last_image() -> None:
    vit = workload("vit", images=5, batch=2, frames_per_second=10)
    assert [(step.batch, step.arrives) for step in vit.steps()] == [
        (2, Fraction(1, 10)),
        (2, Fraction(3, 10)),
        (1, Fraction(4, 10)),
    ]


def test_what_a_run_leaves_open_is_filled_in_and_shown() -> None:
    fields = workload("moe_vit").fields()
    assert fields["tasks"] == ["depth", "edges"]
    assert (fields["images"], fields["frames"], fields["routing"]["load"]) == (1, None, "uniform")
    assert workload("moe_vit").run.routing == Load()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"images": 1, "frames": 2}, "expected images or frames, got both: 1 and 2"),
        ({"frames_per_second": 0}, "frames_per_second: input should be greater than 0, got 0"),
        ({"top_k": 5}, "top_k: a token cannot go to 5 of 4 experts"),
        ({"moe_every": 3}, "moe_every 3 leaves 2 layers without experts; see family vit"),
        ({"task_names": ["depth", "depth"]}, "task_names: expected different names, got depth, depth"),
        ({"tasks": []}, "tasks: tuple should have at least 1 item"),
        ({"tasks": ["dept"]}, "tasks: the model has no task 'dept'; nearest: depth"),
        ({"task_embedding": 8}, "task_embedding goes with gate: shared, and with no other"),
        ({"routing": {"load": "histogram"}}, "routing: load: histogram needs a histogram"),
        (
            {"routing": {"load": "histogram", "histogram": [1, 2, 3]}},
            "routing.histogram has 3 numbers, the model 4 experts",
        ),
        ({"patch": 3}, "patches of 3 pixels do not divide image_height 4"),
    ],
)
def test_what_a_vit_with_experts_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("moe_vit", **fields)
    assert str(caught.value).startswith(f"small: {message}")
