"""Energy of machines on an FPGA: counts times tables, by hand and by law, and the one coefficient that is fitted."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.energy.breakdown import Component
from hwsim.energy.fpga import FpgaCounts, FpgaTable, Operations, PortTraffic, UnitWork, break_down_fpga, fpga_table
from hwsim.energy.fpga.coefficients import FPGA, FPGA_TABLES
from hwsim.energy.fpga.fitting import fitted_coefficients, solve_coefficient
from hwsim.energy.provenance import Fit, Provenance
from hwsim.energy.table import EnergyTable
from hwsim.errors import EnergyError
from hwsim.report.energy_use import fpga_energy_use
from hwsim.rtl.exp.contract import ExpContract

DRAM = Component(name="dram_read", joules=0.5, source="currents", grade="S")
COUNTS = FpgaCounts(
    seconds=0.1,
    cycles=30_000_000,
    units=(
        UnitWork(
            unit="linear",
            lut=30_000,
            ff=50_000,
            active_cycles=10_000_000,
            operations=(Operations.macs(2_560_000_000, 32, 16),),
            bram_bits_read=40_000_000_000,
            bram_bits_written=1_000_000_000,
        ),
        UnitWork(
            unit="softmax",
            lut=4_000,
            ff=3_000,
            active_cycles=1_000_000,
            operations=(Operations.on_block("exp", 1_000_000, ExpContract.from_preset("rtl")),),
        ),
    ),
    ports=(PortTraffic(port="weights", beats=1_000_000, beat_bits=256),),
    dram_bits=512_000_000,
    memory=(DRAM,),
)


def table_of(source: str, **changes: float) -> FpgaTable:
    found = fpga_table(source, changes)
    assert found
    return found


def joules(counts: FpgaCounts, source: str, **changes: float) -> dict[str, float]:
    return {part.name: part.joules for part in break_down_fpga(counts, table_of(source, **changes))}


def test_each_action_costs_its_coefficient() -> None:
    parts = joules(COUNTS, "zcu102", remainder_w=3)
    assert parts["device_static"] == pytest.approx(0.07)
    assert parts["processing_system"] == pytest.approx(0.22)
    assert parts["remainder"] == pytest.approx(0.3)
    assert parts["clock_tree"] == pytest.approx(53_000 * 30e6 * 0.0206e-12)  # 33 mJ
    assert parts["logic"] == pytest.approx((30_000 * 10e6 + 4_000 * 1e6) * 0.0539e-12)  # 16 mJ
    assert parts["dsp"] == pytest.approx((2.56e9 * 2 + 1e6 * 7) * 4e-12)  # 32 x 16 bits take two DSPs, an exp seven
    assert parts["block_ram"] == pytest.approx(41e9 * 0.287e-12)
    assert parts["axi"] == pytest.approx(256e6 * 0.5e-12)
    assert parts["dram_interface"] == pytest.approx(512e6 * 5e-12)
    assert parts["ultra_ram"] == 0
    assert parts["dram_read"] == 0.5


def test_a_constant_power_covers_the_memory_too() -> None:
    assert joules(COUNTS, "m3vit") == {"board": pytest.approx(1.0)}
    assert joules(FpgaCounts(seconds=0.069033, cycles=1), "m3vit") == {"board": pytest.approx(0.69033)}


def test_a_table_with_the_memorys_own_energy_takes_it_from_bits_and_time() -> None:
    parts = joules(COUNTS, "u55c")
    assert parts["memory_static"] == pytest.approx(0.53 * 0.1)
    assert parts["memory_traffic"] == pytest.approx(512e6 * 3.92e-12)  # 2 mJ
    assert parts["dram_interface"] == pytest.approx(512e6 * 3.74e-12)
    assert "dram_read" not in parts


def test_an_idle_card_draws_what_was_measured() -> None:
    idle = joules(FpgaCounts(seconds=1.0, cycles=300_000_000), "u55c")
    assert sum(idle.values()) == pytest.approx((14.50 + 15.04) / 2)


def test_what_only_time_costs_is_standing() -> None:
    standing = {part.name for part in break_down_fpga(COUNTS, table_of("zcu102")) if part.standing}
    assert standing == {"device_static", "processing_system", "remainder", "clock_tree"}
    with_memory = {part.name for part in break_down_fpga(COUNTS, table_of("u55c")) if part.standing}
    assert with_memory == standing | {"memory_static"}


@given(factor=st.integers(0, 50), source=st.sampled_from(FPGA_TABLES))
def test_energy_is_linear_in_what_was_done(factor: int, source: str) -> None:
    units = tuple(
        replace(
            unit,
            active_cycles=unit.active_cycles * factor,
            operations=tuple(replace(work, count=work.count * factor) for work in unit.operations),
            bram_bits_read=unit.bram_bits_read * factor,
            bram_bits_written=unit.bram_bits_written * factor,
        )
        for unit in COUNTS.units
    )
    many = FpgaCounts(
        seconds=COUNTS.seconds * factor,
        cycles=COUNTS.cycles * factor,
        units=units,
        ports=tuple(replace(port, beats=port.beats * factor) for port in COUNTS.ports),
        dram_bits=COUNTS.dram_bits * factor,
        memory=(replace(DRAM, joules=DRAM.joules * factor),),
    )
    one, all_of_them = joules(COUNTS, source), joules(many, source)
    for name, value in one.items():
        assert all_of_them[name] == pytest.approx(value * factor, rel=1e-9)


@pytest.mark.parametrize("source", FPGA_TABLES)
def test_each_coefficient_moves_the_component_that_names_it_and_nothing_else(source: str) -> None:
    counts = replace(
        COUNTS, units=(*COUNTS.units, UnitWork(unit="queues", lut=0, ff=0, active_cycles=0, uram_bits_read=9))
    )
    before, formulas = joules(counts, source), table_of(source).coefficients.formulas
    for name in table_of(source).provenance:
        after = joules(counts, source, **{name: 77.0})
        moved = {part for part in before if before[part] != after[part]}
        assert moved == {part for part, (_, names) in formulas.items() if name in names}


@pytest.mark.parametrize("source", FPGA_TABLES)
def test_shipped_tables_state_the_provenance_of_all_they_hold(source: str) -> None:
    table = table_of(source)
    assert set(table.provenance) == set(type(table.coefficients).model_fields)
    for entry in table.provenance.values():
        assert entry.source
        assert (entry.confidence is not None) == (entry.grade == "M")


def test_a_table_of_ones_own_changes_a_board(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: m3vit\ncoefficients:\n  power_w: {value: 12, grade: S, source: our meter}\n")
    assert joules(COUNTS, str(file)) == {"board": pytest.approx(1.2)}


@pytest.mark.parametrize(
    ("source", "changes", "message"),
    [
        ("zcu10", {}, "there are zcu102, zcu104, u55c, m3vit, off, or a YAML file"),
        ("paper", {}, "energy: no energy table 'paper'"),
        ("zcu102", {"power_w": 1.0}, "energy_table.power_w: nothing of that name in energy table zcu102"),
        ("zcu102", {"dsp_pj": -1.0}, "energy table zcu102: dsp_pj: input should be greater than or equal to 0"),
        ("zcu102", {"dsp_pj": math.inf}, "dsp_pj: input should be a finite number"),
        ("off", {"dsp_pj": 1.0}, "energy_table.dsp_pj is set, but energy is off"),
    ],
)
def test_a_wrong_table_is_one_line(source: str, changes: dict[str, float], message: str) -> None:
    with pytest.raises(EnergyError) as caught:
        fpga_table(source, changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_energy_can_be_off() -> None:
    assert fpga_table("off") is None
    assert fpga_energy_use(COUNTS, None, passed=1, unit="images") is None


def test_the_report_states_power_energy_of_an_image_and_of_a_multiply_accumulate() -> None:
    use = fpga_energy_use(COUNTS, table_of("m3vit"), passed=4, unit="images")
    assert use
    assert (use.table, use.joules, use.mean_power_w) == ("m3vit", pytest.approx(1.0), pytest.approx(10.0))
    assert (use.joules_per_unit, use.unit) == (pytest.approx(0.25), "images")
    assert use.joules_per_mac == pytest.approx(1 / 2.56e9)
    assert use.fitted == []


def test_a_unit_or_port_is_there_once() -> None:
    with pytest.raises(ValueError, match="unit linear is there twice"):
        replace(COUNTS, units=(COUNTS.units[0], COUNTS.units[0]))
    with pytest.raises(ValueError, match="port weights is there twice"):
        replace(COUNTS, ports=COUNTS.ports * 2)


# --- the one coefficient that a published power may fit


def power(value: float) -> float:
    return sum(joules(COUNTS, "zcu102", remainder_w=value).values()) / COUNTS.seconds


def test_a_coefficient_is_solved_for_so_that_the_published_power_follows() -> None:
    found = solve_coefficient("remainder_w", power, 14.54)
    assert power(found) == pytest.approx(14.54, rel=1e-12)
    assert found == pytest.approx(14.54 - power(0))


@given(target=st.floats(10, 100))
def test_any_power_above_the_rest_can_be_reached(target: float) -> None:
    assert power(solve_coefficient("remainder_w", power, target)) == pytest.approx(target, rel=1e-9)


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(
        EnergyError, match=r"remainder_w: cannot be fitted to 5 W, the other coefficients take 8\.741 W"
    ):
        solve_coefficient("remainder_w", power, 5)
    with pytest.raises(EnergyError, match="uram_pj_per_bit: cannot be fitted, since nothing in the run depends on it"):
        solve_coefficient("uram_pj_per_bit", lambda v: sum(joules(COUNTS, "zcu102", uram_pj_per_bit=v).values()), 14.54)
    with pytest.raises(EnergyError, match="x: cannot be fitted, since the power is not linear in it"):
        solve_coefficient("x", lambda value: value**2, 4)


def test_a_grade_fitted_and_its_condition_go_together() -> None:
    fit = Fit(power_w=14.54, machine="edge_moe", workload="m3vit_tiny", source="paper")
    assert Provenance(grade="fitted", source="rest", fit=fit).fit is fit
    for grade, condition in (("fitted", None), ("A", fit)):
        with pytest.raises(ValueError, match=f"grade {grade}: expected a condition"):
            Provenance(grade=grade, fit=condition)


def fitted_table(*changed: str) -> FpgaTable:
    """The table zcu102 as if a run with COUNTS had been published."""
    value = solve_coefficient("remainder_w", power, 14.54)
    table = table_of("zcu102", remainder_w=value)
    fit = Fit(power_w=14.54, machine="toy", workload="vit", source="a paper", settings={"tile": 8}, changed=changed)
    origin = Provenance(grade="fitted", source="the rest", fit=fit)
    return EnergyTable(
        name=table.name, coefficients=table.coefficients, provenance={**table.provenance, "remainder_w": origin}
    )


def test_a_report_says_what_was_fitted_and_when() -> None:
    use = fpga_energy_use(COUNTS, fitted_table(), passed=1, unit="images")
    assert use
    (fitted,) = use.fitted
    assert fitted.fitted == "so that toy tile=8 takes 14.54 W on vit (a paper)"
    assert use.mean_power_w == pytest.approx(14.54)
    assert next(part.grade for part in use.components if part.component == "remainder") == "fitted"
    changed = fpga_energy_use(COUNTS, fitted_table("dsp_pj"), passed=1, unit="images")
    assert changed
    assert changed.fitted[0].fitted == "so that toy tile=8 takes 14.54 W on vit (a paper); changed since: dsp_pj"


def test_no_more_than_one_coefficient_is_fitted_in_all_tables() -> None:
    found = [(table, name, fit.power_w, fit.machine, fit.workload) for table, name, fit in fitted_coefficients(FPGA)]
    assert found in ([], [("zcu102", "remainder_w", 14.54, "edge_moe", "m3vit_tiny")])
