"""Synthesis: counts by module, kept results, and the tools' arguments."""

import json
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.flows.synthesis.cells import read_parts
from hwsim.rtl.flows.synthesis.resources import block_resources
from hwsim.rtl.flows.synthesis.result import (
    Cells,
    Part,
    RecordError,
    Route,
    Synthesis,
    find_synthesis,
    read_records,
    records_text,
)

CAPTURE = pytest.CaptureFixture[str]
TINY = ["--set", "segments_log2=1", "--set", "argument=fixed(8,4)", "--set", "result=ufixed(3,1)"]


def result(contract: Contract, *, lut: int = 1, target: str = "xcup", route: Route | None = None) -> Synthesis:
    return Synthesis(
        block=contract.block,
        target=target,
        parameters=contract.parameters(),
        tools={"yosys": "0.70"},
        parts=(Part(module=contract.block, count=1, cells=Cells(lut=lut)),),
        route=route,
    )


def test_cells_are_counted_in_the_module_that_holds_them() -> None:
    statistics = {
        "modules": {
            "\\lane": {"num_cells_by_type": {"LUT6": 3, "SRL16E": 2, "RAM32M": 1, "DSP48E2": 1, "sum": 2}},
            "\\top": {"num_cells_by_type": {"lane": 4, "FDRE": 5, "RAMB18E2": 1, "RAMB36E2": 2, "MUXF7": 9, "sum": 1}},
            "\\sum": {"num_cells_by_type": {"CARRY4": 8, "NOVEL": 1}},
        }
    }
    parts = read_parts(statistics, "top")
    assert {part.module: (part.count, part.cells) for part in parts} == {
        "top": (1, Cells(ff=5, bram36=2.5)),
        "lane": (4, Cells(lut=3 + 2 + 4, dsp=1)),
        "sum": (9, Cells(carry=8, other=1)),
    }
    assert parts[0].module == "top"


def test_a_kept_result_is_found_by_its_parameters(tmp_path: Path) -> None:
    file, default, coarse = tmp_path / "data.json", ExpContract.from_preset("rtl"), ExpContract(degree=1)
    route = Route(device="LFE5U-25F", fmax_hz=85.5e6, used={"TRELLIS_FF": 9})
    kept = [result(default, lut=1), result(coarse, lut=7), result(default, target="ecp5", route=route)]
    file.write_text(records_text([*kept, result(default, lut=2)]))
    assert find_synthesis(default, path=file) == result(default, lut=2)  # the last stands
    assert find_synthesis(default, "ecp5", path=file) == kept[2]
    assert find_synthesis(ExpContract(degree=3), path=file) is None
    assert len(read_records(file)) == 3


def test_what_is_kept_stands_above_the_estimate(tmp_path: Path) -> None:
    file, default = tmp_path / "data.json", ExpContract.from_preset("rtl")
    file.write_text(records_text([result(default, lut=7)]))
    kept, estimated = block_resources(default, file), block_resources(ExpContract(degree=3), file)
    assert (kept.cells.lut, kept.origin) == (7, "synthesis (yosys 0.70)")
    assert estimated.cells.lut == ExpContract(degree=3).resources().lut > 7
    assert estimated.origin == "estimate of the contract; no synthesis of these parameters is kept"


