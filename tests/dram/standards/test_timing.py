"""Timing parameters: speed bins, other clocks, rounding, expressions, and messages for wrong ones."""

import re
from fractions import Fraction
from typing import Any

import pytest

from hwsim.dram.standards.document import read_document
from hwsim.dram.standards.expressions import evaluate
from hwsim.dram.standards.load import STANDARDS, load_standard, timing_provenance
from hwsim.dram.standards.timing import Rounding, merge_timing, timing_in_cycles
from hwsim.dram.standards.timing_names import timing_meanings
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


def choices(name: str) -> list[dict[str, Any]]:
    """Each bin of a standard with its usual device, and each device with its usual bin."""
    _, document = read_document(name)
    bins = [{"bin": bin} for bin in document.get("bins", ())]
    return [{}, *bins, *({"device": device} for device in document.get("devices", ()))]


def test_every_value_of_every_bin_and_device_has_grade_and_source() -> None:
    for name in ("ddr4", "ddr5", "lpddr4", "lpddr5", "hbm2e", "hbm3", "gddr6", "hbm2", "hbm2_u55c"):
        for choice in choices(name):
            for entry in timing_provenance(name, **choice).values():
                assert entry["grade"] in ("S", "C", "M", "A")
                assert entry["source"]


def test_every_bin_and_device_of_every_standard_loads_in_every_refresh_mode() -> None:
    loaded = 0
    for name in STANDARDS:
        _, document = read_document(name)
        for choice in choices(name):
            for mode in (False, *document["refresh"]):
                if mode and choice.get("bin") == "simulator":
                    continue  # its refresh has no timing, and is refused
                loaded += bool(load_standard(name, **choice, refresh=mode).constraints)
    assert loaded == 413


def test_times_of_lpddr4_are_the_cycles_of_its_source_at_every_data_rate() -> None:
    """DRAMSys's JEDEC memspecs: RCD, RPab, RAS, RRD, FAW, WR, WTR, RTP, DQSCK."""
    names = ("nRCD", "nRPab", "nRAS", "nRRD", "nFAW", "nWR", "nWTR", "nRTP", "nDQSCK")
    found = {}
    for bin in ("1600", "2133", "2666", "3200", "3733", "4266"):
        params = load_standard("lpddr4", bin=bin).params
        found[bin] = tuple(params[name] for name in names)
    assert found == {
        "1600": (15, 17, 34, 8, 32, 15, 8, 8, 2),
        "2133": (20, 23, 45, 11, 43, 20, 11, 8, 2),
        "2666": (24, 28, 56, 14, 54, 24, 14, 10, 2),
        "3200": (29, 34, 68, 16, 64, 29, 16, 12, 3),
        "3733": (34, 40, 79, 19, 75, 34, 19, 14, 3),
        "4266": (39, 45, 90, 22, 86, 39, 22, 16, 4),
    }


def test_bins_of_ddr5_are_the_cycles_that_their_sources_state() -> None:
    _, document = read_document("ddr5")
    found = {}
    for bin in document["bins"]:
        params = load_standard("ddr5", bin=bin).params
        found[bin] = tuple(params[name] for name in ("nCL", "nRCD", "nRP", "nCWL", "nRAS"))
    assert found == {
        "3200AN": (24, 24, 24, 22, 52), "3200BN": (26, 26, 26, 24, 52), "3200C": (28, 28, 28, 26, 52),
        "4400AN": (32, 32, 32, 30, 71), "4800AN": (34, 34, 34, 32, 77), "4800BN": (40, 40, 40, 38, 77),
        "5600AN": (40, 40, 40, 38, 90), "5600BN": (46, 46, 46, 44, 90), "6400AN": (46, 46, 46, 44, 103),
        "7200AN": (52, 52, 52, 50, 115),
    }  # fmt: skip


def test_refresh_modes_cover_every_bank_in_turns() -> None:
    turns = {}
    for name in ("ddr5", "lpddr4", "lpddr5", "gddr6", "hbm2", "hbm2_u55c", "hbm2e", "hbm3"):
        standard = load_standard(name, refresh="per_bank")
        assert standard.refresh is not None
        turns[name] = (standard.refresh.command, standard.refresh.turns, len(standard.refresh_targets(0)))
        covered = {bank for turn in range(standard.refresh.turns) for bank in standard.refresh_targets(turn)}
        assert covered == set(range(standard.banks))
    assert turns == {
        "ddr5": ("REFsb", 4, 8), "lpddr4": ("REFpb", 8, 1), "lpddr5": ("REFpb", 8, 2), "gddr6": ("REFpb", 16, 1),
        "hbm2": ("REFpb", 16, 1), "hbm2_u55c": ("REFpb", 16, 1), "hbm2e": ("REFpb", 16, 1), "hbm3": ("REFpb", 16, 1),
    }  # fmt: skip


def test_every_timing_parameter_has_a_meaning() -> None:
    for name in STANDARDS:
        assert all(meaning.description for meaning in timing_meanings(name).values())


def test_the_memory_of_a_zcu102_is_as_its_controller_is_set() -> None:
    memory, p = load_standard("ddr4_zcu102"), load_standard("ddr4_zcu102").params
    assert (memory.clock_hz, p["nCL"], p["nRCD"], p["nRP"], p["nCWL"]) == (1_066_560_000, 15, 15, 15, 14)
    assert (p["nRAS"], p["nFAW"], p["nRFC"]) == (36, 32, 278)  # 33, 30 and 260 ns
    assert memory.banks * memory.rows * memory.columns * memory.column_bytes == 4 << 30


def test_the_memory_of_an_alveo_u55c_is_hbm2_at_1800_mbit_a_pin() -> None:
    memory, p = load_standard("hbm2_u55c"), load_standard("hbm2_u55c").params
    assert 32 * memory.banks * memory.rows * memory.columns * memory.column_bytes == 16 << 30
    assert memory.columns * memory.column_bytes == 1024
    assert float(32 * memory.column_bytes * memory.clock_hz / p["nBL"]) == 460.8e9  # AMD states 460 GB/s
    found = [p[name] for name in ("nCL", "nRCDRD", "nRCDWR", "nRP", "nRAS", "nWR", "nCWL", "nFAW", "nRFC", "nREFI")]
    assert found == [13, 13, 11, 13, 31, 15, 5, 14, 234, 3510]  # 14, 14, 12, 14, 34, 16, 5, 15, 260 and 3,900 ns
