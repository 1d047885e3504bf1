"""Edge-MoE's program: the source's order, what overlaps, and that every unit's task agrees with its instruction."""

from collections import Counter
from typing import Any

import pytest

from hwsim.errors import MachineError
from hwsim.machines.edge_moe import MACHINE
from hwsim.machines.edge_moe.instructions import Program
from hwsim.machines.edge_moe.tasks import task_of
from hwsim.pipeline import load_workload, prepare


def program(workload: str = "m3vit_tiny", **settings: Any) -> Program:
    made = prepare(load_workload(workload), "edge_moe", settings).program
    assert isinstance(made, Program)
    return made


def names(program: Program, layer: int) -> list[str]:
    step = next(program.steps())
    return [instruction.name for instruction in program.instructions(step) if instruction.layer == layer]


def test_a_dense_layer_in_the_sources_order() -> None:
    assert names(program(), 0) == [
        "l0.norm1.weight.load", "l0.norm1.bias.load", "l0.norm2.weight.load", "l0.norm2.bias.load", "l0.norm1",
        "l0.q.load", "l0.q", "l0.k.load", "l0.k", "l0.attention.scores", "l0.v.load", "l0.v", "l0.attention",
        "l0.proj.load", "l0.proj", "l0.add1", "l0.norm2", "l0.ffn1.load", "l0.ffn1", "l0.ffn2.load", "l0.ffn2",
        "l0.add2",
    ]  # fmt: skip


def test_the_experts_of_a_layer_overlap_with_loads() -> None:
    """Zeros, then the first load; an expert's first half computes under the load of its second, and so on."""
    made = program()
    instructions = made.instructions(next(made.steps()))
    first = next(i for i, instruction in enumerate(instructions) if instruction.name == "l1.experts.zero")
    shown = [(i.name.removeprefix("l1.experts"), [a - first for a in i.after]) for i in instructions[first : first + 7]]
    assert shown == [
        (".zero", [-1]),
        ("0.up.load", [0]),
        ("0.up", [1]),
        ("0.down.load", [1]),
        ("0.down", [2, 3]),
        ("1.up.load", [2, 3]),
        ("1.up", [4, 5]),
    ]


def test_overlapped_loads_wait_for_a_bank_alone() -> None:
    made = program(schedule="overlap")
    instructions = made.instructions(next(made.steps()))
    number = {instruction.name: place for place, instruction in enumerate(instructions)}
    waits = {name: [instructions[a].name for a in instructions[number[name]].after] for name in number}
    assert waits["l0.q.load"] == waits["l0.norm1.weight.load"] == []
    assert waits["l0.k.load"] == ["l0.q.load"]
    assert waits["l0.v.load"] == ["l0.q", "l0.k.load"]  # the bank of the queries' weights
    assert waits["l1.experts.zero"] == ["l1.add1"]
    assert waits["l1.route"] == ["l1.norm2", "l1.route.load"]


def test_images_follow_each_other_in_either_schedule() -> None:
    for schedule in ("paper", "overlap"):
        settings = {"schedule": schedule}
        workload = load_workload("m3vit_tiny", layers=2, images=2, batch=2)
        made = prepare(workload, "edge_moe", settings).program
        assert isinstance(made, Program)
        instructions = made.instructions(next(made.steps()))
        half = next(number for number in range(1, len(instructions)) if instructions[number].name == "embed")
        starts = [number for number in range(half, len(instructions)) if min(instructions[number].after) < half]
        assert all(instructions[a].name == "l1.add2" for number in starts for a in instructions[number].after)


@pytest.mark.parametrize("schedule", ["paper", "overlap"])
@pytest.mark.parametrize("blocks", ["published", "rtl"])
@pytest.mark.parametrize("workload", ["m3vit_tiny", "vit_tiny", "m3vit_small_nyud", "vit_base"])
def test_every_instruction_is_a_task(workload: str, blocks: str, schedule: str) -> None:
    made = program(workload, blocks=blocks, schedule=schedule)
    step = next(made.steps())
    made.verify(step)
    for instruction in (*made.once, *made.instructions(step)):
        task = task_of(instruction, made)
        assert (task.unit, task.name) == (instruction.unit, instruction.name)
        moved = sum(transfer.total for transfer in task.transfers)
        assert moved > 0


@pytest.mark.parametrize("blocks", ["published", "rtl"])
@pytest.mark.parametrize("bits", [128, 512])
def test_masters_of_other_widths_have_tasks(bits: int, blocks: str) -> None:
    """Beats of 4 or 16 activations; a layer norm's weights are 192 numbers of 16 bits."""
    settings: dict[str, Any] = {"axi.width_bits": bits, "attention.channels": bits // 32, "blocks": blocks}
    made = program(**settings)
    instructions = made.instructions(next(made.steps()))
    tasks = {instruction.name: task_of(instruction, made) for instruction in instructions}
    load = next(name for name in tasks if name.startswith("l0.norm1.") and name.endswith(".load"))
    assert tasks[load].transfers[0].total == 192 * 16 // bits


def test_the_beats_of_the_published_design() -> None:
    """As an HLS log of the source has its bursts."""
    made = program()
    found: dict[str, list[int]] = {}
    for instruction in (*made.once, *made.instructions(next(made.steps()))):
        task = task_of(instruction, made)
        found.setdefault(instruction.name, [transfer.total for transfer in task.transfers])
    assert found["l0.attention.scores"] == [3096, 102_168, 8514, 129]
    assert found["l0.attention"] == [102_168, 8514, 3096, 129]
    assert found["l0.q.load"] == [2304, 12]
    assert found["l1.experts0.up.load"] == [4608, 24]
    assert found["l1.experts0.down.load"] == [4608, 12]
    assert found["l1.route.load"] == [384]
    assert found["l1.experts.zero"] == [3096]
    assert found["embed"] == [3096, 3096, 8 * 384]
    assert found["l0.add1"] == [3096, 3096, 3096]


def test_tokens_of_experts_are_those_of_the_load() -> None:
    made = program()
    step = next(made.steps())
    op = next(op for op in made.mapped.graph.operators if op.name == "l1.experts")
    multiplies = [i.work for i in made.instructions(step) if i.operator == "l1.experts" and ".up" in i.name]
    lengths = [w.command.tokens for w in multiplies if hasattr(w, "command")]
    assert lengths == [length for length in op.queue_lengths(step) if length]  # type: ignore[attr-defined]
    times = Counter(token for w in multiplies if hasattr(w, "command") for token in w.tokens or ())
    assert set(times.values()) == {2}
    assert len(times) == 129


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"attention.slots": 17}, "edge_moe: attention.slots: input should be less than or equal to 16, got 17"),
        ({"linear.weight_words": 8}, "edge_moe: linear: weight_words must be 48 to 65536, got 8"),
        ({"linear.in_lanes": 24}, "edge_moe: patch_embed: patch must be a multiple of in_lanes, got 16 and 24"),
        ({"formats.activation": "bf16"}, "edge_moe: formats: activation: expected a fixed-point format, got bf16"),
        ({"attention.channels": 16}, "attention works on 16 a cycle"),
    ],
)
def test_what_no_unit_can_be_is_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(MachineError) as refused:
        program(**settings)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_machine_is_shown_with_its_parameters() -> None:
    assert MACHINE.spec_file.load(None, {"techniques.gelu_approximation": False}).techniques.off == (
        "gelu_approximation",
    )
