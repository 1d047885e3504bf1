"""Energy of plays: by hand, and by a small account of its own that reads the log."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import hwsim.dram.currents
from hwsim.cli import main
from hwsim.dram.currents.sourced import SOURCED, find_currents
from hwsim.dram.standards.document import read_document
from hwsim.dram.standards.load import load_standard
from hwsim.errors import EnergyError

FOLDER = Path(hwsim.dram.currents.__file__).parent


def play(tmp_path: Path, *arguments: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The report, and the log as rows."""
    out, log = tmp_path / "out.json", tmp_path / "log.csv"
    assert main(["dram", *arguments, "--energy", "--json", str(out), "--commands", str(log), "--quiet"]) == 0
    with log.open() as file:
        return json.loads(out.read_text()), list(csv.DictReader(file))


def test_one_read_of_ddr4_by_hand(tmp_path: Path) -> None:
    report, _ = play(tmp_path, "ddr4", "--requests", "1", "--no-refresh")
    # ACT at 0, RD at 16, data through at 36: 30 ns, all with a row open; tRAS 32.5 ns, tRP 13.333 ns; eight chips
    assert report["cycles"] == 36
    parts = {name: joules * 1e12 for name, joules in report["energy"]["parts_j"].items() if joules}
    assert parts == pytest.approx(
        {
            "activate_precharge": 3352,  # 8 x 1.2 V (48 mA x 45.833 ns - 43 mA x 32.5 ns - 34 mA x 13.333 ns); VPP: 0
            "read": 2944,  # 8 x 1.2 V (135 mA - 43 mA) 3.333 ns
            "active_standby": 14184,  # 8 x (1.2 V 43 mA + 2.5 V 3 mA) 30 ns
        }
    )
    assert report["energy"]["pj_per_bit"] == pytest.approx(40)  # 20,480 pJ for 512 bits
    assert report["energy"]["average_w"] == pytest.approx(20480e-12 / 30e-9)


def test_the_pins_of_lpddr4_by_hand(tmp_path: Path) -> None:
    report, _ = play(tmp_path, "lpddr4", "--requests", "3", "--no-refresh")
    parts = report["energy"]["parts_j"]
    # three bursts of 5 ns: VDDQ 1.1 V (150 - 0.75) mA; VDD1 1.8 V x 0 and VDD2 1.1 V (275 - 30) mA
    assert parts["io"] * 1e12 == pytest.approx(2462.625)
    assert parts["read"] * 1e12 == pytest.approx(4042.5)


def test_a_refresh_of_some_banks_by_hand(tmp_path: Path) -> None:
    wanted = ("--pattern", "stream", "--requests", "3000", "--refresh", "per_bank")
    ddr5, _ = play(tmp_path, "ddr5", *wanted)
    # four chips: VDD 1.1 V (135 - 92) mA over tRFCsb; VPP has the share of 8 of 32 banks in 1.8 V (28 - 7) mA over
    # tRFC, which is 706 cycles at 2.4 GHz
    each = 4 * (1.1 * 43 * 130 + 1.8 * 21 * 706 / 2.4 * 8 / 32)
    assert ddr5["energy"]["parts_j"]["refresh_fine"] * 1e12 == pytest.approx(ddr5["commands"]["REFsb"] * each)
    lpddr4, _ = play(tmp_path, "lpddr4", *wanted)
    # one every tREFI / 8, which is 488.05 ns: VDD1 1.8 V (2.5 - 2) mA, VDD2 1.1 V (30 - 27) mA
    each = (1.8 * 0.5 + 1.1 * 3) * load_standard("lpddr4").params["nREFI"] * 0.625 / 8
    assert lpddr4["energy"]["parts_j"]["refresh_fine"] * 1e12 == pytest.approx(lpddr4["commands"]["REFpb"] * each)
    assert lpddr4["energy"]["parts_j"]["refresh_all_bank"] == 0


