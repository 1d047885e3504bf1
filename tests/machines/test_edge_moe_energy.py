"""Energy of Edge-MoE: what a run counts, by hand, and the paper's figures beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hwsim import load_workload, run
from hwsim.energy.fpga import FpgaCounts, UnitWork
from hwsim.energy.fpga.coefficients import FPGA
from hwsim.energy.fpga.fitting import fitted_coefficients
from hwsim.errors import UserError
from hwsim.fpga.units import units_budget
from hwsim.machines.edge_moe import MACHINE
from hwsim.machines.edge_moe.counts import WorkCounts
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.energy import count_actions
from hwsim.machines.edge_moe.memories import shapes_of
from hwsim.machines.edge_moe.model import Execution
from hwsim.machines.edge_moe.operations import operations
from hwsim.machines.edge_moe.parts import fabric
from hwsim.machines.edge_moe.published import changed_design, image_ticks
from hwsim.machines.edge_moe.sizes import PUBLISHED
from hwsim.machines.find import load_machine
from hwsim.pipeline import prepare
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Report

TOKENS, LAYERS, EXPERTS = 129, 12, 16
ROWS = 33 * TOKENS  # of attention: 132 queries in passes of four over all keys
# Tiles of 16 x 16 weights: of a layer's attention, of its dense FFN, of one expert.
ATTENTION, DENSE, EXPERT = 4 * 12 * 12, 2 * 12 * 48, 2 * 12 * 24


@pytest.fixture(scope="module")
def execution() -> Execution:
    """One image of the published model on the published design."""
    program = prepare(load_workload("m3vit_tiny", images=1), "edge_moe", {}).program
    return MACHINE.simulate(program)


@pytest.fixture(scope="module")
def counts(execution: Execution) -> FpgaCounts:
    design = execution.program.design
    return count_actions(execution, time_of(execution), units_budget(fabric(design), "edge_moe", "zcu102"))


@pytest.fixture(scope="module")
def report(execution: Execution) -> Report:
    return MACHINE.summarize(execution)


def time_of(execution: Execution) -> RunTime:
    base = execution.diagram.time_base
    return RunTime(
        ticks=execution.ticks, ticks_per_second=base.ticks_per_second, clock=execution.diagram.clocks["fabric"]
    )


def work_of(counts: FpgaCounts, unit: str) -> UnitWork:
    return next(work for work in counts.units if work.unit == unit)


def design_of(**settings: Any) -> Design:
    return Design(spec=load_machine("edge_moe", settings)[1], sizes=PUBLISHED)


# --- what is counted


def test_multiply_accumulates_are_those_of_the_model_and_of_attentions_padding(counts: FpgaCounts) -> None:
    chosen = 2 * TOKENS  # each token goes to two experts
    tiles = TOKENS * (LAYERS * ATTENTION + LAYERS // 2 * DENSE) + LAYERS // 2 * chosen * EXPERT
    attention = 2 * LAYERS * ROWS * 24 * 4 * 8
    gate, patches = LAYERS // 2 * TOKENS * 192 * 16, 128 * 192 * 3 * 16 * 16
    assert counts.macs == tiles * 256 + attention + gate + patches == 784_502_784


@pytest.mark.parametrize("blocks", ["published", "rtl"])
def test_operations_at_full_rate_take_all_dsp_slices_of_their_unit(blocks: str) -> None:
    """A multiplier for each lane, and the functions as often as a unit has them."""
    design = design_of(blocks=blocks)
    at_once = WorkCounts(
        macs=Counter({"linear": 256, "qk": 32, "mv": 32, "gate": 128, "patch_embed": 256}),
        functions=Counter(
            {
                ("linear", "gelu"): 16, ("linear", "score"): 16, ("qk", "scale"): 4, ("softmax", "sum"): 4,
                ("softmax", "reciprocal"): 1, ("mv", "probability"): 1, ("layernorm", "norm"): 1,
                ("layernorm", "root"): 1, ("gate", "sum"): 1, ("gate", "choice"): 1,
            }
        ),
    )  # fmt: skip
    taken = {unit: sum(work.count * work.dsps for work in done) for unit, done in operations(at_once, design).items()}
    assert taken == {
        unit.name: unit.contract.resources().dsp
        for unit in fabric(design)
        if unit.contract and unit.contract.resources().dsp
    }


def test_each_weight_is_written_once_a_load_and_read_for_each_token(counts: FpgaCounts) -> None:
    """All experts have tokens; biases of 16 x 18 bits lie in block RAM beside the weights."""
    loaded = LAYERS * ATTENTION + LAYERS // 2 * (DENSE + EXPERTS * EXPERT)
    biases = LAYERS * 4 * 12 + LAYERS // 2 * (48 + 12 + EXPERTS * (24 + 12))
    assert work_of(counts, "weight_loader").bram_bits_written == loaded * 4096 + biases * 288
    passed = TOKENS * (LAYERS * ATTENTION + LAYERS // 2 * DENSE) + LAYERS // 2 * 2 * TOKENS * EXPERT
    outputs = TOKENS * (LAYERS * 4 * 12 + LAYERS // 2 * (48 + 12)) + LAYERS // 2 * 2 * TOKENS * (24 + 12)
    assert work_of(counts, "linear").bram_bits_read == passed * 4096 + outputs * 288


def test_memories_are_those_of_the_contracts() -> None:
    """Small ones lie in LUTs; the queues would be UltraRAM, of which a ZCU102 has none."""
    kinds = {name: shape.kind for name, shape in shapes_of(design_of()).items()}
    assert [name for name, kind in kinds.items() if kind == "bram"] == [
        "weight banks of linear", "bias banks of linear", "weight banks of weight_loader",
        "bias banks of weight_loader", "norm queue", "patch weights", "stripes",
    ]  # fmt: skip
    assert [name for name, kind in kinds.items() if kind == "uram"] == ["expert queues"]


def test_the_queues_count_as_what_the_part_has(counts: FpgaCounts, execution: Execution) -> None:
    """A token's number and score: written once a choice, read in both halves of its expert."""
    words, bits = LAYERS // 2 * 2 * TOKENS, 8 + 32
    gate = work_of(counts, "gate")
    assert (gate.bram_bits_written, gate.bram_bits_read) == (words * bits, 2 * words * bits)
    assert (gate.uram_bits_written, counts.uram_bits) == (0, 0)
    large = units_budget(fabric(execution.program.design), "edge_moe", "zcu104")
    gate = work_of(count_actions(execution, time_of(execution), large), "gate")
    assert (gate.bram_bits_written, gate.uram_bits_written) == (0, words * bits)


