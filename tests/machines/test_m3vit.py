"""The machine m3vit: what runs, what waits for what, and its memory by parts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import MachineError, UserError
from hwsim.machines.m3vit import MACHINE
from hwsim.machines.m3vit.beside import as_counted, misses
from hwsim.machines.m3vit.instructions import Load, Work
from hwsim.machines.m3vit.onchip import on_chip
from hwsim.machines.m3vit.parts import units
from hwsim.mapping.errors import WorkloadError
from hwsim.pipeline import load_workload, run
from tests.machines.m3vit_runs import program_of, report_of, run_of, small

MIB = 1 << 20


def names(program: Any, kind: type[Any]) -> list[str]:
    """Names of the instructions of a kind in the first step."""
    step = next(iter(program.steps()))
    return [each.name.removeprefix("0:") for each in program.instructions(step, 0) if isinstance(each, kind)]


def test_a_layer_as_work_in_order() -> None:
    assert names(program_of(small()), Work) == [
        "embed",
        "l0.q", "l0.k", "l0.v", "l0.attention", "l0.proj", "l0.ffn1", "l0.ffn2",
        "l1.q", "l1.k", "l1.v", "l1.attention", "l1.proj",
        "l1.experts.0", "l1.experts.1", "l1.experts.2", "l1.experts.3",
        "final_norm",
    ]  # fmt: skip


def test_all_that_the_graph_multiplies_is_multiplied() -> None:
    """Products of all work, and those of the gate, are the model's; tiles are never fewer than products need."""
    for mode in ("reorder", "cache", "resident"):
        program = program_of(small(batch=2, images=2), {"mode": mode})
        step = next(iter(program.steps()))
        work = [each for each in program.instructions(step, 0) if isinstance(each, Work)]
        gate = step.tokens * 48 * 4
        assert sum(each.macs for each in work) + gate == program.workload.model.macs(step)
        rate = program.spec.head_engine.macs_per_cycle
        assert all(each.tiles * rate >= each.macs for each in work)


def test_the_time_is_that_of_work_and_of_waits_between() -> None:
    done = run_of(small(tasks=["depth", "edges"], frames_per_second=30_000))
    ledger = done.ledger
    assert ledger.ended == sum(ledger.kinds.values()) + ledger.weight_wait + ledger.no_image
    assert done.ticks == done.diagram.clocks["fabric"].ticks(ledger.ended)


def test_experts_in_queues_wait_for_nothing_but_their_weights() -> None:
    program = program_of(small(), {"preload": False})
    step = next(iter(program.steps()))
    waits = {each.name: each.after for each in program.instructions(step, 0) if isinstance(each, Load)}
    assert waits["0:l1.experts.0.load"] == ("0:l1.proj",)
    early = {each.name: each.after for each in program_of(small()).instructions(step, 0) if isinstance(each, Load)}
    assert {name: after for name, after in early.items() if after} == {}


def test_an_expert_without_a_token_is_not_computed() -> None:
    routing = {"load": "histogram", "histogram": [0.5, 0, 0.5, 0]}
    assert names(program_of(small(routing=routing)), Work)[-3:] == ["l1.experts.0", "l1.experts.2", "final_norm"]
    loads = names(program_of(small(routing=routing)), Load)
    assert "l1.experts.1.load" in loads  # before it was known; it gives its room back when it is
    late = names(program_of(small(routing=routing), {"preload": False}), Load)
    assert [name for name in late if "experts" in name] == ["l1.experts.0.load", "l1.experts.2.load"]


def test_a_cache_fetches_what_it_does_not_hold() -> None:
    one_expert = 2 * 48 * 24 * 2 + (48 + 24) * 2
    settings = {"mode": "cache", "cache.capacity_bytes": 2 * one_expert}
    program = program_of(small(), settings)
    fetches = [name for name in names(program, Load) if ".fetch" in name]
    done = run_of(small(), settings)
    assert len(fetches) == misses(program) == len(done.ledger.visits) > 4
    assert sum(done.ledger.visits) == 17 * 2
    whole = run_of(small(), {"mode": "cache", "cache.capacity_bytes": 4 * one_expert})
    assert len(whole.ledger.visits) == 4


