"""Standards are data: the content of their files, and messages for wrong ones."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from hwsim.dram.device.standard import Constraint
from hwsim.dram.standards.load import STANDARDS, evaluate, load_standard, timing_provenance
from hwsim.errors import DramError


def test_the_standards_load_with_their_tables() -> None:
    sizes = {name: len(load_standard(name).constraints) for name in STANDARDS}
    assert sizes == {
        "pim_gpt": 74, "gddr6_aim": 331, "ddr4": 61, "ddr4_2133": 61, "ddr4_zcu102": 61, "ddr5": 114, "lpddr4": 138,
        "lpddr5": 88, "gddr6": 68, "hbm2": 68, "hbm2_u55c": 68, "hbm2e": 68, "hbm3": 80, "hbm2_newton": 78,
        "hbm_pim": 78,
    }  # fmt: skip


def test_nanoseconds_round_up_to_cycles_of_the_clock() -> None:
    pim = load_standard("pim_gpt", timing={"tRCD_ns": 12.1})
    assert (pim.params["nRCD"], pim.params["nRP"], pim.params["nREFI"]) == (25, 24, 13650)
    ddr4 = load_standard("ddr4_2133")
    assert ddr4.clock_hz == Fraction(3_200_000_000, 3)
    assert (ddr4.params["nRAS"], ddr4.params["nRFC"], ddr4.params["nREFI"]) == (36, 374, 8320)


def test_latencies_are_sums_and_differences_of_parameters() -> None:
    assert evaluate("nCL + nBL + 3 - nCWL", {"nCL": 50, "nBL": 2, "nCWL": 6}) == 49
    with pytest.raises(DramError, match=r"latency 'nCL \* 2': only sums and differences of parameters"):
        evaluate("nCL * 2", {"nCL": 1})
    with pytest.raises(DramError, match=r"no parameter 'nCLL'; nearest: nCL"):
        evaluate("nCLL + 1", {"nCL": 1})


def test_an_unknown_timing_parameter_names_the_nearest() -> None:
    with pytest.raises(DramError, match=r"no timing parameter 'tRDC_ns'; nearest: .*tRCD_ns"):
        load_standard("pim_gpt", timing={"tRDC_ns": 12})


@pytest.mark.parametrize("value", [-1, 1e10, float("nan"), True])
def test_a_timing_value_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(DramError, match=r"timing\.tRCD_ns must be a number from 0 to 1e9"):
        load_standard("pim_gpt", timing={"tRCD_ns": value})


def test_a_refresh_interval_that_leaves_no_time_is_refused() -> None:
    with pytest.raises(DramError, match="refresh every 800 cycles leaves no time"):
        load_standard("pim_gpt", timing={"tREFI_ns": 400})


def test_an_unknown_standard_names_the_known() -> None:
    with pytest.raises(DramError) as error:
        load_standard("sdram")
    known = ", ".join(STANDARDS)
    assert str(error.value) == f"no DRAM standard 'sdram'; there are {known}, or the path of a .yaml file"


def test_cycles_are_counted_in_whole_numbers() -> None:
    with pytest.raises(DramError, match=r"timing\.nRP counts cycles and must be whole, got 2\.5"):
        load_standard("gddr6_aim", timing={"nRP": 2.5})


def test_a_standard_without_refresh_keeps_the_rest() -> None:
    assert load_standard("pim_gpt").without_refresh() == load_standard("pim_gpt", refresh=False)


def test_every_timing_parameter_has_a_grade() -> None:
    for name in STANDARDS:
        assert {entry["grade"] for entry in timing_provenance(name).values()} <= {"S", "M", "A", "C"}


def test_every_column_command_names_commands_that_open_and_close_its_banks() -> None:
    for name in STANDARDS:
        commands = load_standard(name).commands
        columns = [c for c in commands.values() if c.kind == "column"]
        for column in columns:
            activate, precharge = commands[str(column.activate)], commands[str(column.precharge)]
            assert (activate.kind, activate.scope) == ("activate", column.scope)
            assert (precharge.kind, precharge.scope) == ("precharge", column.scope)


def test_a_bank_lies_in_one_node_of_each_level() -> None:
    aim = load_standard("gddr6_aim")
    assert aim.banks_below(aim.commands["MAC16"].scope) == 16
    assert aim.banks_below(aim.commands["ACT4"].scope) == 4
    assert [aim.node("channel", bank) for bank in (0, 15)] == [0, 0]
    assert [aim.node("bankgroup", bank) for bank in (0, 3, 4, 15)] == [0, 0, 1, 3]


def test_a_constraint_of_a_bank_spares_commands_on_all_banks() -> None:
    aim = load_standard("gddr6_aim")
    within = Constraint(level="bank", preceding="ACT", following="RD", latency=36)
    assert aim.shares_node(within)
    assert not aim.shares_node(replace(within, preceding="ACT16"))
    assert aim.shares_node(replace(within, preceding="ACT16", level="channel"))


def test_a_refresh_interval_in_which_no_row_can_be_used_is_refused_not_played_forever() -> None:
    with pytest.raises(DramError, match="refresh every 266 cycles leaves no time for work"):
        load_standard("gddr6_aim", timing={"nREFI": 266})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": {"bankgrp": 4}}, "no level 'bankgrp'; there are channel, bankgroup, bank"),
        ({"levels": {"bank": 0}}, "bank count must be at least 1, got 0"),
        ({"rows": 0}, "rows must be at least 1"),
        ({"clock_hz": 0}, "clock_hz must be positive, got 0"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DramError, match=message):
        load_standard("gddr6_aim", **changes)


@pytest.mark.parametrize("text", ["nCL +", "True"])
def test_a_latency_that_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(DramError, match="latency"):
        evaluate(text, {"nCL": 1})