def test_cells_count_once_and_work_no_longer_than_the_run(counts: FpgaCounts, report: Report) -> None:
    assert report.fpga
    assert sum(work.lut for work in counts.units) == report.fpga.used.lut
    assert sum(work.ff for work in counts.units) == report.fpga.used.ff
    assert (work_of(counts, "weight_loader").lut, work_of(counts, "linear").lut > 0) == (0, True)
    for work in counts.units:
        assert 0 < work.active_cycles == report.unit(work.unit).busy_cycles < counts.cycles


def test_bits_at_the_ports_and_over_the_pins(counts: FpgaCounts, report: Report) -> None:
    assert report.ports
    assert report.dram
    assert counts.axi_bits == sum(port.size_bytes for port in report.ports) * 8
    assert counts.dram_bits == report.dram.io_bytes * 8


def test_the_memory_costs_its_chips_currents(counts: FpgaCounts, report: Report) -> None:
    """Eight chips: 1.2 V x (135 - 55) mA over four cycles of a read's burst; the commands are the report's."""
    assert report.dram
    read = next(part for part in counts.memory if part.name == "dram_read")
    burst_s = 4 / 1.06656e9
    assert read.joules == pytest.approx(report.dram.commands["RD"] * 8 * 1.2 * 0.080 * burst_s)
    assert {part.grade for part in counts.memory} == {"S"}


# --- the report


def test_the_published_run_takes_the_published_power_by_one_fitted_coefficient(report: Report) -> None:
    """After a change of timing or counts: `python benchmarks/fit_power.py --write`."""
    assert report.energy
    assert report.energy.mean_power_w == pytest.approx(14.54, abs=0.005)
    (fitted,) = report.energy.fitted
    assert (fitted.name, fitted.fitted) == (
        "remainder_w", "so that edge_moe takes 14.54 W on m3vit_tiny (Edge-MoE, ICCAD 2023: T)",
    )  # fmt: skip
    assert [(table, name) for table, name, _ in fitted_coefficients(FPGA)] == [("zcu102", "remainder_w")]


def test_what_hangs_on_power_is_no_prediction(report: Report) -> None:
    warned = [figure.name for figure in report.published if figure.note.startswith("no prediction")]
    assert warned == [
        "power", "energy of an image", "energy efficiency over RTX A6000", "energy efficiency over Xeon Gold 6226R",
    ]  # fmt: skip
    latency = next(figure for figure in report.published if figure.name == "latency of an image")
    assert latency.ours
    assert latency.note == ""


