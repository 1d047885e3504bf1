"""The units of machines, and their resources."""

import importlib
import json
from typing import Any

import pytest

from hwsim.cli import main
from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError
from hwsim.machines import MACHINES
from hwsim.machines.find import load_machine
from hwsim.machines.fit import fit_machine
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.mac_unit.contract import MacUnitContract

CAPTURE = pytest.CaptureFixture[str]
EXP = ExpContract.from_preset("rtl")


def units_of(name: str, **settings: Any) -> tuple[UnitSpec, ...]:
    machine, spec = load_machine(name, settings)
    return machine.units(spec)


def test_pim_gpt_consists_of_channels_mac_units_and_an_asic() -> None:
    units = units_of("pim_gpt", channels=4)
    assert [(unit.name, unit.kind, unit.count, unit.contract and unit.contract.block) for unit in units] == [
        ("pim", "memory", 4, None),
        ("pim.mac_units", "memory", 64, "mac_unit"),
        ("asic", "asic", 1, "vector_unit"),
        ("asic.sram", "asic", 1, "sram"),
        ("host", "host", 1, None),
    ]


def test_the_file_called_units_does_not_take_the_place_of_the_units_when_a_run_loads_it() -> None:
    importlib.import_module("hwsim.machines.pim_gpt.units")
    assert next(iter(units_of("pim_gpt"))).name == "pim"


@pytest.mark.parametrize("name", [name for name in MACHINES if MACHINES[name]().spec_file.knows("devices")])
def test_several_devices_have_a_link(name: str) -> None:
    one = [unit.name for unit in units_of(name)]
    assert [unit.name for unit in units_of(name, devices=2, tensor_parallel=2)] == [*one, "link"]


@pytest.mark.parametrize("name", list(MACHINES))
def test_a_unit_without_a_contract_says_where_its_timing_comes_from(name: str) -> None:
    for unit in units_of(name):
        assert unit.source
        assert unit.kind != "memory" or unit.contract or unit.compared  # the memory engine is compared


def test_a_unit_is_proven_where_its_contract_is() -> None:
    published = MacUnitContract.from_preset("published")
    assert UnitSpec(name="a", kind="fpga", clock_hz=1, contract=EXP).proven
    assert not UnitSpec(name="a", kind="memory", clock_hz=1, contract=published).proven
    assert not UnitSpec(name="a", kind="host", clock_hz=1, stated="a guess").proven


def test_resources_are_those_of_all_equal_units() -> None:
    unit = UnitSpec(name="a", kind="fpga", clock_hz=1, contract=EXP, count=3)
    assert unit.resources.lut == 3 * EXP.resources().lut


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "unit a: expected either a contract or a stated source"),
        ({"contract": EXP, "stated": "a guess"}, "unit a: expected either a contract or a stated source"),
        ({"stated": "a guess", "count": 0}, "unit a: expected at least one of it, got 0"),
        ({"stated": "a guess", "within": "a"}, "unit a: cannot be within itself"),
    ],
)
def test_a_unit_checks_itself(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UnitSpec(name="a", kind="host", clock_hz=1, **fields)


class OnFpga:
    """What `fit_machine` asks of a machine."""

    name = "toy"

    def __init__(self, board: str | None, *units: UnitSpec) -> None:
        self.of_board, self.of_units = board, units

    def board(self, _spec: None) -> str | None:
        return self.of_board

    def units(self, _spec: None) -> tuple[UnitSpec, ...]:
        return self.of_units


def test_units_on_an_fpga_are_set_beside_what_its_part_has() -> None:
    exp = UnitSpec(name="exp", kind="fpga", clock_hz=300_000_000, contract=EXP, count=2)
    host = UnitSpec(name="host", kind="host", clock_hz=1, stated="a guess")
    found = fit_machine(OnFpga("zcu102", exp, host), None)  # type: ignore[arg-type]
    assert found.budget
    assert [(unit.unit, unit.count, unit.one.block) for unit in found.budget.units] == [("exp", 2, "exp")]
    assert (found.fits, found.units) == (True, (host,))
    assert json.loads(found.to_json())["fpga"]["board"] == "zcu102"
    assert "toy on AMD ZCU102" in found.to_text()


def test_too_many_units_do_not_fit() -> None:
    many = UnitSpec(name="exp", kind="fpga", clock_hz=1, contract=EXP, count=100_000)
    assert fit_machine(OnFpga("zcu102", many), None).fits is False  # type: ignore[arg-type]


def test_units_on_an_fpga_need_a_board() -> None:
    exp = UnitSpec(name="exp", kind="fpga", clock_hz=1, contract=EXP)
    with pytest.raises(MachineError, match="toy: has units on an FPGA, but names no board"):
        fit_machine(OnFpga(None, exp), None)  # type: ignore[arg-type]
    with pytest.raises(MachineError, match="zcu_102: no such board; nearest: zcu102"):
        fit_machine(OnFpga("zcu_102", exp), None)  # type: ignore[arg-type]


def test_fit_takes_a_machine(capsys: CAPTURE) -> None:
    assert main(["fit", "pim_gpt", "--set", "asic.adders=64", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"]["asic"] == {"adders": 64, "multipliers": 128, "sram_bytes": 131_072}
    assert main(["fit", "pim_gpt"]) == 0
    assert "all asic                                      256          128     131,072" in capsys.readouterr().out


def test_fit_takes_a_machine_of_ones_own(tmp_path: Any, capsys: CAPTURE) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: pim_gpt\nname: mine\nchannels: 2\n")
    assert main(["fit", str(file), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["memory"]["multipliers"] == 2 * 16 * 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "pim_gpt", "--board", "zcu102"], "--board: pim_gpt has no units on an FPGA"),
        (["fit", "pim_gpt", "--strict-fit"], "--strict-fit: pim_gpt is not built on an FPGA, so it cannot lack"),
        (["fit", "aim", "--set", "lanes=1"], "--set lanes: no such parameter"),
        (["fit", "pim"], "pim: no such machine or file; nearest: "),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
