"""`hwsim fit`: the resources of a design on a board's FPGA, from kept synthesis and estimates."""

import json
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.fpga.design import fit_design, load_design
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.flows.synthesis.result import Cells, Part, Synthesis, find_synthesis, records_text

CAPTURE = pytest.CaptureFixture[str]


def kept(tmp_path: Path, cells: Cells) -> Path:
    """A data file with one result, for `exp`."""
    exp = ExpContract.from_preset("rtl")
    part = Part(module="exp", count=1, cells=cells)
    result = Synthesis(block="exp", target="xcup", parameters=exp.parameters(), tools={"yosys": "0.70"}, parts=(part,))
    file = tmp_path / "data.json"
    file.write_text(records_text([result]))
    return file


def design(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return file


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    return design(tmp_path, LAYER)


# One of each of Edge-MoE's blocks, at the sizes of its source.
LAYER = """
board: zcu102
units:
  linear: {block: linear}
  scores: {block: qk_reorder}
  softmax: {block: online_softmax}
  values: {block: mv}
  norm: {block: layernorm}
  gate: {block: topk_gate}
"""
TWO = "board: zcu102\nunits: {a: {block: exp, count: 3}, b: {block: exp, set: {degree: 3}}}\n"


def test_counts_come_from_the_data_file_and_estimates_stand_in(tmp_path: Path) -> None:
    data = kept(tmp_path, Cells(lut=1000, ff=7, bram36=0.5))
    found = fit_design(load_design(design(tmp_path, TWO)), "mine", data)
    estimate = ExpContract(degree=3).resources()
    assert [unit.one.counted is not None for unit in found.units] == [True, False]
    assert found.total.lut == 3 * 1000 + estimate.lut
    assert found.total.bram36 == 1.5
    assert found.fits


def test_what_is_lacking_is_counted(tmp_path: Path, capsys: CAPTURE) -> None:
    data = kept(tmp_path, Cells(lut=100_000, dsp=840))
    found = fit_design(
        load_design(design(tmp_path, "board: zcu102\nunits: {a: {block: exp, count: 3}}\n")), "mine", data
    )
    assert found.lacking == {"lut": 300_000 - 274_080}
    assert found.to_text().splitlines()[-1] == "does not fit: lacks 25,920 LUT (300,000 of 274,080)"
    assert main(["fit", str(design(tmp_path, LAYER)), "--board", "zcu104", "--set", "linear.count=3"]) == 1
    assert "does not fit: lacks" in capsys.readouterr().out


def test_ultra_rams_that_a_part_lacks_become_block_rams(layer: Path) -> None:
    """Memories of 2,200 rows of 4,096 bits in 57 UltraRAMs each: 285 block RAMs, not 8 for each UltraRAM."""
    design = load_design(layer, settings={"linear.weight_words": "1100", "linear.count": "2"})
    on_zcu102 = fit_design(design, "mine")
    linear, *_, gate = on_zcu102.units
    assert (linear.moved_uram, linear.cells.uram, linear.cells.bram36) == (114, 0, 2 * (285 + 4))
    assert (gate.moved_uram, gate.cells.bram36) == (1, 5)  # 2,064 rows of 40 bits
    assert on_zcu102.fits
    assert fit_design(design.model_copy(update={"board": "u55c"}), "mine").total.uram == 115


def test_no_more_ultra_rams_are_moved_than_are_lacking(layer: Path) -> None:
    design = load_design(layer, board="zcu104", settings={"linear.weight_words": "2304"})
    found = fit_design(design, "mine")
    assert [unit.moved_uram for unit in found.units] == [19, 0, 0, 0, 0, 0]
    assert (found.total.uram, found.fits) == (96, True)


def test_an_ultra_ram_that_the_contract_does_not_know_is_eight_block_rams(tmp_path: Path) -> None:
    data = kept(tmp_path, Cells(uram=2, bram36=1))
    one = load_design(design(tmp_path, "board: zcu102\nunits: {a: {block: exp}}\n"))
    assert fit_design(one, "mine", data).total == Cells(bram36=17)


def test_free_ultra_rams_are_pointed_out_where_block_rams_are_lacking(layer: Path, capsys: CAPTURE) -> None:
    assert main(["fit", str(layer), "--board", "zcu104", "--set", "linear.count=2"]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "does not fit: lacks 143 DSP (1,871 of 1,728), 42 BRAM36 (354 of 312)",
        "memories are in block RAM where Yosys finds that cheaper; 95 UltraRAM are left for some of them",
    ]


def test_a_layer_is_the_sum_of_its_kept_blocks_and_fits_its_board(layer: Path, capsys: CAPTURE) -> None:
    assert main(["fit", str(layer), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    contracts = [unit.contract() for unit in load_design(layer).units.values()]
    results = [find_synthesis(contract) for contract in contracts]
    assert document["total"]["dsp"] == sum(result.total.dsp for result in results if result)
    assert all(unit["origin"].startswith("synthesis (yosys") for unit in document["units"])
    assert (document["board"], document["fits"], document["lacking"]) == ("zcu102", True, {})


def test_a_part_has_two_registers_a_lut() -> None:
    assert all(board.cells.ff == 2 * board.cells.lut for board in BOARDS.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "zc102"], "zc102: no such board; nearest: zcu102, zcu104"),
        (["--set", "lin.count=2"], "--set lin.count: no such unit; nearest: linear"),
        (["--board", ""], "(empty): no such board; valid: u55c, zcu102, zcu104"),
        (["--set", "linear=2"], "--set linear: expected UNIT.count or UNIT.PARAMETER"),
        (["--set", "linear"], "--set linear: expected UNIT.PARAM=VALUE"),
        (["--set", "linear.count=x"], "--set linear.count: expected a whole number, got 'x'"),
        (["--set", "norm.root_degree=9"], "mine: units.norm: layernorm: root_degree must be 1 to 4, got 9"),
    ],
)
def test_a_wrong_setting_of_a_design_is_one_line(
    arguments: list[str], message: str, layer: Path, capsys: CAPTURE
) -> None:
    assert main(["fit", str(layer), *arguments]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {message}\n"


def test_what_is_neither_a_machine_nor_a_file_is_one_line(capsys: CAPTURE) -> None:
    assert main(["fit", "pim_gp"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hwsim: error: pim_gp: no such machine or file; nearest: ")
    assert "pim_gpt" in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("board: zcu102\n", "units: this field is required"),
        ("board: zcu102\nunits: {}\n", "units: expected a mapping of at least one unit's name to its block"),
        (
            "board: zcu102\nunits: {A: {block: exp}}\n",
            "units: 'A': expected a name of lower-case letters",
        ),
        ("board: zcu102\nunits: {a: exp}\n", "units: a: expected a mapping, for instance {block: exp}, got 'exp'"),
        ("board: zcu102\nunits: {a: {block: exp, set: {degree: [1]}}}\n", "units.a.set: degree: expected a number, a"),
        ("board: zcu102\nunits: {a: {block: expo}}\n", "units.a: expo: no such block; nearest: exp"),
        ("board: zcu102\nunits: {a: {block: exp, count: 0}}\n", "units.a.count: input should be greater than"),
        ("board: zcu102\nunits: {a: {block: exp, preset: mine}}\n", "units.a: exp: no preset 'mine'"),
        ("board: zcu102\nunits: {a: {block: exp, counts: 2}}\n", "units.a.counts: extra inputs are not permitted"),
        ("[]\n", "expected a mapping"),
    ],
)
def test_a_wrong_design_is_one_line(text: str, message: str, tmp_path: Path, capsys: CAPTURE) -> None:
    assert main(["fit", str(design(tmp_path, text))]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_design_is_not_overwritten(tmp_path: Path, capsys: CAPTURE) -> None:
    file = design(tmp_path, TWO)
    assert main(["fit", str(file), "--json", str(file)]) == 2
    assert "is what is read" in capsys.readouterr().err
    assert file.read_text() == TWO