def test_a_user_sees_both_at_once(capsys: CAPTURE) -> None:
    assert main(["rtl", "rsqrt", "--resources"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["rsqrt on UltraScale+ (xcup)", "                LUT       FF      DSP   BRAM36     URAM"]
    assert [line.split()[0] for line in lines[2:]] == ["estimate", "synthesis", "ratio", "stands:"]
    assert main(["rtl", "rsqrt", "--set", "degree=1", "--set", "guard_bits=5", "--resources"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("stands: estimate of the contract")


DAMAGED = result(ExpContract.from_preset("rtl"))
TEXT = records_text([DAMAGED])


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"schema": "other", "results": []}', "\x00",
        TEXT.replace('"lut": 1', '"lut": "x"'), TEXT.replace('"count": 1', '"count": null'),
        TEXT.replace('"xcup"', "3"), TEXT.replace('"yosys": "0.70"', '"yosys": 4'),
        '{"schema": "hwsim-synthesis 1", "results": [{"block": "exp", "target": "xcup", "parameters": 3, "tools": 4, '
        '"parts": []}]}',
    ],
)  # fmt: skip
def test_a_foreign_data_file_stays_as_it_is(text: str, tmp_path: Path, capsys: CAPTURE) -> None:
    file = tmp_path / "data.json"
    file.write_text(text)
    with pytest.raises(RecordError):
        read_records(file)
    assert main(["rtl", "exp", "--synth", "--record", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"hwsim: error: {file}: ")
    assert err.count("\n") == 1
    assert file.read_text() == text


def test_two_results_at_once_are_both_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long synthesis adds its result to the file's content at its end, not to the content at its start."""
    from hwsim.rtl.flows.synthesis import run

    file, first, second = tmp_path / "data.json", ExpContract.from_preset("rtl"), ExpContract(degree=3)

    def meanwhile(contract: Contract, target: str, say: object) -> Synthesis:
        file.write_text(records_text([result(second)]))
        return result(contract, target=target)

    monkeypatch.setattr(run, "synthesise", meanwhile)
    assert main(["rtl", "exp", "--synth", "--record", str(file)]) == 0
    assert {json.dumps(r.parameters) for r in read_records(file)} == {
        json.dumps(contract.parameters()) for contract in (first, second)
    }


def test_every_block_has_kept_results_of_its_presets_and_of_route() -> None:
    records = read_records()
    for name, block in BLOCKS.items():
        for preset in block.contract.presets:
            found = find_synthesis(block.contract.from_preset(preset))
            assert found is not None, f"{name}, {preset}"
            assert found.total.lut > 0
            assert found.total.other == 0
            assert set(found.tools) == {"yosys", "amaranth"}
        routed = [r for r in records if r.block == name and r.route is not None and r.route.fmax_hz > 0]
        assert len(routed) == 2, name
        assert all(find_synthesis(contract) for contract in block.sets()), name


def test_kept_parameters_are_parameters_that_the_blocks_have() -> None:
    """A block that changes its parameters must be synthesised again: benchmarks/resources.py --synthesise."""
    for record in read_records():
        found = BLOCKS[record.block].contract.from_parameters(record.parameters)
        assert found.parameters() == dict(record.parameters)


def test_estimates_are_near_the_synthesis_of_the_preset() -> None:
    """DSPs and memories within a factor of 1.5, LUTs and registers within 2, for all sets: this tests the model's form.

    Small counts are not compared: one block RAM more or less depends on whether halves pair up; UltraRAMs have no
    halves.
    """
    far, memories = [], (("bram36", 1.5, 2), ("uram", 1.0, 1))
    for record in (r for r in read_records() if r.target == "xcup"):
        ours, theirs = BLOCKS[record.block].contract.from_parameters(record.parameters).resources(), record.total
        for kind, factor, least in (("dsp", 1.5, 4), ("lut", 2.0, 100), ("ff", 2.0, 100), *memories):
            a, b = getattr(ours, kind), getattr(theirs, kind)
            if max(a, b) >= least and not b / factor <= a <= b * factor:
                far.append(f"{record.block} {kind} {a} {b} {record.parameters}")
    assert far == []


def test_a_tiny_block_is_synthesised_and_kept(tmp_path: Path, capsys: CAPTURE) -> None:
    file, out = tmp_path / "data.json", tmp_path / "out.json"
    assert main(["rtl", "exp", *TINY, "--synth", "--record", str(file)]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "exp on xcup (yosys 0." in shown.out
    (kept,) = read_records(file)
    assert kept.total.ff > 0
    assert kept.total.lut > 0
    assert kept.total.other == 0
    assert not out.exists()


def test_a_block_too_large_for_ecp5_says_so(monkeypatch: pytest.MonkeyPatch, capsys: CAPTURE) -> None:
    from hwsim.rtl.flows.synthesis import run

    large = {"creator": "Yosys 0", "modules": {"exp": {"num_cells_by_type": {"MULT18X18D": 157}}}}
    monkeypatch.setattr(run, "_yosys", lambda *_: large)
    assert main(["rtl", "exp", *TINY, "--synth", "--target", "ecp5"]) == 2
    assert capsys.readouterr().err == (
        "hwsim: error: exp: takes 0 LUT and 157 MULT18X18D; the largest ECP5 has 83640 and 156: "
        "choose smaller parameters\n"
    )


@pytest.mark.parametrize("family", ["synth_ecp5", "synth_xilinx -family xcup"])
def test_elements_of_arrays_are_not_called_as_bits_are(family: str, tmp_path: Path) -> None:
    """Yosys's ABC passes failed if element i of a register had the name `values[i]`, like its bit i."""
    from amaranth import signed

    from hwsim.rtl.flows.generate import emit_rtlil, run_yosys
    from hwsim.rtl.stream_blocks.top_k import TopK

    text = emit_rtlil(TopK(signed(4), count=4, top=2), "top_k")
    assert " \\values.1\n" in text
    assert "\\values[" not in text
    source = tmp_path / "top_k.il"
    source.write_text(text)
    run_yosys([f"read_rtlil {source}", f"{family} -top top_k"])


@pytest.mark.slow
@pytest.mark.parametrize("name", BLOCKS)
def test_small_blocks_are_synthesised_on_both_families(name: str, tmp_path: Path) -> None:
    from hwsim.rtl.flows.synthesis.run import synthesise

    contract = BLOCKS[name].sets()[1]
    steps: list[str] = []
    counted = synthesise(contract, "xcup", steps.append)
    assert counted.total.other == 0
    assert len(steps) > 10  # a user sees progress
    routed = synthesise(contract, "ecp5", steps.append)
    assert routed.route is not None
    assert 10e6 < routed.route.fmax_hz < 500e6
    assert any(step.startswith("nextpnr-ecp5: ") for step in steps)


@pytest.mark.slow
def test_place_and_route_sees_all_outputs_behind_few_pins(capsys: CAPTURE) -> None:
    assert main(["rtl", "exp", *TINY, "--synth", "--target", "ecp5", "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["route"]["used"]["TRELLIS_IO"] == 5  # clock, reset, in, load, out
    inside = sum(part["cells"].get("ff", 0) for part in record["parts"])
    at_ports = (8 + 1 + 1) + (3 + 1 + 1)  # payload, valid, ready
    assert record["route"]["used"]["TRELLIS_FF"] == pytest.approx(inside + at_ports, abs=8)
