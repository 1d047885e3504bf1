"""Standards from a user's files: played as shipped ones are, and every mistake one line that names file and field."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwsim.cli import main
from hwsim.data_file import read_data, read_text
from hwsim.dram.standards.check import check_document
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError

DDR5: dict[str, Any] = read_data("hwsim.dram", "standards/ddr5.yaml")
GDDR6: dict[str, Any] = read_data("hwsim.dram", "standards/gddr6.yaml")


def written(folder: Path, document: dict[str, Any], table: str | None = None) -> str:
    """The path of a user's standard in a folder, with its table beside it."""
    text = read_text("hwsim.dram", f"standards/{document['constraints']}") if table is None else table
    (folder / document["constraints"]).write_text(text)
    (folder / "mine.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return str(folder / "mine.yaml")


@pytest.mark.parametrize("name", STANDARDS)
def test_every_shipped_file_passes_the_check(name: str) -> None:
    check_document(read_data("hwsim.dram", f"standards/{name}.yaml"), origin=name)


def test_a_copy_of_a_shipped_standard_is_that_standard(tmp_path: Path) -> None:
    mine, shipped = (load_standard(name, bin="5600BN") for name in (written(tmp_path, DDR5), "ddr5"))
    assert (mine.params, mine.constraints, mine.levels) == (shipped.params, shipped.constraints, shipped.levels)
    assert mine.name == str(tmp_path / "mine.yaml")


def test_a_users_standard_is_played_and_its_log_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = copy.deepcopy(GDDR6)
    document["timing"]["nRCDRD"] = {"value": 31, "grade": "A"}
    path, log = written(tmp_path, document), tmp_path / "log.csv"
    assert main(["dram", path, "--requests", "500", "--commands", str(log)]) == 0
    assert "unconfirmed (remembered or assumed): timing.nRCDRD, timing.nRTW" in capsys.readouterr().out
    assert main(["check", str(log), path]) == 0
    assert main(["check", str(log), "gddr6", "--set", "timing.nRCDRD=32"]) == 1


def test_a_users_preset_names_a_shipped_standard(tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text("name: slow\npreset: {standard: ddr5, bin: 3200C}\n")
    assert load_standard(str(file)).params["nCL"] == 28
    assert load_standard(str(file), device="8Gb_x16").banks == 8
    file.write_text("name: slow\npreset: {standard: ddr4_2133}\n")
    with pytest.raises(DramError, match=r"slow.yaml: preset.standard: ddr4_2133 is a preset itself"):
        load_standard(str(file))


def changed(document: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A document with one field replaced, or taken away by None; a dot leads into a group."""
    document = copy.deepcopy(document)
    *groups, field = place.split("/")
    inner = document
    for group in groups:
        inner = inner[group]
    if value is None:
        del inner[field]
    else:
        inner[field] = value
    return document


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("levels", None, "mine.yaml: levels: this field is required"),
        ("colums", 3, "mine.yaml: colums: extra inputs are not permitted, got 3"),
        ("columns", 0, "mine.yaml: columns: input should be greater than or equal to 1, got 0"),
        ("rows", "many", "mine.yaml: rows: input should be a valid integer, got 'many'"),
        ("levels/bank", 2.5, "mine.yaml: levels.bank: input should be a valid integer"),
        ("levels", {"bank": 4, "channel": 1}, "levels: expected some of channel, rank, bankgroup, bank in this order"),
        ("levels/channel", 2, "levels.channel: a standard is one channel, got 2"),
        ("clock_hz", 0, "mine.yaml: clock_hz: expected a clock in Hz above 0"),
        ("clock_hz", "fast", "mine.yaml: clock_hz: expected a clock in Hz above 0"),
        ("clock_hz", None, "clock_hz: this field is required, in the file or in each of its bins or devices"),
        ("timing/RCD", 3, "timing: 'RCD' is neither tNAME_ns (nanoseconds) nor nNAME (cycles)"),
        ("timing/nRP", 24, "timing.nRP: needs a grade (S, R, C, M or A), its own or one of the group around it"),
        ("timing/nRP", {"value": 24, "grade": "Z"}, "timing.nRP.grade: input should be 'S', 'R', 'C', 'M' or 'A'"),
        ("timing/nRP", {"value": [3], "grade": "S"}, "mine.yaml: timing.nRP.value: expected a number or an expression"),
        ("timing/nRP", None, "bank_groups.csv: line 13: latency 'nRP': no parameter 'nRP'; nearest: nRTP, nWR, nRTW"),
        ("timing/nRP", {"value": -3, "grade": "S"}, "mine.yaml: timing.nRP must be a number from 0 to 1e9, got -3"),
        ("commands/RD/scope", "rank", "commands.RD.scope: no level 'rank'; there are channel, bankgroup, bank"),
        ("commands/RD/activate", "ATC", "commands.RD.activate: no command 'ATC'; nearest: ACT"),
        ("commands/RD/activate", "PRE", "commands.RD.activate: PRE is of kind precharge, expected activate"),
        ("commands/RD/precharge", "PREA", "commands.RD.precharge: PREA has scope channel, not bank"),
        ("commands/RD/duration", "nCLL", "commands.RD.duration: latency 'nCLL': no parameter 'nCLL'; nearest: nCL"),
        ("commands/RD", None, "commands: needs RD, a column command of one bank with access: read"),
        ("refresh/all_bank/command", "REF", "refresh.all_bank.command: no command 'REF'; nearest: "),
        ("refresh/all_bank/interval", "nRFI", "refresh.all_bank.interval: latency 'nRFI': no parameter 'nRFI'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_one_line(place: str, value: Any, message: str, tmp_path: Path) -> None:
    document = changed(GDDR6, place, value)
    path = written(tmp_path, document)
    with pytest.raises(DramError) as error:
        load_standard(path)
    assert message in str(error.value)
    assert "mine.yaml" in str(error.value) or "bank_groups.csv" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("default/bin", "4800B", "default.bin: no bin '4800B'; nearest: 4800BN"),
        ("default", {}, "default.bin: this field is required where there are bins"),
        ("bins/4800BN/speed", 4800, "bins.4800BN.speed: no speed 4800; there are none"),
        ("devices/8Gb_x8/page", "1K", "devices.8Gb_x8.page: no page '1K'; there are none"),
        ("devices/8Gb_x8/levels", {"stack": 2}, "devices.8Gb_x8.levels: no level 'stack'; there are channel, rank, "),
        ("devices/8Gb_x8/rows", None, "rows: this field is required, in the file or in each of its bins or devices"),
        (
            "bins/3200C/clock_hz",
            None,
            "clock_hz: this field is required, in the file or in each of its bins or devices",
        ),
        ("timing/nCWL/value", "nCWL - 2", "timing goes round in a circle: nCWL -> nCWL"),
    ],
)
def test_bins_and_devices_that_do_not_fit_are_one_line(place: str, value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DramError, match=r"mine\.yaml: ") as error:
        load_standard(written(tmp_path, changed(DDR5, place, value)))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("level,preceding,following\n", "line 1: needs a column latency; found level, preceding, following"),
        ("", "line 1: needs a column level; found nothing"),
        ("level,preceding,following,latency,wait\n", "line 1: no column 'wait'; there are level, preceding, "),
        ("level,preceding,following,latency\nbank,ACT,RD\n", "line 2: expected as many cells as the first line"),
        ("level,preceding,following,latency\nbank,ACT,RD,nRCD\n", "line 2: latency 'nRCD': no parameter 'nRCD'"),
        ("level,preceding,following,latency\nbank,ATC,RD,nRP\n", "line 2: no command 'ATC'; nearest: ACT"),
        ("level,preceding,following,latency\nrank,ACT,RD,nRP\n", "line 2: no level 'rank'; there are channel, "),
        ("level,preceding,following,latency,window\nbank,ACT,RD,nRP,x\n", "line 2: window must be a whole number"),
    ],
)
def test_a_wrong_table_names_file_and_line(table: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DramError, match=r"bank_groups\.csv: line ") as error:
        load_standard(written(tmp_path, GDDR6, table))
    assert message in str(error.value)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DramError, match=r"none\.yaml: no such file"):
        load_standard(str(tmp_path / "none.yaml"))
    path = written(tmp_path, GDDR6)
    (tmp_path / "bank_groups.csv").unlink()
    with pytest.raises(DramError, match=r"mine\.yaml: constraints: bank_groups\.csv beside it cannot be read: No such"):
        load_standard(path)
