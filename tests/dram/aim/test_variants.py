"""The vendor's timing and what the public simulator makes of it: alike for AiM instructions, not for plain accesses."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim import run
from hwsim.cli import main
from hwsim.dram.aim.isa import OPERATIONS, Instruction, encode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.standards.load import timing_provenance
from hwsim.errors import DramError
from hwsim.pipeline import run_in_detail
from tests.dram.aim.strategies import EOC, KINDS, instructions
from tests.dram.aim.test_player import logs_of, op
from tests.mapping.workloads import tiny

PRESET, SIMULATOR = load_aim(), load_aim(variant="simulator")
AIM_KINDS = [kind for kind in KINDS if not OPERATIONS[kind].ordinary]


def cycles(program: list[Instruction]) -> tuple[int, int]:
    """Cycles in the preset and in the simulator's timing, on one channel."""
    found = []
    for standard in (PRESET, SIMULATOR):
        player, slow = AimPlayer(standard, 1), ReferenceAim(standard, 1)
        player.play(encode([*program, EOC]))
        slow.play([*program, EOC])
        assert player.cycle == slow.cycle
        found.append(player.cycle)
    return found[0], found[1]


def test_what_the_simulator_overwrites() -> None:
    changed = {name for name, value in PRESET.params.items() if SIMULATOR.params[name] != value}
    assert changed == {"nRRDS", "nRRDL", "nREFI", "nRFC"}
    assert [SIMULATOR.params[name] for name in ("nRRDS", "nRRDL", "nREFI")] == [5, 6, 7800]
    assert [standard.clock_hz for standard in (PRESET, SIMULATOR)] == [2 * 10**9, 10**9]
    assert [timing_provenance("gddr6_aim", bin=v)["nRRDL"]["grade"] for v in ("preset", "simulator")] == ["S", "R"]


@given(program=st.lists(instructions(AIM_KINDS, 2), max_size=30))
def test_instructions_take_the_same_cycles(program: list[Instruction]) -> None:
    preset, simulator = (logs_of([*program, EOC], 2, standard=standard) for standard in (PRESET, SIMULATOR))
    assert preset[0].cycle == simulator[0].cycle
    assert preset[1] == simulator[1]


def test_reads_of_a_bank_group_wait_for_each_other() -> None:
    """ACT 1 and 12 or 7, RD 37 and 48 or 43, data 52 cycles later, EOC after it."""
    assert cycles([op("RD_SBK", mask=1, bank=bank, row=0) for bank in (0, 1)]) == (101, 96)


def test_writes_of_two_bank_groups_do_less_long() -> None:
    """ACT 1 and 12 or 6, WR 29 and 40 or 34, data 8 cycles later, EOC after it."""
    assert cycles([op("WR_SBK", mask=1, bank=bank, row=0) for bank in (0, 4)]) == (49, 43)


def test_a_sooner_activate_may_cost_time() -> None:
    """The second write's row opens in 11, not 23, so its WR at 39 comes before the read, which then waits nWTRS."""
    program = [
        op("WR_SBK", mask=1, bank=0, row=1),
        op("RD_SBK", mask=1, bank=4, row=0),
        op("WR_SBK", mask=1, bank=1, row=0),
    ]
    assert cycles(program) == (107, 109)


def test_refresh_needs_a_time_that_the_simulator_does_not_have() -> None:
    with pytest.raises(DramError, match="standard gddr6_aim: REFab takes no time; set the timing of a refresh"):
        load_aim("all_bank", variant="simulator")
    standard = load_aim("all_bank", variant="simulator", timing={"nRFC": 210})
    assert standard.refresh is not None
    assert standard.refresh.interval == 7800


def test_a_variant_that_is_not_there() -> None:
    with pytest.raises(DramError, match="no variant 'presett' of gddr6_aim; nearest: preset"):
        load_aim(variant="presett")  # type: ignore[arg-type]


def test_the_command_line_plays_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "reads.trace"
    trace.write_text("R MEM 0 0 0\nR MEM 0 1 0\nAiM EOC\n")
    for options, cycles, seconds in (((), 101, 50.5e-9), (("--variant", "simulator"), 96, 96e-9)):
        assert main(["aim", str(trace), "--channels", "1", *options, "--json", "-"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["variant"], report["cycles"]) == (options[-1] if options else "preset", cycles)
        assert report["time_s"] == pytest.approx(seconds)


def test_a_machine_runs_with_either() -> None:
    """A step writes its key to one bank, so the DRAM's cycles are equal; they take twice as long at half the clock."""
    preset, simulator = (run(tiny(tokens=2), "aim", {"variant": variant}) for variant in ("preset", "simulator"))
    assert preset.dram.trace_cycles == simulator.dram.trace_cycles
    busy = [report.units[0].busy_cycles / report.clock_hz for report in (preset, simulator)]
    assert busy[1] == pytest.approx(2 * busy[0])


def test_a_run_s_trace_names_its_variant(tmp_path: Path) -> None:
    trace = tmp_path / "run.trace"
    settings = {"variant": "simulator", "timing.nRRDS": 7}
    run_in_detail(tiny(tokens=1), "aim", settings, emit=trace)
    assert trace.read_text().splitlines()[0].endswith("hwsim aim FILE --variant simulator --set timing.nRRDS=7")