def test_fetching_ahead_is_faster_and_takes_as_many() -> None:
    one_expert = 2 * 48 * 24 * 2 + (48 + 24) * 2
    settings = {"mode": "cache", "cache.capacity_bytes": 3 * one_expert}
    slow, fast = (run_of(small(), {**settings, "cache.fetch_ahead": ahead}) for ahead in (0, 1))
    assert fast.ledger.ended < slow.ledger.ended
    assert fast.ledger.visits == slow.ledger.visits


@pytest.mark.parametrize("mode", ["reorder", "cache", "resident"])
def test_another_task_takes_no_other_time(mode: str) -> None:
    """The same images for one task, and with a switch between each: the same cycles, pass by pass."""
    same, other = (
        run_of(small(tasks=tasks, routing={"load": "histogram", "histogram": [10, 10, 7, 7]}), {"mode": mode})
        for tasks in (["depth"] * 3, ["depth", "edges", "depth"])
    )
    if mode != "cache":  # there other tokens go to an expert with another task, and other experts miss
        assert [(s.begun, s.ended) for s in same.ledger.steps] == [(s.begun, s.ended) for s in other.ledger.steps]
    assert [(s.begin_wait, s.gate_wait) for s in other.ledger.steps[1:]] == [(0, 0), (0, 0)]


def test_a_switch_costs_what_its_pass_waits_for() -> None:
    """Over one port that answers late, the next image's first weights do not come while its patches pass."""
    slow = {"axi.weight_ports": 1, "axi.request_ns": 20_000, "axi.outstanding": 1}
    done = run_of(small(tasks=["depth", "edges"]), slow)
    waited = done.ledger.steps[1].begin_wait
    assert waited == 5_108
    passes = MACHINE.summarize(done).passes
    assert passes is not None
    assert [(s.before, s.after, s.passes, s.cycles) for s in passes.switches] == [("depth", "edges", 1, waited)]


def test_frames_that_arrive_slowly_leave_time() -> None:
    report = report_of(small(frames=3, frames_per_second=1000))
    assert report.passes is not None
    assert report.passes.arrivals is not None
    assert (report.passes.passes, report.passes.arrivals.late, report.passes.arrivals.unserved_per_s) == (6, 0, 0)
    busy = sum(part.cycles for part in report.breakdown if part.kind != "waiting for images")
    assert report.passes.arrivals.idle_cycles == report.cycles - busy
    assert report.latency_s > 2 / 1000  # the last frame arrives then


def test_frames_that_arrive_too_fast_cannot_all_be_served() -> None:
    report = report_of(small(images=4, frames_per_second=10_000_000))
    assert report.passes is not None
    arrivals = report.passes.arrivals
    assert arrivals is not None
    assert (arrivals.late, arrivals.idle_cycles) == (3, 0)
    assert arrivals.unserved_per_s == pytest.approx(10_000_000 - 4 / report.latency_s, rel=1e-3)
    assert arrivals.longest_wait_s == pytest.approx(report.latency_s * 3 / 4, rel=0.1)


SIZES = st.fixed_dictionaries(
    {
        "layers": st.integers(2, 3),
        "heads": st.sampled_from([1, 3, 13]),
        "experts": st.integers(1, 5),
        "expert_hidden": st.integers(1, 60),
        "d_ff": st.integers(1, 90),
        "class_token": st.booleans(),
        "final_norm": st.booleans(),
        "batch": st.integers(1, 2),
        "images": st.integers(2, 3),
    }
)
MACHINES = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["reorder", "cache", "resident"]),
        "activations": st.sampled_from(["on_chip", "memory"]),
        "preload": st.booleans(),
        "engine.heads": st.sampled_from([1, 12]),
        "axi.weight_ports": st.integers(1, 4),
        "token_fifo": st.integers(1, 3),
        "cache.fetch_ahead": st.integers(0, 2),
        "cache.held_first": st.booleans(),
        "cache.policy": st.sampled_from(["lru", "fifo", "lfu", "random", "optimal"]),
        "buffers.expert_buffer_bytes": st.sampled_from([3_000, 41_000, 1 << 20]),
    }
)


