"""Tables of bursts say what the memory does, one burst at a time, to the cycle and the command."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.tables import Ints
from hwsim.dram.random_access.burst_channel import ROW_POLICIES, BurstChannel
from hwsim.dram.random_access.bursts import Refreshed, burst_times
from hwsim.dram.random_access.fields import Logged
from hwsim.dram.random_access.mappings import mapping_names
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError

CLOSING = load_parameters({"row_policy": "closed_adaptive"})
NAMES = ("hbm2_u55c", "hbm2", "ddr4_2133")


@cache
def channel(name: str, **changes: Any) -> BurstChannel:
    refresh = changes.pop("refresh", True)
    return BurstChannel(**{"standard": load_standard(name, refresh=refresh), "parameters": CLOSING, **changes})


@dataclass(frozen=True, kw_only=True)
class Burst:
    """`gap` counts from the cycle in which the channel has settled."""

    gap: int
    write: bool
    block: int
    offset: int
    size: int


@st.composite
def bursts(draw: st.DrawFn, of: BurstChannel) -> Burst:
    """Close together, anywhere within a few periods, and often where a refresh falls due."""
    offset = draw(st.one_of(st.just(0), st.integers(0, of.block_bytes - 1)))
    size = draw(st.one_of(st.just(of.block_bytes), st.integers(1, of.block_bytes)))
    blocks = of.address_mapping.capacity_bytes // of.block_bytes
    return Burst(
        gap=draw(st.one_of(st.integers(0, 3), st.integers(0, 500), st.integers(0, 3 * of.period))),
        write=draw(st.booleans()),
        block=draw(st.one_of(st.integers(0, 3), st.integers(0, blocks - 1))),
        offset=offset,
        size=min(size, of.block_bytes - offset),
    )


class Told:
    """What the tables say of bursts that follow each other."""

    def __init__(self, of: BurstChannel) -> None:
        self.channel = of
        self.refreshed = Refreshed()
        self.arrivals: list[int] = []
        self.done: list[int] = []
        self.commands: Counter[str] = Counter()
        self.settled = 0

    def follow(self, burst: Burst, *, near: int | None = None) -> Run:
        """The run of the next burst; with `near` it arrives so many cycles from the next refresh that is due."""
        arrival = self.settled + burst.gap
        if near is not None:
            arrival += (near - arrival) % self.channel.period
        times = burst_times(self.channel, write=burst.write, offset=burst.offset, size=burst.size)
        index = self.refreshed.index(times, arrival)
        self.arrivals.append(arrival)
        self.done.append(arrival + int(times.cycles[index]))
        self.settled = arrival + int(times.settled[index])
        self.commands.update(times.commands(index))
        address = burst.block * self.channel.block_bytes + burst.offset
        return Run(write=burst.write, address=address, size=burst.size, arrival=arrival)


def play(of: BurstChannel, runs: list[Run], until: int) -> tuple[list[int], Counter[str]]:
    """Completions of a real memory and the commands that it issues before a cycle."""
    found: Counter[str] = Counter()
    names = list(of.standard.commands)

    def count(rows: Ints) -> None:
        found.update(names[command] for command in rows[:, Logged.COMMAND].tolist())

    port = MemoryPort(of.address_mapping, of.parameters, [Master(name="dma")], on_commands=count)
    for run in runs:
        port.offer("dma", run)
    done = [completion.cycle for completion in port.advance(until)]
    return done, found


def with_refreshes(told: Told) -> Counter[str]:
    count = told.channel.refreshes_by(told.settled + 1)
    return told.commands + Counter({"REFab": count} if count else {})


def check(told: Told, data: st.DataObject) -> None:
    """A few bursts one after the other, told and played."""
    runs = []
    for burst in data.draw(st.lists(bursts(told.channel), min_size=1, max_size=8), label="bursts"):
        near = data.draw(st.one_of(st.none(), st.integers(-300, 450), st.integers(-60, 3)), label="near")
        runs.append(told.follow(burst, near=near))
    done, commands = play(told.channel, runs, told.settled + 1)
    assert done == told.done
    assert commands == with_refreshes(told)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=150)
def test_bursts_take_the_cycles_and_the_commands_that_the_tables_say(name: str, data: st.DataObject) -> None:
    check(Told(channel(name)), data)


@pytest.mark.parametrize("name", ["gddr6_aim", "ddr4", "ddr5", "lpddr4", "lpddr5", "gddr6", "hbm2e", "hbm3"])
@given(data=st.data())
@settings(max_examples=25)
def test_every_other_standard_that_can_close_its_rows_does_too(name: str, data: st.DataObject) -> None:
    check(Told(channel(name)), data)


@given(data=st.data())
def test_other_controllers_mappings_and_blocks_have_their_own_tables(data: st.DataObject) -> None:
    parameters = replace(
        CLOSING,
        read_queue=data.draw(st.integers(1, 40), label="read_queue"),
        write_queue=data.draw(st.integers(32, 40), label="write_queue"),
        bypass_cap=data.draw(st.integers(1, 20), label="bypass_cap"),
        row_policy=data.draw(st.sampled_from(ROW_POLICIES), label="row_policy"),
        row_cap=data.draw(st.sampled_from((0, 3)), label="row_cap"),
    )
    name, block = data.draw(st.sampled_from(mapping_names())), data.draw(st.sampled_from((256, 1024, 2048, 8192)))
    refused = ""
    try:
        of = channel("hbm2_u55c", parameters=parameters, mapping=name, block_bytes=block)
        burst_times(of, write=False, offset=0, size=block)
    except DramError as cause:
        refused = str(cause)
    if refused:  # the latter where each access opens a row of its own, all in one bank
        assert "does not lay out all blocks" in refused or "a refresh and a burst take up to" in refused
        return
    check(Told(of), data)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_the_slow_memory_agrees(name: str, data: st.DataObject) -> None:
    told = Told(channel(name))
    slow = ReferenceMemory(told.channel.address_mapping, CLOSING, [Master(name="dma")])
    for near in data.draw(st.lists(st.integers(-200, 250), min_size=1, max_size=3), label="near"):
        slow.offer(0, told.follow(data.draw(bursts(told.channel)), near=near))
    done = slow.drain() + slow.advance(told.settled + 1)
    assert [completion.cycle for completion in done] == told.done
    assert Counter(entry.command for entry in slow.channels[0].log) == with_refreshes(told)


def test_every_phase_of_a_table_is_a_play_at_that_phase() -> None:
    of = channel("hbm2_u55c")
    times = burst_times(of, write=False, offset=512, size=1024)
    arrivals = [(2 * phase + 1) * of.period + phase for phase in range(of.period)]
    runs = [Run(write=False, address=512, size=1024, arrival=arrival) for arrival in arrivals]
    done, _ = play(of, runs, arrivals[-1] + of.period)
    assert [end - begin for begin, end in zip(arrivals, done)] == times.cycles.tolist()


def test_all_blocks_of_a_channel_are_alike() -> None:
    """A burst in each bank and row that a block can be in, always at one phase."""
    of = channel("hbm2_u55c")
    chosen = [*range(64), *range(1000, of.address_mapping.capacity_bytes // 2048, 3001)]
    runs = [
        Run(write=True, address=2048 * block, size=2048, arrival=(n + 1) * of.period + 500)
        for n, block in enumerate(chosen)
    ]
    done, _ = play(of, runs, (len(runs) + 1) * of.period)
    assert {end - run.arrival for end, run in zip(done, runs)} == {146}
    touched = {of.address_mapping.place(run.address).bank for run in runs}
    assert touched == {0, 1, 2, 3}  # the banks of the first group: a block reaches the same bank of each


def story(of: BurstChannel, run: Run, until: int) -> list[tuple[int, str]]:
    """The commands of a play by cycle."""
    log: list[tuple[int, str]] = []
    names = list(of.standard.commands)

    def keep(rows: Ints) -> None:
        log.extend((int(row[Logged.CYCLE]), names[row[Logged.COMMAND]]) for row in rows)

    port = MemoryPort(of.address_mapping, of.parameters, [Master(name="dma")], on_commands=keep)
    port.offer("dma", run)
    port.advance(until)
    return log


def test_a_burst_that_a_refresh_cuts_opens_its_rows_again() -> None:
    """Eight reads in four bank groups, 20 cycles before a refresh is due at 3,510: three go before it, five after."""
    of = channel("hbm2_u55c")
    assert story(of, Run(write=False, address=0, size=256, arrival=3490), 3900) == [
        (3490, "ACT"), (3494, "ACT"), (3498, "ACT"), (3502, "ACT"), (3503, "RD"), (3507, "RD"), (3509, "RDA"),
        (3533, "PREA"), (3546, "REFab"),  # tRAS after the last activate, tRP after that
        (3780, "ACT"), (3784, "ACT"), (3788, "ACT"),  # the first group's row has served both of its reads
        (3793, "RD"), (3797, "RD"), (3799, "RDA"), (3801, "RDA"), (3803, "RDA"),
    ]  # fmt: skip
    times = burst_times(of, write=False, offset=0, size=256)
    assert times.commands(3490) == {"ACT": 7, "PREA": 1, "RD": 4, "RDA": 4}
    assert times.commands(1000) == {"ACT": 4, "RD": 4, "RDA": 4}
    assert (times.cycles[3490], times.cycles[1000]) == (3818 - 3490, 44)
    assert times.late[3490] == 36


def test_a_burst_before_a_refresh_makes_it_late_and_the_next_one_feels_that() -> None:
    of = channel("hbm2_u55c")
    times = burst_times(of, write=True, offset=0, size=32)
    refreshed = Refreshed()
    first = refreshed.index(times, 3480)
    assert (first, times.cycles[first], times.settled[first], times.late[first]) == (3480, 18, 46, 16)
    assert refreshed.cycle == 3526
    second = refreshed.index(times, 3530)  # in the refresh that was due at 3,510 and came at 3,526
    assert (second, times.cycles[second]) == (4, 230 + 18)
    runs = [Run(write=True, address=0, size=32, arrival=arrival) for arrival in (3480, 3530)]
    assert play(of, runs, 4000)[0] == [3498, 3778]


def test_a_burst_that_comes_before_the_channel_has_settled_takes_longer() -> None:
    of = channel("hbm2_u55c")
    times = burst_times(of, write=True, offset=0, size=32)
    assert (times.cycles[1000], times.settled[1000]) == (18, 46)
    runs = [Run(write=True, address=0, size=32, arrival=arrival) for arrival in (1000, 1045, 2000, 2046)]
    assert play(of, runs, 3000)[0] == [1018, 1064, 2018, 2064]


@given(data=st.data())
def test_the_lines_for_kernels_find_the_same_rows(data: st.DataObject) -> None:
    of = channel("hbm2_u55c")
    refreshed, kept, cycle = Refreshed(), 0, 0
    for _ in range(data.draw(st.integers(1, 20), label="bursts")):
        offset = data.draw(st.integers(0, 2000))
        times = burst_times(of, write=data.draw(st.booleans()), offset=offset, size=48)
        period, quiet = times.period, times.quiet
        arrival = cycle + data.draw(st.one_of(st.integers(0, 40), st.integers(0, 5000)))
        at = max(arrival, quiet)
        begin = at // period * period
        since = at - max(begin, kept)
        index = since if since < quiet else at - begin
        if times.late[index]:
            kept = begin + period + int(times.late[index])
        assert refreshed.index(times, arrival) == index
        assert refreshed.cycle == kept
        cycle = arrival + int(times.settled[index])


def test_before_the_first_refresh_none_is_felt() -> None:
    of = channel("hbm2_u55c")
    times = burst_times(of, write=False, offset=0, size=2048)
    assert [Refreshed().index(times, arrival) for arrival in (0, 100, 234, 235, 3510)] == [234, 234, 234, 235, 0]
    assert (times.cycles[0], times.cycles[234]) == (390, 156)
    runs = [Run(write=False, address=0, size=2048, arrival=arrival) for arrival in (0, 3510)]
    assert play(of, runs, 5000)[0] == [156, 3510 + 390]


def test_without_refresh_a_table_has_one_row() -> None:
    of = channel("hbm2_u55c", refresh=False)
    times = burst_times(of, write=False, offset=0, size=2048)
    assert (times.period, times.quiet, times.cycles.tolist(), times.late.tolist()) == (1, 0, [156], [0])
    assert times.commands(0) == {"ACT": 4, "RD": 60, "RDA": 4}
    assert [Refreshed().index(times, arrival) for arrival in (0, 1, 12345)] == [0, 0, 0]
    assert of.refreshes_by(1 << 30) == 0


@pytest.mark.parametrize("name", NAMES)
def test_no_burst_takes_longer_to_settle_than_the_channel_says(name: str) -> None:
    of = channel(name)
    tables = [
        burst_times(of, write=write, offset=offset, size=size)
        for write in (False, True)
        for offset, size in ((0, 2048), (0, 64), (64, 512), (640, 1024), (1984, 64))
    ]
    assert max(int((times.settled - times.cycles).max()) for times in tables) == of.settle_cycles
    assert all((times.settled >= times.cycles).all() for times in tables)
    assert max(int(times.late.max()) for times in tables) <= of.most_late


def test_equal_channels_and_accesses_share_their_table() -> None:
    one = channel("hbm2_u55c")
    other = BurstChannel(standard=load_standard("hbm2_u55c"), parameters=CLOSING)
    assert one is not other
    table = burst_times(one, write=False, offset=0, size=64)
    assert burst_times(other, write=False, offset=5, size=50) is table  # the same two accesses
    assert burst_times(one, write=True, offset=0, size=64) is not table


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"parameters": load_parameters()},
            "bursts on hbm2_u55c: row_policy must be closed or closed_adaptive, got open",
        ),
        (
            {"refresh": "per_bank"},
            "bursts on hbm2_u55c: all banks must be refreshed at once, found REFpb, which takes 16 turns",
        ),
        (
            {"block_bytes": 100},
            "bursts on hbm2_u55c: block_bytes must be a multiple of an access of 32 B, got 100",
        ),
        (
            {"block_bytes": 96},
            "bursts on hbm2_u55c: mapping RoBaRaCoBgCh does not lay out all blocks of 96 B alike",
        ),
        (
            {"mapping": "XorBaRaCoBgCh", "block_bytes": 1 << 29},
            "bursts on hbm2_u55c: mapping XorBaRaCoBgCh does not lay out all blocks of 536870912 B alike",
        ),
    ],
)
def test_what_tables_cannot_say_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DramError) as refused:
        channel("hbm2_u55c", **changes)
    assert str(refused.value) == message


def test_standards_that_tables_cannot_say_are_refused() -> None:
    with pytest.raises(DramError, match="bursts on hbm_pim: has no RDA and WRA"):
        channel("hbm_pim")
    ranks = load_standard("ddr4", levels={"rank": 2})
    with pytest.raises(DramError, match="bursts on ddr4: the channel must have one rank, found 2"):
        BurstChannel(standard=ranks, parameters=CLOSING)
    hbm = load_standard("hbm2_u55c")
    assert hbm.refresh
    late = hbm.with_refresh(replace(hbm.refresh, postponed=3))
    with pytest.raises(DramError, match="bursts on hbm2_u55c: no refresh may be postponed, found 3"):
        BurstChannel(standard=late, parameters=CLOSING)


def test_bursts_that_tables_cannot_say_are_refused() -> None:
    of = channel("hbm2_u55c")
    with pytest.raises(DramError, match="bursts on hbm2_u55c: 65 B at offset 1984 are not within a block of 2048 B"):
        burst_times(of, write=False, offset=1984, size=65)
    often = load_standard("hbm2_u55c", timing={"nREFI": 400})
    with pytest.raises(DramError) as refused:
        burst_times(BurstChannel(standard=often, parameters=CLOSING), write=False, offset=0, size=2048)
    assert str(refused.value) == (
        "bursts on hbm2_u55c: a refresh and a burst take up to 450 cycles, "
        "which must be within the 400 from one refresh to the next"
    )
    times = burst_times(of, write=True, offset=0, size=32)
    refreshed = Refreshed()
    refreshed.index(times, 3480)
    with pytest.raises(DramError, match="a burst arrives at cycle 3520, before the refresh at cycle 3526 was issued"):
        refreshed.index(times, 3520)


def test_the_documentation_shows_what_its_examples_print(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "memory_port.md").read_text(encoding="utf-8")
    section = text.split("## One burst at a time, by tables")[1]
    exec("".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL)), {})
    shown = ", ".join(re.findall(r"print\(.*\)  # (.*)", section))
    assert ", ".join(capsys.readouterr().out.splitlines()) == shown
