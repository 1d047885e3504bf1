"""Units of a machine against its board: each resource is counted once, and what is not counted is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwsim import load_workload, run
from hwsim.cli import main
from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError
from hwsim.fpga.units import units_budget
from hwsim.machines import MACHINES
from hwsim.rtl.blocks import BLOCKS
from tests.fpga.toy import ToyFpga

CAPTURE = pytest.CaptureFixture[str]
LACKS = "toy_fpga: does not fit zcu104: lacks "


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> ToyFpga:
    """A machine on an FPGA that the command line knows by its name."""
    machine = ToyFpga()
    monkeypatch.setitem(MACHINES, machine.name, lambda: machine)
    return machine


def unit(name: str, block: str | None = None, **fields: Any) -> UnitSpec:
    made = {"contract": BLOCKS[block].contract.from_preset("rtl")} if block else {"stated": "assumed"}
    return UnitSpec(**{"name": name, "kind": "fpga", "clock_hz": 300_000_000, **made, **fields})


def test_banks_within_a_unit_are_not_counted_twice() -> None:
    linear, loader = unit("linear", "linear"), unit("loader", "weight_loader", within="linear")
    found = units_budget([linear, loader], "toy", "zcu102")
    assert found.total == units_budget([linear], "toy", "zcu102").total
    assert (found.included, [taken.unit for taken in found.units]) == ({"loader": "linear"}, ["linear"])
    assert "\nlinear includes loader\n" in found.to_text()
    apart = units_budget([linear, unit("loader", "weight_loader")], "toy", "zcu102")
    assert apart.total.bram36 == 350  # both have banks for 2 x 576 words of 4,096 bits


def test_what_nobody_counted_is_named() -> None:
    found = units_budget([unit("exp", "exp"), unit("axi"), unit("sequencer")], "toy", "zcu102")
    assert (found.uncounted, len(found.units)) == (("axi", "sequencer"), 1)
    assert "not counted, since no contract says what they take: axi, sequencer" in found.to_text()
    assert json.loads(found.to_json())["uncounted"] == ["axi", "sequencer"]


def test_a_fifo_without_a_contract_within_a_block_is_counted_there() -> None:
    found = units_budget([unit("exp", "exp"), unit("fifo", within="exp")], "toy", "zcu102")
    assert (found.included, found.uncounted) == ({"fifo": "exp"}, ())


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([unit("a", "exp", within="b")], "toy: unit a is within b, which is no unit on the FPGA"),
        (
            [unit("a", "exp", within="b"), unit("b")],
            "toy: unit a is within b, of which no contract says what it takes",
        ),
        (
            [unit("a", "exp", within="b"), unit("b", "exp", within="c"), unit("c", "linear")],
            "toy: unit a is within b, of which no contract says what it takes",
        ),
    ],
)
def test_a_unit_within_must_have_where_to_be(units: list[UnitSpec], message: str) -> None:
    with pytest.raises(MachineError, match=message):
        units_budget(units, "toy", "zcu102")


def test_fit_takes_its_design_from_the_units_of_a_machine(toy: ToyFpga, capsys: CAPTURE) -> None:
    assert main(["fit", "toy_fpga", "--json", "-"]) == 0
    fpga = json.loads(capsys.readouterr().out)["fpga"]
    assert {entry["unit"]: (entry["block"], entry["count"]) for entry in fpga["units"]} == {
        "linear": ("linear", 1), "softmax": ("online_softmax", 1), "norm": ("layernorm", 2),
    }  # fmt: skip
    assert (fpga["board"], fpga["fits"], fpga["included"]) == ("zcu102", True, {"banks": "linear"})
    assert main(["fit", "toy_fpga", "--set", "linear_units=2"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2] == ["linear", "linear", "2", "61,334", "97,014", "1,184", "350", "0", "synthesis"]


def test_fit_answers_by_its_status_and_strictly_by_a_line(toy: ToyFpga, capsys: CAPTURE) -> None:
    too_much = ["fit", "toy_fpga", "--board", "zcu104", "--set", "linear_units=3"]
    assert main(too_much) == 1
    assert capsys.readouterr().err == ""
    assert main([*too_much, "--strict-fit"]) == 2
    captured = capsys.readouterr()
    line = f"{LACKS}301 DSP (2,029 of 1,728), 221 BRAM36 (533 of 312)"
    assert captured.err == f"hwsim: error: {line}\n"
    assert "does not fit: lacks 301 DSP (2,029 of 1,728)" in captured.out
    assert main(["fit", "toy_fpga", "--strict-fit"]) == 0


def test_a_run_that_does_not_fit_says_so_in_report_and_warning(toy: ToyFpga, tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "report.json"
    changes = ["--set", "board=zcu104", "--set", "linear_units=3"]
    assert main(["run", "vit_base", "--machine", "toy_fpga", "--quiet", "--json", str(file), *changes]) == 0
    assert capsys.readouterr().err.startswith(f"hwsim: warning: {LACKS}301 DSP (2,029 of 1,728), 221 BRAM36")
    fpga = json.loads(file.read_text())["fpga"]
    assert (fpga["fits"], fpga["used"]["dsp"], fpga["available"]["dsp"]) == (False, 2029, 1728)
    assert main(["run", "vit_base", "--machine", "toy_fpga", *changes]) == 0
    assert "Does not fit: lacks 301 DSP (2,029 of 1,728)" in capsys.readouterr().out


def test_a_run_that_fits_warns_of_nothing(toy: ToyFpga, capsys: CAPTURE) -> None:
    assert main(["run", "vit_base", "--machine", "toy_fpga", "--quiet", "--strict-fit"]) == 0
    assert capsys.readouterr().err == ""
    assert toy.simulated == 1


def test_a_strict_run_that_does_not_fit_ends_before_it_simulates(toy: ToyFpga, capsys: CAPTURE) -> None:
    changes = ["--set", "board=zcu104", "--set", "linear_units=3"]
    assert main(["run", "vit_base", "--machine", "toy_fpga", "--strict-fit", *changes]) == 2
    assert capsys.readouterr().err.startswith(f"hwsim: error: {LACKS}301 DSP")
    assert toy.simulated == 0
    with pytest.raises(MachineError, match=LACKS):
        run(load_workload("vit_base"), "toy_fpga", {"board": "zcu104", "linear_units": 3}, strict_fit=True)


def test_a_machine_without_an_fpga_cannot_fit_strictly(capsys: CAPTURE) -> None:
    assert main(["run", "gpt2", "--tokens", "1", "--strict-fit"]) == 2
    assert capsys.readouterr().err.startswith("hwsim: error: --strict-fit: pim_gpt is not built on an FPGA")