CASES = [
    ("ddr4", "--ranks", "2", "--channels", "2"),
    ("ddr4", "--bin", "3200AA", "--device", "8Gb_x16", "--set", "row_policy=closed"),
    ("ddr5", "--set", "row_policy=closed_adaptive"),
    ("ddr5",),
    ("lpddr4",),
    ("gddr6", "--set", "row_policy=closed", "--rate", "1/40"),
    ("hbm2", "--channels", "2"),
]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
@pytest.mark.parametrize("pattern", ["stream", "random"])
def test_the_log_accounts_for_the_energy(tmp_path: Path, case: tuple[str, ...], pattern: str) -> None:
    requests = ("--pattern", pattern, "--requests", "2500", "--read-share", "0.6")
    report, log = play(tmp_path, *case, *requests)
    found, expected = report["energy"]["parts_j"], account(report, log)
    assert {part: joules for part, joules in found.items() if joules} == pytest.approx(
        {part: joules for part, joules in expected.items() if joules}, rel=1e-9
    )


def account(report: dict[str, Any], log: list[dict[str, str]]) -> dict[str, float]:
    """The energy of a play with refreshes of all banks, command by command and cycle by cycle."""
    name = report["standard"]
    document = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    device, speed = report["device"] or "all", "".join(c for c in report["bin"] or "all" if c.isdigit()) or "all"
    entry = document["devices"][device]
    supplies, rho, pins = entry["speeds"][speed]["supplies"], document["standby_rho"]["value"], document.get("pins")
    t, ns = report["timing"], 1e9 / report["clock_hz"]
    standard = load_standard(name, bin=report["bin"], device=report["device"])
    banks = standard.banks // standard.ranks
    windows, end = open_windows(log, t, banks)
    end = max(end, report["cycles"])
    nodes = report["channels"] * report["ranks"]
    open_any = sum(len(set().union(*(range(a, b) for a, b in each))) for each in windows.values())
    parts = dict.fromkeys(
        ("activate_precharge", "read", "write", "io", "refresh_all_bank", "active_standby", "precharge_standby"), 0.0
    )
    closed_rows = sum(b - a for each in windows.values() for a, b in each)
    for supply, i in supplies.items():
        v = i["volts"] * 1e-12 * entry["chips"]
        first = i["idd2n"] + (i["idd3n"] - i["idd2n"]) * (rho + (1 - rho) / banks)  # with one row open
        for row in log:
            command = row["command"]
            if command == "ACT":
                parts["activate_precharge"] += (
                    v * ns * (i["idd0"] * (t["nRAS"] + t["nRP"]) - first * t["nRAS"] - i["idd2n"] * t["nRP"])
                )
            elif command in ("RD", "RDA"):
                parts["io" if supply == pins else "read"] += v * ns * t["nBL"] * (i["idd4r"] - i["idd3n"])
            elif command in ("WR", "WRA"):
                parts["io" if supply == pins else "write"] += v * ns * t["nBL"] * (i["idd4w"] - i["idd3n"])
            elif command == "REFab":
                parts["refresh_all_bank"] += v * ns * t["nRFC"] * (i["idd5b"] - i["idd2n"])
        standby = (i["idd2n"] + rho * (i["idd3n"] - i["idd2n"])) * open_any
        parts["active_standby"] += v * ns * (standby + (1 - rho) * (i["idd3n"] - i["idd2n"]) * closed_rows / banks)
        parts["precharge_standby"] += v * ns * i["idd2n"] * (nodes * end - open_any)
    return parts


