"""The player of trace files that remembers pieces, against the one that plays everything."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.aim import pieces, trace_player
from hwsim.dram.aim.isa import Instruction, Ints, encode
from hwsim.dram.aim.load import load_aim
from hwsim.dram.aim.pieces import Cutter
from hwsim.dram.aim.player import AimPlayer
from hwsim.dram.aim.text import line_of
from hwsim.dram.aim.trace_player import TracePlayer, Trial, play_file
from hwsim.errors import TraceError
from hwsim.replay.aim import play_trace
from tests.dram.aim.strategies import EOC, KINDS, instructions
from tests.dram.aim.test_player import full_row, op

AIM = load_aim()
SYNC = Instruction(operation="SYNC")


@st.composite
def traces(draw: st.DrawFn, channels: int) -> list[Instruction]:
    """A few programs, each played several times with other rows, most of them ended by a barrier."""
    programs = draw(st.lists(st.lists(instructions(KINDS, channels), max_size=8), min_size=1, max_size=3))
    found: list[Instruction] = []
    for number, base, barrier in draw(
        st.lists(
            st.tuples(st.integers(0, len(programs) - 1), st.sampled_from([0, 1, 3, 100]), st.sampled_from([1, 1, 0])),
            min_size=1,
            max_size=15,
        )
    ):
        found += [moved(instruction, base) for instruction in programs[number]]
        found += [SYNC] * barrier
    return [*found, EOC]


def moved(instruction: Instruction, rows: int) -> Instruction:
    if instruction.row < 0 or instruction.operation == "WR_CFR":
        return instruction
    return replace(instruction, row=instruction.row + rows)


def chunks(program: Ints, cuts: list[int]) -> list[Ints]:
    return np.split(program, sorted(min(cut, len(program)) for cut in cuts))


@given(
    data=st.data(),
    channels=st.integers(1, 3),
    least=st.sampled_from([1, 5, 32]),
    most=st.sampled_from([1, 6, 20, 1000]),
    trial=st.sampled_from([1, 2, 4, 256]),
    cuts=st.lists(st.integers(0, 80), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_what_is_remembered_is_what_would_be_played(
    data: st.DataObject, channels: int, least: int, most: int, trial: int, cuts: list[int]
) -> None:
    program = encode(data.draw(traces(channels)))
    everything = AimPlayer(AIM, channels)
    everything.play(program)
    with (
        patch.object(pieces, "LEAST", least),
        patch.object(pieces, "MOST", most),
        patch.multiple(trace_player, TRIAL=trial, LEAST_KNOWN=trial / 2, FIRST_REST=2 * trial),
    ):
        remembering = TracePlayer(AIM, channels)
        for chunk in chunks(program, cuts):
            remembering.feed(chunk)
        assert (remembering.cycle, remembering.results()) == (everything.cycle, everything.results())


@given(program=traces(2), cuts=st.lists(st.integers(0, 80), max_size=4), most=st.sampled_from([1, 6, 1000]))
def test_pieces_are_the_trace(program: list[Instruction], cuts: list[int], most: int) -> None:
    encoded, cutter = encode(program), Cutter()
    with patch.object(pieces, "LEAST", 3), patch.object(pieces, "MOST", most):
        found = [piece for chunk in chunks(encoded, cuts) for piece in cutter.cut(chunk)] + list(cutter.end())
    assert np.array_equal(np.concatenate([piece.program for piece in found]), encoded)
    for piece in found:
        named = (piece.program[:, 4] >= 0) & (piece.program[:, 0] != encode([Instruction(operation="WR_CFR")])[0, 0])
        assert not piece.whole or len(piece.program) <= most
        assert np.array_equal(piece.moved[named, 4] + piece.base_row, piece.program[named, 4])
        assert not piece.whole or not named.any() or piece.moved[named, 4].max() < piece.rows


@pytest.mark.parametrize("refresh", ["off", "all_bank", "per_bank"])
@given(program=traces(2))
@settings(max_examples=25, deadline=None)
def test_a_report_is_that_of_the_player_that_plays_everything(
    refresh: str, tmp_path_factory: pytest.TempPathFactory, program: list[Instruction]
) -> None:
    """With a log everything is played; without one what repeats is not, under refresh the run that shows its cost."""
    folder = tmp_path_factory.mktemp("traces")
    trace = folder / "x.trace"
    trace.write_text("".join(f"{line_of(instruction)}\n" for instruction in program))
    plain, logged = (play_trace(trace, 2, refresh=refresh, log_file=log) for log in (None, folder / "log"))  # type: ignore[arg-type]
    assert plain == logged
    players = [AimPlayer(load_aim(mode), 2) for mode in (refresh, "off")]  # type: ignore[arg-type]
    for player in players:
        player.play(encode(program))
    assert (plain.cycles, plain.channels) == (players[0].cycle, players[0].results())
    assert plain.refresh_cycles == players[0].cycle - players[1].cycle
    assert plain.instructions == len(program)


def test_an_error_in_the_middle_is_named_with_its_line(tmp_path: Path) -> None:
    trace = tmp_path / "x.trace"
    lines = [*["AiM MAC_ABK 64 1 5", "AiM SYNC"] * 50, "AiM MAC_ABK 65 1 5", "AiM SYNC", "AiM EOC"]
    trace.write_text("\n".join(lines))
    for player in (AimPlayer(AIM, 1), TracePlayer(AIM, 1)):
        with pytest.raises(TraceError, match=r"x\.trace: line 101: MAC_ABK: opsize 65 is out of range"):
            play_file(trace, player)


def layer(base: int) -> list[Instruction]:
    return [op("WR_GB", 64, 3), *(full_row(base + row, mask=3) for row in range(40)), op("RD_MAC", mask=3), SYNC]


def test_layers_of_other_rows_are_played_once() -> None:
    """The first finds no row open; the second finds a row open that is none of its own, as all that follow do."""
    player = TracePlayer(AIM, 2)
    player.feed(encode([instruction for base in range(0, 4000, 40) for instruction in layer(base)]))
    player.feed(encode([EOC]))
    assert player.cycle > 0
    assert (player.player.played, player.player.repeated) == (2, 98)


def test_short_pieces_are_joined() -> None:
    """Four of 12 instructions are the first with at least 32: 36; what is shorter waits for more, or for the end."""
    piece = [full_row(row, mask=1) for row in range(11)] + [SYNC]
    cutter = Cutter()
    assert [len(found.program) for found in cutter.cut(encode(piece * 7))] == [36, 36]
    assert [len(found.program) for found in cutter.end()] == [12]


def test_what_has_no_barrier_is_not_waited_for() -> None:
    cutter = Cutter()
    chunk = encode([full_row(row % 100) for row in range(pieces.MOST - 1)])
    assert list(cutter.cut(chunk)) == []
    assert [(len(p.program), p.whole) for p in cutter.cut(chunk[:5])] == [(pieces.MOST + 4, False)]
    after = list(cutter.cut(encode([*[full_row(0)] * 40, SYNC, *[full_row(0)] * 40, SYNC])))
    assert [(len(p.program), p.whole) for p in after] == [(41, False), (41, True)]


def test_remembering_rests_where_nothing_repeats() -> None:
    """256 pieces are tried, 2,048 rest, 256 are tried, 4,096 rest; then a trial of known ones goes on."""
    trial, tried = Trial(), []
    for piece in range(7000):
        if trial.pays():
            trial.note(known=piece >= 6656)
            tried.append(piece)
    assert [tried[0], tried[255], tried[256], tried[511], tried[512], len(tried)] == [0, 255, 2304, 2559, 6656, 856]
