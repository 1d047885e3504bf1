"""The published cycle counts, and the fast player against the slow one."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.aim.isa import Instruction, decode, encode
from hwsim.dram.aim.player import AimPlayer, CommandRun
from hwsim.dram.aim.reference import ReferenceAim
from hwsim.dram.aim.trace_player import play_file
from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.standards.load import load_standard
from hwsim.errors import TraceError
from tests.dram.aim.strategies import EOC, programs

AIM = load_standard("gddr6_aim", refresh=False)
ALL_ISR = Path(__file__).parent / "data" / "all_isr.trace"
EVERYONE = 0xFFFFFFFF


def op(name: str, opsize: int = 1, mask: int = EVERYONE, bank: int = -1, row: int = -1) -> Instruction:
    return Instruction(operation=name, opsize=opsize, mask=mask, bank=bank, row=row)


def full_row(row: int = 0, mask: int = EVERYONE) -> Instruction:
    return op("MAC_ABK", 64, mask, row=row)


PUBLISHED = {
    "one full row": ([full_row(mask=1)], 185),
    "1,024 register writes": ([op("WR_BIAS")] * 1024, 2083),
    "1,024 register reads": ([op("RD_MAC")] * 1024, 3106),
    "1,024 full rows": ([full_row(row) for row in range(1024)], 231_383),
    "a vector, a row, the result": ([op("WR_GB", 64), op("WR_BIAS"), full_row(), op("RD_MAC")], 414),
}


# Worked out by hand from preset and table, on one channel: a first command in cycle 1, EOC answered in the cycle
# after the last command finished, two after a command without a latency.
BY_HAND = {
    "MAC_SBK: ACT 1, MAC 57": ([op("MAC_SBK", bank=0, row=0)], 59),
    "MAC_ABK: ACT16 1, MAC16 57": ([op("MAC_ABK", row=0)], 59),
    "EWMUL: ACT16 1, EWMUL16 26": ([op("EWMUL", row=0)], 28),
    "AF: ACT16 1, AF16 87": ([op("AF")], 89),
    "COPY_BKGB: ACT 1, RDCP 67 69 71": ([op("COPY_BKGB", 3, bank=0, row=0)], 73),
    "COPY_GBBK: ACT 1, WRCP 49 51 53": ([op("COPY_GBBK", 3, bank=0, row=0)], 55),
    "RD_SBK: ACT 1, RD 37, data until 89": ([op("RD_SBK", bank=0, row=0)], 90),
    "WR_SBK: ACT 1, WR 29, data until 37": ([op("WR_SBK", bank=0, row=0)], 38),
    "WR_ABK: ACT16 1, WRA16 29, closed at 69": ([op("WR_ABK", row=0)], 70),
    "WR_GB: TMOD 1, WRGB 33, until 36": ([op("WR_GB")], 37),
    "WR_BIAS: TMOD 1, WRMAC16 33, until 36": ([op("WR_BIAS")], 37),
    "RD_AF: TMOD 1, RDAF16 33, until 35; EOC after it": ([op("RD_AF")], 37),
    "EWADD: a cycle of the host": ([op("EWADD", mask=0)], 3),
    # WRA16 29 closes the row itself: the next ACT16 waits nCWL + nBL + nWR + nRP, then WRA16 130, closed at 170
    "WR_ABK twice": ([op("WR_ABK", row=0)] * 2, 171),
    # PRE nRAS after ACT, ACT nRC after ACT: 55 and 90; RD 126 and its data until 178
    "two rows of a bank": ([op("RD_SBK", bank=0, row=0), op("RD_SBK", bank=0, row=1)], 179),
    # PRE waits nCWL + nBL + nWR after WRCP 53: 94, ACT 126, WRCP 174 176 178
    "COPY_GBBK, two rows": ([op("COPY_GBBK", 3, bank=0, row=0), op("COPY_GBBK", 3, bank=0, row=1)], 180),
    # PREA waits nRAS or nRTP and the write: EWMUL16 30 of row 0 is followed by row 1's at 126 128 130
    "EWMUL, two rows": ([op("EWMUL", 3, row=0), op("EWMUL", 3, row=1)], 132),
    # ACT 1, ACT 12 (nRRD), RD 37 and 48, SYNC 101; WR 102, RD nCWL + nBL + nWTRL later: 121, until 173
    "a read after a write of its bank group": (
        [op("RD_SBK", bank=bank, row=0) for bank in (0, 1)]
        + [op("SYNC", mask=0), op("WR_SBK", bank=0, row=0), op("RD_SBK", bank=1, row=0)],
        174,
    ),
    # the same in two bank groups: RD nCWL + nBL + nWTRS after WR 102
    "a read after a write of another": (
        [op("RD_SBK", bank=bank, row=0) for bank in (0, 4)]
        + [op("SYNC", mask=0), op("WR_SBK", bank=0, row=0), op("RD_SBK", bank=4, row=0)],
        172,
    ),
}


def logs_of(
    program: list[Instruction], channels: int, queue_depth: int = 32, standard: Standard = AIM
) -> tuple[AimPlayer, list[list[LoggedCommand]]]:
    logs: list[list[LoggedCommand]] = [[] for _ in range(channels)]

    def note(run: CommandRun) -> None:
        step = 0 if run.column < 0 else 1
        for channel in run.channels:
            logs[channel] += [
                LoggedCommand(
                    cycle=run.cycle + i * run.spacing,
                    command=run.command,
                    bank=run.bank,
                    row=run.row,
                    column=run.column + i * step,
                )
                for i in range(run.count)
            ]

    player = AimPlayer(standard, channels, queue_depth=queue_depth, on_commands=note)
    player.play(encode(program))
    return player, logs


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cycles(name: str) -> None:
    program, cycles = PUBLISHED[name]
    player = AimPlayer(AIM)
    player.play(encode([*program, EOC]))
    assert player.cycle == cycles


@pytest.mark.parametrize("name", BY_HAND)
def test_cycles_worked_out_by_hand(name: str) -> None:
    """Fast player, slow player and checker read the same table, so only these counts show a wrong number in it."""
    instructions, cycles = BY_HAND[name]
    one_channel = [replace(instruction, mask=min(instruction.mask, 1)) for instruction in instructions]
    fast, slow = AimPlayer(AIM, 1), ReferenceAim(AIM, 1)
    fast.play(encode([*one_channel, EOC]))
    slow.play([*one_channel, EOC])
    assert (fast.cycle, slow.cycle) == (cycles, cycles)


def test_the_trace_of_every_instruction_takes_the_published_cycles() -> None:
    player = AimPlayer(AIM)
    play_file(ALL_ISR, player)
    assert player.cycle == 689


def test_the_slow_player_takes_them_too() -> None:
    for name in ("one full row", "1,024 register writes", "1,024 register reads", "a vector, a row, the result"):
        program, cycles = PUBLISHED[name]
        player = ReferenceAim(AIM, 1)
        player.play([Instruction(**{**vars(i), "mask": 1}) for i in [*program, EOC]])
        assert (name, player.cycle) == (name, cycles)


def test_a_mac_row_repeats_every_226_cycles() -> None:
    _, logs = logs_of([*(full_row(row, mask=1) for row in range(3)), EOC], 1)
    assert [e.cycle for e in logs[0] if e.command == "ACT16"] == [1, 227, 453]


def test_the_mode_switch_comes_when_the_command_behind_it_could_have_come() -> None:
    program = [op("WR_BIAS", mask=1), op("MAC_ABK", 2, 1, row=7), op("RD_MAC", mask=1), EOC]
    _, logs = logs_of(program, 1)
    assert [(e.cycle, e.command) for e in logs[0]] == [
        (1, "TMOD"),
        (33, "WRMAC16"),
        (34, "TMOD"),  # ACT16 waits for nothing after WRMAC16
        (66, "ACT16"),
        (122, "MAC16"),
        (124, "MAC16"),
        (126, "TMOD"),  # RDMAC16 waits nCCDL after MAC16
        (158, "RDMAC16"),
    ]


def test_bit_0_of_a_mask_is_the_last_channel() -> None:
    player, logs = logs_of([op("AF", mask=0b001), op("MAC_ABK", mask=0b100, row=5), EOC], 3)
    assert [[(e.command, e.row) for e in log] for log in logs] == [
        [("ACT16", 5), ("MAC16", 5)],
        [],
        [("ACT16", 16384), ("AF16", 16384)],
    ]
    assert player.classes == 3


def test_reads_overtake_what_is_not_ready_and_writes_wait_for_reads() -> None:
    program = [
        op("RD_SBK", mask=1, bank=0, row=0),
        op("RD_SBK", mask=1, bank=0, row=1),
        op("RD_SBK", mask=1, bank=0, row=0),
        op("WR_SBK", mask=1, bank=4, row=0),
        EOC,
    ]
    _, logs = logs_of(program, 1)
    assert [(e.command, e.bank, e.row) for e in logs[0]] == [
        ("ACT", 0, 0),
        ("RD", 0, 0),
        ("RD", 0, 0),
        ("PRE", 0, -1),
        ("ACT", 0, 1),
        ("ACT", 4, 0),
        ("RD", 0, 1),
        ("WR", 4, 0),
    ]


def test_a_row_open_in_one_bank_is_not_closed_to_open_it_in_all() -> None:
    _, logs = logs_of([op("COPY_BKGB", mask=1, bank=3, row=9), op("MAC_ABK", mask=1, row=9), EOC], 1)
    assert [e.command for e in logs[0]] == ["ACT", "RDCP", "ACT16", "MAC16"]
    assert first_violation(logs[0], AIM, check_modes=True) is None


@given(data=st.data(), channels=st.integers(1, 3), queue_depth=st.sampled_from([1, 2, 5, 32]))
@settings(max_examples=60)
def test_the_players_agree(data: st.DataObject, channels: int, queue_depth: int) -> None:
    program = data.draw(programs(channels))
    slow = ReferenceAim(AIM, channels, queue_depth=queue_depth)
    slow.play(program)
    fast, logs = logs_of(program, channels, queue_depth)
    assert fast.cycle == slow.cycle
    assert logs == [channel.log for channel in slow.channels]
    found = [(r.busy_cycles, r.open_cycles) for r in fast.results()]
    assert found == [(c.busy_cycles, c.open_cycles) for c in slow.channels]
    for log in logs:
        assert first_violation(log, AIM, check_modes=True) is None


@given(data=st.data(), cut=st.integers(0, 40))
@settings(max_examples=20)
def test_a_program_may_come_in_parts(data: st.DataObject, cut: int) -> None:
    program = data.draw(programs(2))
    whole, _ = logs_of(program, 2)
    parts = AimPlayer(AIM, 2)
    parts.play(encode(program[:cut]))
    parts.play(encode(program[cut:]))
    assert (parts.cycle, parts.results()) == (whole.cycle, whole.results())


def test_busy_and_idle_cycles_make_the_whole() -> None:
    player, _ = logs_of([full_row(mask=1), EOC], 2)
    assert [r.busy_cycles for r in player.results()] == [0, 183]  # ACT16 at 1 to the end of the last MAC16, 183 + 1
    assert [r.open_cycles for r in player.results()] == [0, 185]


def test_programs_in_memory_are_checked_like_files() -> None:
    with pytest.raises(TraceError, match="MAC_ABK: opsize 65 is out of range, expected 1 to 64"):
        AimPlayer(AIM).play(encode([op("MAC_ABK", 65, row=0)]))
    with pytest.raises(TraceError, match="MAC_ABK: mask 4 is out of range, expected 1 to 3"):
        AimPlayer(AIM, 2).play(encode([op("MAC_ABK", 1, 4, row=0)]))


@given(data=st.data())
def test_encoding_goes_both_ways(data: st.DataObject) -> None:
    program = data.draw(programs(3))
    assert decode(encode(program)) == program