def test_without_the_fit_power_is_a_prediction() -> None:
    """Leakage and processing system are more than half of it."""
    found = run(load_workload("m3vit_tiny", layers=2), "edge_moe", {"energy_table.remainder_w": 0})
    assert found.energy
    assert found.energy.fitted == []
    assert 2.9 < found.energy.mean_power_w < 5.8


def test_the_image_of_the_paper_is_without_what_is_loaded_once(execution: Execution, report: Report) -> None:
    seconds = execution.diagram.time_base.seconds
    assert 0 < execution.once_ticks < 0.01 * execution.ticks
    assert image_ticks(execution) + execution.once_ticks == execution.ticks
    latency = next(figure for figure in report.published if figure.name == "latency of an image")
    assert latency.ours == pytest.approx(seconds(image_ticks(execution)) * 1e3)


def test_shares_of_the_paper_are_sums_of_kinds(report: Report, execution: Execution) -> None:
    ours = {figure.name.split(",")[0]: figure.ours for figure in report.published}
    whole = report.latency_s - execution.diagram.time_base.seconds(execution.once_ticks)
    cycles = {part.kind: part.cycles for part in report.breakdown}
    named = ("attention_scores", "attention_values")
    share = sum(cycles[kind] for kind in named) / report.clock_hz / whole
    assert ours["attention scores and values"] == pytest.approx(share, abs=1e-6)
    assert sum(value or 0 for value in (ours["attention scores and values"], ours["linear layers of attention"])) < 1


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({}, ()),
        ({"axi.request_ns": 90, "attention.stream_depth": 4}, ()),  # the paper does not state them
        ({"energy": "off", "name": "mine"}, ()),
        ({"energy_table.dsp_pj": 3}, ()),
        ({"linear.out_lanes": 32}, ("linear.out_lanes",)),
        ({"blocks": "rtl", "schedule": "overlap"}, ("blocks", "schedule")),
        ({"memory.timing.tRFC_ns": 300}, ("memory.timing.tRFC_ns",)),
    ],
)
def test_another_design_is_not_set_beside_the_papers_figures(settings: dict[str, Any], changed: tuple[str]) -> None:
    assert changed_design(load_machine("edge_moe", settings)[1], MACHINE.spec_file) == changed


def test_another_model_of_the_same_name_is_not_compared() -> None:
    assert run(load_workload("m3vit_tiny", layers=2), "edge_moe").published == []


def test_energy_can_be_off_or_one_constant_power(report: Report) -> None:
    off = run(load_workload("m3vit_tiny", images=1), "edge_moe", {"energy": "off"})
    assert (off.energy, off.cycles) == (None, report.cycles)
    power = next(figure for figure in off.published if figure.name == "power")
    assert (power.ours, power.note.startswith("the paper does not say")) == (None, True)
    whole = run(load_workload("m3vit_tiny", layers=2), "edge_moe", {"energy": "m3vit"}).energy
    assert whole
    assert [part.component for part in whole.components] == ["board"]
    assert whole.mean_power_w == pytest.approx(10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memory.standard": "lpddr5"}, "memory.standard: no sourced currents for lpddr5; there are some for ddr4, "),
        ({"energy": "paper"}, "energy: no energy table 'paper'"),
        ({"energy_table.dsp": 1}, "energy_table.dsp: nothing of that name in energy table zcu102; nearest: dsp_pj"),
        ({"energy": "off", "energy_table.dsp_pj": 1}, "energy_table.dsp_pj is set, but energy is off"),
    ],
)
def test_energy_that_cannot_be_counted_is_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_machine("edge_moe", settings)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_memory_without_currents_is_taken_where_its_energy_is_not_asked_for() -> None:
    load_machine("edge_moe", {"memory.standard": "hbm3", "energy": "m3vit"})
    load_machine("edge_moe", {"memory.standard": "hbm3", "energy": "off"})


def test_a_table_with_the_memorys_own_energy_counts_its_bits_instead_of_currents() -> None:
    found = run(load_workload("m3vit_tiny", layers=2), "edge_moe", {"energy": "u55c"})
    assert found.energy
    assert found.dram
    traffic = next(part for part in found.energy.components if part.component == "memory_traffic")
    assert traffic.joules == pytest.approx(8 * found.dram.io_bytes * 3.92e-12)