def open_windows(
    log: list[dict[str, str]], t: dict[str, int], banks: int
) -> tuple[dict[tuple[int, int], list[tuple[int, int]]], int]:
    """By channel and rank, from when to when each row was open; and the last cycle that matters."""
    opened: dict[tuple[int, int], int] = {}
    windows: dict[tuple[int, int], list[tuple[int, int]]] = {}
    last = max(int(row["cycle"]) for row in log) + 1

    def close(channel: int, bank: int, at: int) -> None:
        since = opened.pop((channel, bank), None)
        if since is not None:
            windows.setdefault((channel, bank // banks), []).append((since, max(at, since + t["nRAS"])))

    for row in log:
        cycle, channel, bank = int(row["cycle"]), int(row["channel"]), int(row["bank"])
        match row["command"]:
            case "ACT":
                opened[channel, bank] = cycle
            case "PRE":
                close(channel, bank, cycle)
            case "PREA":
                for each in range(max(bank, 0) // banks * banks, max(bank, 0) // banks * banks + banks):
                    close(channel, each, cycle)
            case "RDA":
                close(channel, bank, cycle + t["nRTP"])
            case "WRA":
                close(channel, bank, cycle + t["nCWL"] + t["nBL"] + t["nWR"] + t.get("nDQSS", 0))
    finish = max(
        int(row["cycle"])
        + (t["nCL"] + t.get("nDQSCK", 0) if row["command"][0] == "R" else t["nCWL"] + t.get("nDQSS", 0))
        + t["nBL"]
        for row in log
        if row["command"] in ("RD", "RDA", "WR", "WRA")
    )
    end = max([last, finish, *(b for each in windows.values() for _, b in each)])
    for channel, bank in list(opened):
        since = opened.pop((channel, bank))
        windows.setdefault((channel, bank // banks), []).append((since, end))
    return windows, end


@pytest.mark.parametrize("name", SOURCED)
def test_each_row_of_the_tables_gives_powers_above_0(name: str) -> None:
    from hwsim.dram.currents.energy import PlayCounts, play_energy

    one = PlayCounts(
        activates=1, reads=1, writes=1, refreshes_all=1, refreshes_fine=0, rank_ns=2, open_ns=1, open_bank_ns=1
    )
    _, document = read_document(name)
    played = 0
    for device in document.get("devices") or [None]:
        for bin in document.get("bins") or [None]:
            try:
                currents = find_currents(name, bin=bin, device=device)
            except EnergyError:
                continue
            energy = play_energy(one, load_standard(name, bin=bin, device=device), currents, seconds=1.0)
            assert all(joules > 0 for part, joules in energy.joules.items() if part != "refresh_fine")
            played += 1
    assert played == {"ddr4": 126, "ddr5": 2, "lpddr4": 1, "gddr6": 1, "hbm2": 1}[name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hbm3"], "no sourced currents for hbm3; there are some for ddr4, ddr5, gddr6, hbm2, lpddr4"),
        (["lpddr5"], "no sourced currents for lpddr5; there are some for ddr4, ddr5, gddr6, hbm2, lpddr4"),
        (["ddr4", "--device", "16Gb_x4"], "no sourced currents for ddr4 16Gb_x4; of ddr4 there are devices 4Gb_x4"),
        (
            ["ddr5", "--bin", "6400AN"],
            "no sourced currents for ddr5 16Gb_x8 6400; of ddr5 16Gb_x8 there are speeds 4800",
        ),
        (["ddr4", "--clock", "1GHz"], "the currents of ddr4 hold at its own clock, not with --clock 1GHz"),
    ],
)
def test_what_no_source_states_is_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main(["dram", *arguments, "--energy", "--json", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hwsim: error: --energy: {message}")
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_preset_has_the_currents_of_its_standard(tmp_path: Path) -> None:
    assert find_currents("ddr4_2133").source.startswith("DRAMsim3 DDR4_8Gb_x8_2133")
    assert find_currents("ddr4_zcu102") == find_currents("ddr4", bin="2133P", device="4Gb_x8")


def test_settings_of_timing_do_not_change_what_an_activate_costs(tmp_path: Path) -> None:
    usual, _ = play(tmp_path, "ddr4", "--requests", "1", "--no-refresh")
    slow, _ = play(tmp_path, "ddr4", "--requests", "1", "--no-refresh", "--set", "timing.tRAS_ns=60")
    assert usual["energy"]["parts_j"] == slow["energy"]["parts_j"]


def test_the_report_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", "ddr4", "--requests", "1", "--no-refresh", "--energy"]) == 0
    assert capsys.readouterr().out.split("\n")[7:13] == [
        "energy     0.020 uJ, 40.00 pJ/bit, 682.7 mW on average",
        "           active standby                  0.014 uJ   69.3%",
        "           activate and precharge          0.003 uJ   16.4%",
        "           read                            0.003 uJ   14.4%",
        "           VDD, VPP of 8 chips a rank, currents of DRAMsim3 DDR4_8Gb_x8_2400; VPP of gem5 DDR4_2400 (grade S)",
        "unconfirmed (remembered or assumed): read_queue, write_queue, write_high, write_low, most_writes_a_drain, "
        "least_reads_between, bypass_cap, row_policy, row_cap",
    ]