@settings(deadline=None, max_examples=15)
@given(model=SIZES, settings=MACHINES)
def test_whatever_is_run_comes_to_its_end(model: dict[str, Any], settings: dict[str, Any]) -> None:
    """Ragged sizes, more heads than there are, small buffers: all work is done, and no bound is undercut."""
    width = model["heads"] * 8
    fields = {**model, "d_model": width, "top_k": min(2, model["experts"])}
    if settings["buffers.expert_buffer_bytes"] == 3_000:
        settings = {**settings, "mode": "reorder"}  # a cache needs whole experts
    report = report_of(small(**fields), settings)
    macs = sum(small(**fields).model.macs(step) for step in small(**fields).steps())
    assert report.bound.ratio >= 1
    assert report.fpga is not None
    assert report.fpga.achieved_macs_per_s is not None
    gates = model["images"] * (16 + model["class_token"]) * width * model["experts"] * (model["layers"] // 2)
    assert math.isclose(report.fpga.achieved_macs_per_s * report.latency_s, macs - gates)
    loaded = sum(report.bytes_over(f"HP{n}") for n in range(settings["axi.weight_ports"]) if _used(report, f"HP{n}"))
    assert loaded >= 16


def _used(report: Any, link: str) -> bool:
    return link in {way.link for way in report.offchip}


def test_the_published_memory_by_its_parts() -> None:
    """Rows of the paper, for its model of ImageNet: 4.828, 4.840 and 11.610 MiB, cut after three digits."""
    dense = as_counted(program_of(load_workload("vit_small_pascal")))
    assert (dense.resident, dense.attention, dense.experts) == (1_514_192, 1_185_792, 2_363_136)
    assert math.floor(dense.weights / MIB * 1000) == 4_828
    moe = program_of(load_workload("m3vit_small_pascal"))
    reorder, resident = as_counted(moe), as_counted(moe, "resident")
    assert (reorder.gate, reorder.held_experts, resident.held_experts) == (12_288, 4, 16)
    # four experts have three more biases of the second matrix than a dense layer of the same size
    assert reorder.weights == dense.weights + 12_288 + 3 * 384 * 2
    assert math.floor((reorder.weights - 3 * 384 * 2) / MIB * 1000) == 4_840
    assert resident.weights - reorder.weights == 12 * 591_360
    assert math.floor(resident.weights / MIB * 1000) == 11_610
    assert as_counted(moe, "cache") == reorder
    assert round(resident.weights / reorder.weights, 1) == 2.4


@pytest.mark.parametrize("experts", [16, 64, 256, 1024])
def test_weights_of_experts_take_the_same_room_however_many(experts: int) -> None:
    program = program_of(load_workload("m3vit_small_pascal", experts=experts, layers=2))
    chip = on_chip(program)
    assert chip.experts == 2_365_440
    assert (chip.gate, chip.queues) == (experts * 384 * 2, experts * 1024 * 42 // 8)  # these grow


def test_a_thousand_experts_run() -> None:
    report = report_of(small(experts=1024, top_k=4), {"buffers.expert_buffer_bytes": 20_000})
    assert report.memory("expert buffers").size_bytes == 2 * 20_000 // 4752 * 4752
    assert report.memory("gate").size_bytes == 1024 * 48 * 2


def test_what_is_larger_than_a_buffer_comes_in_passes() -> None:
    # a pass has 192 outputs at a time: 12 heads of 16
    wide = {"d_model": 96, "d_ff": 384, "expert_hidden": 300}
    settings = {"buffers.expert_buffer_bytes": 80_000}
    large = program_of(small(**wide), settings)
    assert [name for name in names(large, Work) if "ffn" in name or "experts.0" in name] == [
        "l0.ffn1", "l0.ffn2", "l1.experts.0.up", "l1.experts.0.down",
    ]  # fmt: skip
    settings = {"buffers.expert_buffer_bytes": 60_000, "mode": "resident"}
    program = program_of(small(**wide), settings)
    assert [name for name in names(program, Work) if "ffn" in name or "experts.0" in name] == [
        "l0.ffn1.0", "l0.ffn1.1", "l0.ffn2.0", "l0.ffn2.1", "l1.experts.0.up", "l1.experts.0.down",
    ]  # fmt: skip
    # 16 patches of 24; 17 tokens: 4 matrices of 12 and attention of 8 + 6, twice; 2 x 12 and 2 x 48 of a hidden layer;
    # two experts each of 2 x 12 and 38
    tiles = 16 * 24 + 17 * (2 * (4 * 12 + 8 + 6) + 24 + 96 + 2 * (24 + 38))
    assert run_of(small(**wide), settings).ledger.tiles == tiles == 6_640


BAD: list[tuple[dict[str, Any], str]] = [
    ({"mode": "queue"}, "mode"),
    ({"formats.weight": "bf16"}, "formats.weight: expected a fixed-point format of whole bytes, got bf16"),
    (
        {"formats.weight": "fixed(12,2)"},
        "formats.weight: expected a fixed-point format of whole bytes, got fixed(12,2)",
    ),
    ({"engine.in_lanes": 7}, "in_lanes 7 do not divide macs_per_head 128"),
    ({"engine.macs_per_head": 1040}, "engine: head_engine: out_lanes must be 1 to 64, got 130"),
    ({"board": "zcu1"}, "board: no such board as 'zcu1'; nearest: zcu104, zcu102"),
    ({"memory.bin": "2400X"}, "2400X"),
    ({"memory.timing.tRCDD_ns": 3}, "tRCDD_ns"),
    ({"memory.ports.HP3": "x"}, "memory.ports.HP3"),
    ({"axi.width_bits": 100}, "AXI port HP0: width_bits must be 32, 64, 128, 256, 512 or 1024, got 100"),
    ({"energy": "m4vit"}, "energy: no energy table 'm4vit'"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_what_the_machine_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=r"^[^\n]*$") as caught:
        run(small(), "m3vit", given)
    assert message in str(caught.value)


RUNS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {},
        {"mode": "cache", "cache.capacity_bytes": 100},
        "m3vit: cache.capacity_bytes 100 holds no expert of 4752 B",
    ),
    (
        {},
        {"buffers.attention_bytes": 500},
        "m3vit: l0.q: one output needs 290 B, a buffer for attention holds 250 B",
    ),
    (
        {},
        {"mode": "cache", "buffers.expert_buffer_bytes": 4000},
        "m3vit: mode cache needs whole experts, of 4752 B; a buffer holds 4000 B",
    ),
    ({"activation": "silu"}, {}, "m3vit: l0.silu: has no unit for silu; it has gelu, gelu_erf"),
]


@pytest.mark.parametrize(("fields", "given", "message"), RUNS)
def test_what_the_machine_cannot_run(fields: dict[str, Any], given: dict[str, Any], message: str) -> None:
    with pytest.raises(MachineError) as caught:
        run(small(**fields), "m3vit", given)
    assert str(caught.value).startswith(message)


def test_queues_that_do_not_add_up() -> None:
    with pytest.raises(WorkloadError, match=r"step 0, layer 1: 40 tokens in all queues, expected 17 x 2 = 34"):
        run(small(routing={"load": "histogram", "histogram": [10, 10, 10, 10]}), "m3vit")


def test_units_and_where_their_timing_is_from() -> None:
    spec = MACHINE.spec_file.load(None, {})
    assert {unit.name: unit.proven for unit in units(spec)} == {
        "engine": False, "norm": True, "softmax": True, "gelu": True, "gate": True, "adder": False, "loader": False,
        "weights.resident": False, "weights.attention": False, "weights.experts": False, "keys_values": False,
        "activations": False,
    }  # fmt: skip
    assert spec.head_engine.macs_per_cycle == 1536


def test_energy_is_the_published_power() -> None:
    report = report_of(small())
    assert report.energy_j == pytest.approx(10 * report.latency_s)
    assert report_of(small(), {"energy": "off"}).energy_j is None
    assert report_of(small(), {"energy": "zcu104"}).energy is not None


@pytest.mark.slow
def test_the_published_rows_on_pascal() -> None:
    """Cycles of the paper's three rows; docs/validation.md says what lies between."""
    cycles = {
        "m3vit_small_pascal": 20_720_305,  # 69.068 ms; 69.033 published
        "vit_small_pascal": 20_714_880,  # 69.050 ms; 68.931 published
    }
    assert {name: run(load_workload(name), "m3vit").cycles for name in cycles} == cycles
    tasks = ["segmentation", "normals", "segmentation"]
    report = run(load_workload("m3vit_small_pascal", tasks=tasks), "m3vit")
    assert report.passes is not None
    assert [switch.cycles for switch in report.passes.switches] == [0, 0]
