"""Edge-MoE on boards: what its units take, and designs that have no room."""

import json
from pathlib import Path

import pytest

from hwsim import load_workload, run
from hwsim.cli import main
from hwsim.errors import MachineError
from hwsim.machines.find import load_machine

CAPTURE = pytest.CaptureFixture[str]


def fpga_of(capsys: CAPTURE, *arguments: str, status: int = 0) -> dict[str, object]:
    assert main(["fit", "edge_moe", "--json", "-", *arguments]) == status
    found = json.loads(capsys.readouterr().out)["fpga"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("blocks", ["published", "rtl"])
def test_the_banks_of_weights_are_the_linear_units(blocks: str, capsys: CAPTURE) -> None:
    """171 block RAMs for 2 x 576 words of 4,096 bits and 4 for biases are there once, not in the loader again."""
    found = fpga_of(capsys, "--set", f"blocks={blocks}")
    taken = {unit["unit"]: unit["all"]["bram36"] for unit in found["units"]}  # type: ignore[attr-defined]
    assert taken["linear"] == 175
    assert "weight_loader" not in taken
    assert found["included"] == {"weight_loader": "linear"}
    assert (found["board"], found["fits"], found["lacking"]) == ("zcu102", True, {})


def test_the_ports_of_the_fabric_are_named_as_what_nobody_counted(capsys: CAPTURE) -> None:
    assert fpga_of(capsys)["uncounted"] == ["axi", "sequencer"]


def test_multipliers_are_those_of_the_source(capsys: CAPTURE) -> None:
    """256 products of 32 x 16 bits in the linear unit, 128 in the gate, 32 of 32 x 32 in each unit for attention."""
    found = fpga_of(capsys)
    dsps = {unit["unit"]: unit["all"]["dsp"] for unit in found["units"]}  # type: ignore[attr-defined]
    assert dsps["linear"] == 2 * 256 + 16 * (1 + 4)  # a table's interpolation and a score for each output
    assert dsps["gate"] >= 2 * 128
    assert dsps["qk"] == 4 * 32
    assert dsps["patch_embed"] == 256


@pytest.mark.parametrize(
    ("arguments", "lacking"),
    [
        (["--board", "zcu104"], {"bram36"}),
        (["--set", "linear.out_lanes=64"], {"lut", "dsp", "bram36"}),
        (["--set", "attention.slots=16", "--set", "linear.out_lanes=32"], {"dsp"}),
    ],
)
def test_a_design_without_room_says_what_is_lacking(arguments: list[str], lacking: set[str], capsys: CAPTURE) -> None:
    found = fpga_of(capsys, *arguments, status=1)
    assert (found["fits"], set(found["lacking"])) == (False, lacking)  # type: ignore[call-overload]
    assert main(["fit", "edge_moe", *arguments, "--strict-fit"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"hwsim: error: edge_moe: does not fit {found['board']}: lacks ")
    assert all(name.upper() in error for name in lacking)
    assert error.count("\n") == 1


def test_a_run_without_room_warns_and_strictly_refuses(tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "report.json"
    arguments = ["run", "m3vit_tiny", "--machine", "edge_moe", "--set", "workload.layers=2", "--set", "board=zcu104"]
    assert main([*arguments, "--quiet", "--json", str(file)]) == 0
    assert capsys.readouterr().err.startswith("hwsim: warning: edge_moe: does not fit zcu104: lacks ")
    report = json.loads(file.read_text())
    assert (report["fpga"]["fits"], report["fpga"]["included"]) == (False, {"weight_loader": "linear"})
    assert main([*arguments, "--strict-fit"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hwsim: error: edge_moe: does not fit zcu104: lacks ")
    assert error.count("\n") == 1


def test_a_strict_run_of_the_published_design_is_not_refused() -> None:
    report = run(load_workload("m3vit_tiny", layers=2), "edge_moe", strict_fit=True)
    assert report.fpga
    assert report.fpga.fits


def test_tiles_that_a_patch_does_not_consist_of_are_one_line(capsys: CAPTURE) -> None:
    assert main(["fit", "edge_moe", "--set", "linear.in_lanes=32", "--strict-fit"]) == 2
    assert capsys.readouterr().err == (
        "hwsim: error: edge_moe: patch_embed: patch must be a multiple of in_lanes, got 16 and 32\n"
    )


def test_a_strict_run_counts_units_as_they_are_for_its_workload() -> None:
    """The patches of vit_base need weights that are worth UltraRAM, which is what a ZCU104 has left."""
    with pytest.raises(MachineError, match=r"edge_moe: does not fit zcu104: lacks [\d.]+ BRAM36"):
        run(load_workload("m3vit_tiny", layers=2), "edge_moe", {"board": "zcu104"}, strict_fit=True)
    report = run(load_workload("vit_base", layers=1), "edge_moe", {"board": "zcu104"}, strict_fit=True)
    assert report.fpga
    assert (report.fpga.fits, report.fpga.used.uram) == (True, 64)


def test_a_board_that_does_not_exist_is_one_line() -> None:
    with pytest.raises(MachineError, match="board: expected one of "):
        load_machine("edge_moe", {"board": "zcu103"})
