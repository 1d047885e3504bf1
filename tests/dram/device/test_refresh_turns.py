"""Which banks a refresh covers in its turn, and when each rank's refreshes fall due."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Command, Constraint, Refresh, Standard, check_standard
from hwsim.dram.in_order.package import Package
from hwsim.dram.in_order.program import Request
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError

RANKS = load_standard("ddr4", levels={"rank": 2})


def in_turns(standard: Standard, *, stride: int | None = None) -> Standard:
    """The standard with a command that refreshes one bank, or every `stride`-th, in turns."""
    command = Command(name="REF", scope="bank", kind="refresh", stride=stride)
    after = Constraint(level="bank", preceding="REF", following="ACT", latency=100)
    changed = replace(
        standard, commands={**standard.commands, "REF": command}, constraints=(*standard.constraints, after)
    )
    turns = standard.banks_per_rank if stride is None else stride
    return changed.with_refresh(Refresh(command="REF", precharge="PRE", interval=9600, turns=turns))


def test_a_refresh_of_all_banks_covers_a_rank_and_ranks_take_turns() -> None:
    assert RANKS.refresh_targets(0) == tuple(range(16))
    assert [RANKS.refresh_due(k, rank) for k in range(2) for rank in range(2)] == [9360, 14040, 18720, 23400]


def test_a_refresh_of_one_bank_covers_each_in_turn() -> None:
    banks = in_turns(RANKS)
    assert [banks.refresh_targets(turn) for turn in (0, 1, 15)] == [(0,), (1,), (15,)]
    assert [banks.refresh_due(k, rank) for k in range(2) for rank in range(2)] == [600, 900, 1200, 1500]


def test_a_refresh_of_the_same_bank_covers_it_in_every_group() -> None:
    same = in_turns(RANKS, stride=4)
    assert [same.refresh_targets(turn) for turn in range(4)] == [(b, b + 4, b + 8, b + 12) for b in range(4)]
    assert [list(same.banks_of("REF", bank)) for bank in (7, 21)] == [[3, 7, 11, 15], [17, 21, 25, 29]]
    assert [same.refresh_due(k) for k in range(5)] == [2400, 4800, 7200, 9600, 12000]


@given(
    interval=st.integers(1, 20_000), turns=st.integers(1, 32), ranks=st.integers(1, 8), k=st.integers(0, 999),
    postponed=st.integers(0, 8),
)  # fmt: skip
def test_every_bank_is_refreshed_once_an_interval(
    interval: int, turns: int, ranks: int, k: int, postponed: int
) -> None:
    refresh = Refresh(command="REF", precharge="PRE", interval=interval, turns=turns, postponed=postponed)
    due = [refresh.due(k, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert due == sorted(due)
    assert due[-1] <= refresh.due(k + postponed + 1)
    if not postponed:
        assert refresh.due(k + turns) == refresh.due(k) + interval


def test_the_checker_holds_a_refresh_of_skipped_banks_against_each_of_them() -> None:
    same = in_turns(load_standard("ddr4"), stride=4)
    refresh = LoggedCommand(cycle=0, command="REF", bank=1)
    beside = [LoggedCommand(cycle=50, command="ACT", bank=bank, row=0) for bank in (0, 4, 10)]
    for entry in beside:
        assert first_violation([refresh, entry], same) is None
    for bank in (1, 5, 13):
        violation = first_violation([refresh, LoggedCommand(cycle=99, command="ACT", bank=bank, row=0)], same)
        assert violation is not None
        assert (violation.rule, violation.earliest) == ("REF -> ACT at bank: 100 cycles, found 99", 100)


def test_the_checker_counts_the_refreshes_of_each_rank_and_turn() -> None:
    same = in_turns(RANKS, stride=4)
    turns = [
        LoggedCommand(cycle=same.refresh_due(k, rank), command="REF", bank=16 * rank + k % 4)
        for k in range(6)
        for rank in range(2)
    ]
    assert first_violation(turns, same, max_refresh_delay=0) is None
    violation = first_violation([e for e in turns if e.bank != 18], same, max_refresh_delay=0)
    assert violation is not None
    assert violation.rule == "refresh due at cycle 8400 must come by 8400"


def test_ranks_wait_for_each_other_at_the_pins() -> None:
    """Reads of two ranks lie a burst of 4 and 2 idle cycles apart, those of one rank and two bank groups only 4."""
    channel = ReferenceChannel(RANKS.without_refresh())
    opened = [Request(command="RD", bank=bank, row=0) for bank in (0, 4, 16)]
    channel.play(opened, 0)
    channel.play(opened, 200)
    assert [(e.cycle, e.bank) for e in channel.log if e.cycle >= 200] == [(200, 0), (204, 4), (210, 16)]
    assert first_violation(channel.log, RANKS.without_refresh()) is None
    early = [*channel.log[:-1], replace(channel.log[-1], cycle=209)]
    assert str(first_violation(early, RANKS)) == (
        "command 8 (209 RD 16 0 0): RD -> RD in another rank: 6 cycles, found 5; legal from cycle 210 on"
    )


def test_in_order_players_refuse_what_they_cannot_refresh() -> None:
    with pytest.raises(DramError, match="standard ddr4: the in-order controller plays one rank, found 2"):
        Package(RANKS, 1)
    with pytest.raises(DramError, match="the in-order controller with refresh plays one rank, found 2"):
        ReferenceChannel(RANKS)
    for player in (lambda s: Package(s, 1), ReferenceChannel):
        with pytest.raises(DramError, match="refreshes all banks at once, found REF, which takes 16 turns"):
            player(in_turns(load_standard("ddr4")))


def test_turns_that_come_before_the_last_has_ended_are_refused() -> None:
    standard = in_turns(load_standard("ddr4"))
    apart = Constraint(level="rank", preceding="REF", following="REF", latency=600)
    crowded = replace(standard, constraints=(*standard.constraints, apart))

    with pytest.raises(DramError, match="REF every 600 cycles leaves no time for work, two of them lie 600 apart"):
        check_standard(crowded)
