"""Timing parameters: speed bins, other clocks, rounding, expressions, and messages for wrong ones."""

import re
from fractions import Fraction
from typing import Any

import pytest

from hwsim.dram.standards.expressions import evaluate
from hwsim.dram.standards.load import load_standard, timing_provenance
from hwsim.dram.standards.timing import Rounding, merge_timing, timing_in_cycles
from hwsim.errors import DramError


def in_cycles(clock_hz: int = 10**9, rounding: Rounding | None = None, **values: Any) -> dict[str, int]:
    return timing_in_cycles("made", values, Fraction(clock_hz), rounding or Rounding())


def test_a_bin_gives_latencies_clock_and_what_depends_on_the_data_rate() -> None:
    found = {}
    for name in ("1600K", "2400R", "3200AA"):
        s = load_standard("ddr4", bin=name)
        found[name] = (int(s.clock_hz), *(s.params[n] for n in ("nCL", "nRCD", "nRP", "nRAS", "nCCDL", "nFAW")))
    assert found == {
        "1600K": (800_000_000, 11, 11, 11, 28, 5, 20),
        "2400R": (1_200_000_000, 16, 16, 16, 39, 6, 26),
        "3200AA": (1_600_000_000, 22, 22, 22, 52, 8, 34),
    }


def test_a_device_gives_rows_bank_groups_and_what_depends_on_density_and_width() -> None:
    found = {}
    for name in ("8Gb_x4", "8Gb_x8", "16Gb_x16"):
        s = load_standard("ddr4", device=name)
        found[name] = (s.banks, s.rows, *(s.params[n] for n in ("nRRDS", "nRRDL", "nFAW", "nRFC")))
    assert found == {
        "8Gb_x4": (16, 131072, 4, 6, 16, 420),
        "8Gb_x8": (16, 65536, 4, 6, 26, 420),
        "16Gb_x16": (8, 131072, 7, 8, 36, 660),
    }


def test_a_preset_is_another_name_for_a_bin_and_a_device() -> None:
    preset, named = load_standard("ddr4_2133"), load_standard("ddr4", bin="2133P", device="8Gb_x8")
    assert (preset.params, preset.constraints, preset.levels) == (named.params, named.constraints, named.levels)
    assert (preset.name, named.name) == ("ddr4_2133", "ddr4")


def test_another_clock_keeps_times_and_recounts_cycles() -> None:
    slow = load_standard("ddr4", bin="3200AA", clock_hz=800_000_000)
    assert [slow.params[n] for n in ("nRCD", "nRAS", "nRRDS", "nRFC")] == [11, 26, 4, 280]
    assert [slow.params[n] for n in ("nBL", "nCWL", "nCCDS")] == [4, 16, 4]  # cycles stay cycles


def test_a_clock_rounded_to_picoseconds_costs_no_cycle() -> None:
    """15 ns are 18 cycles of 1.2 GHz, and 18.007 of 0.833 ns."""
    exact, rounded = (load_standard("ddr4", clock_hz=c) for c in (1_200_000_000, Fraction(10**12, 833)))
    assert exact.params["nWR"] == rounded.params["nWR"] == 18
    assert in_cycles(tWR_ns=15.024) == {"nWR": 16}
    assert in_cycles(rounding=Rounding(clocks=Fraction("0.025")), tWR_ns=15.024, tRC_ns=15.03) == {"nWR": 15, "nRC": 16}
    assert in_cycles(rounding=Rounding(share=Fraction("0.003")), tWR_ns=15.04, tRC_ns=15.05) == {"nWR": 15, "nRC": 16}


def test_a_parameter_may_be_replaced_in_cycles_or_in_nanoseconds() -> None:
    usual = load_standard("ddr4")
    changed = load_standard("ddr4", timing={"nRCD": 20, "tFAW_ns": 30})
    assert (usual.params["nRCD"], usual.params["nFAW"]) == (16, 26)
    assert (changed.params["nRCD"], changed.params["nFAW"]) == (20, 36)
    assert list(changed.params) == list(usual.params)
    with pytest.raises(DramError, match="standard ddr4: no timing parameter 'tRDC_ns'; nearest: "):
        load_standard("ddr4", timing={"tRDC_ns": 3})
    assert merge_timing("made", {"tA_ns": 3, "nB": 1}, {"nA": 2}) == {"nA": 2, "nB": 1}


def test_timing_may_be_written_in_terms_of_other_timing() -> None:
    assert in_cycles(nRC="nRAS + nRP", tRAS_ns=33, nRP="max(4, ns(2.5), min(9, nA))", nA=6) == {
        "nRC": 39, "nRAS": 33, "nRP": 6, "nA": 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nRC": "nRAS + nRPP", "nRAS": 3, "nRP": 2}, "timing.nRC: latency 'nRAS + nRPP': no parameter 'nRPP'"),
        ({"nRC": "nRAS", "nRAS": "nRC - nRP", "nRP": 2}, "timing goes round in a circle: nRC -> nRAS -> nRC"),
        ({"nRC": "nRC"}, "timing goes round in a circle: nRC -> nRC"),
        ({"nRC": "3 - 5"}, "timing.nRC must be from 0 to 1e9, got -2 for '3 - 5'"),
        ({"tRC_ns": "nRP"}, "timing.tRC_ns must be a number from 0 to 1e9, got 'nRP'"),
        ({"nRC": "ns()"}, "timing.nRC: latency 'ns()': only sums and differences of parameters"),
        ({"RC": 3}, "timing parameter 'RC' is neither tX_ns nor nX"),
    ],
)  # fmt: skip
def test_timing_that_is_missing_or_circular_is_one_clear_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DramError, match=f"^standard made: {re.escape(message)}") as error:
        in_cycles(**values)
    assert "\n" not in str(error.value)


def test_a_latency_of_the_table_has_no_nanoseconds() -> None:
    with pytest.raises(DramError, match=r"latency 'ns\(3\)': only sums and differences"):
        evaluate("ns(3)", {})


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"bin": "2400X"}, "standard ddr4: no bin '2400X'; nearest: 2400U"),
        ({"device": "8Gb"}, "standard ddr4: no device '8Gb'; nearest: 8Gb_x8"),
        ({"clock_hz": 0}, "standard ddr4: clock_hz must be positive, got 0"),
        ({"refresh": "per_bank"}, "standard ddr4: no refresh 'per_bank'; nearest: all_bank; there are all_bank"),
        ({"levels": {"rank": 0}}, "standard ddr4: rank count must be at least 1, got 0"),
    ],
)
def test_what_a_standard_has_not_is_named(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(DramError, match=re.escape(message)):
        load_standard("ddr4", **wanted)


def test_a_standard_without_bins_says_so() -> None:
    with pytest.raises(DramError, match="standard gddr6: there are no bins to choose from, got '2400R'"):
        load_standard("gddr6", bin="2400R")


def test_every_value_of_every_bin_has_grade_and_source() -> None:
    for entry in timing_provenance("ddr4", bin="2933AA", device="16Gb_x4").values():
        assert entry["grade"] == "S"
        assert entry["source"]
