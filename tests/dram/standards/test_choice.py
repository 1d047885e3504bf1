"""`hwsim dram`: bins, devices, clocks, ranks and refresh from the command line, and the list of what there is."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError
from hwsim.replay.memory_choice import parse_clock

DOCS = Path(__file__).parents[3] / "docs" / "standards.md"


def test_the_list_names_every_standard_with_its_bins_and_devices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", "list"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines() if line[0] != " "] == list(STANDARDS)
    assert (
        "lpddr5       LPDDR5, a channel of 16 bit; 800 MHz, 12.8 GB/s at the pins, 2,048 MiB a channel\n"
        "             bins     5500 [6400] 8533\n"
        "             devices  2Gb_x16 4Gb_x16 8Gb_x16 [16Gb_x16] 32Gb_x16\n"
        "             refresh  off [all_bank] per_bank\n"
        "             ranks    1 or more\n"
    ) in text


def test_the_documentation_shows_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", "list"]) == 0
    assert capsys.readouterr().out in DOCS.read_text(encoding="utf-8")


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", "list", "--json", "-"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)["standards"]}
    assert list(entries) == list(STANDARDS)
    assert entries["hbm2e"] == {
        "name": "hbm2e", "summary": "HBM2E, a pseudo channel of 64 bit", "bin": "3200",
        "bins": ["3200", "3600", "3800"],
        "device": "16GB", "devices": ["8GB", "16GB"], "refresh": ["all_bank", "per_bank"], "ranks": False,
        "clock_hz": 1.6e9, "pin_bytes_per_s": 25.6e9, "bytes": 1 << 30,
    }  # fmt: skip


def test_a_bin_a_device_and_a_clock_are_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--bin", "5600BN", "--device", "32Gb_x16", "--clock", "2.5GHz", "--refresh", "off"]
    assert main(["dram", "ddr5", *chosen, "--requests", "100", "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    kept = ("bin", "device", "ranks", "refresh", "refresh_mode", "clock_hz")
    assert [report[key] for key in kept] == ["5600BN", "32Gb_x16", 1, False, "off", 2.5e9]
    assert (report["timing"]["nRCD"], report["timing"]["nFAW"]) == (41, 40)


def test_what_is_not_chosen_is_what_the_standard_usually_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", "lpddr4", "--requests", "100"]) == 0
    assert capsys.readouterr().out.startswith("lpddr4 (3200, 8Gb_x16): stream, 100 requests on 1 channel")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ddr5", ["--ranks", "2"]),
        ("lpddr4", []),
        ("lpddr5", ["--ranks", "2"]),
        ("gddr6", []),
        ("hbm3", ["--device", "16GB_8hi"]),
    ],
)
def test_single_banks_are_refreshed_in_turns_in_every_rank(
    name: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    played = ["--pattern", "random", "--refresh", "per_bank", "--requests", "3000", "--commands", str(log)]
    assert main(["dram", name, *options, *played, "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["refresh_mode"], report["ranks"]) == ("per_bank", 2 if options else 1)
    assert main(["check", str(log), name, *options]) == 0
    refresh = load_standard(name, refresh="per_bank").refresh
    assert refresh is not None
    # every bank of every rank once an interval; one or two of each rank may still wait in the end
    due = report["cycles"] * refresh.turns * report["ranks"] / refresh.interval
    assert due - 2 * report["ranks"] <= report["commands"][refresh.command] <= due


def test_a_log_is_checked_as_the_memory_that_wrote_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    assert main(["dram", "ddr5", "--bin", "3200AN", "--requests", "500", "--commands", str(log), "--quiet"]) == 0
    assert main(["check", str(log), "ddr5", "--bin", "3200AN"]) == 0
    assert main(["check", str(log), "ddr5", "--bin", "6400AN"]) == 1
    assert "not legal by ddr5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "hz"),
    [
        ("1.2GHz", 1_200_000_000),
        ("1600 MHz", 1_600_000_000),
        ("32e8", 3_200_000_000),
        ("3200000000/3", Fraction(32 * 10**8, 3)),
    ],
)
def test_clocks_are_read(text: str, hz: int | Fraction) -> None:
    assert parse_clock(text) == hz


@pytest.mark.parametrize("text", ["0", "-1GHz", "101GHz", "fast", "", "1THz", "nan", "1/0", "1e999"])
def test_clocks_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(DramError, match=r"^--clock: expected a clock "):
        parse_clock(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ddr5", "--bin", "4800"], "standard ddr5: no bin '4800'; nearest: "),
        (["ddr5", "--device", "x8"], "standard ddr5: no device 'x8'; "),
        (["gddr6", "--bin", "12"], "standard gddr6: there are no bins to choose from, got '12'"),
        (["ddr5", "--clock", "0"], "--clock: expected a clock above 0 and up to 100 GHz, got '0'"),
        (["ddr5", "--ranks", "0"], "--ranks: expected at least 1, got 0"),
        (["hbm2", "--ranks", "2"], "--ranks: standard hbm2 has no ranks"),
        (["ddr4", "--refresh", "per_bank"], "standard ddr4: no refresh 'per_bank'; nearest: all_bank"),
        (
            ["ddr4", "--no-refresh", "--refresh", "all_bank"],
            "--no-refresh and --refresh all_bank contradict each other",
        ),
        (["list", "--channels", "2"], "--channels: `hwsim dram list` takes only --json and --quiet"),
        (["ddr5", "--set", "timing.nCWL=nCWL"], "timing goes round in a circle: nCWL -> nCWL"),
    ],
)
def test_a_wrong_choice_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dram", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
