"""Activity of channels over time, against a replay of the reference player's log, command by command."""

from collections import defaultdict
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.log import LoggedCommand, PlayLog
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.activity import Changes, channel_activity
from hwsim.dram.in_order.package import Package, PackageProgram
from hwsim.dram.in_order.program import Request, encode
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import STANDARDS, load_standard
from tests.dram.strategies import programs


def open_rows(log: list[LoggedCommand], standard: Standard) -> list[tuple[int, int]]:
    """(cycle, banks with an open row) after each change, bank by bank."""
    banks: set[int] = set()
    seen = [(0, 0)]
    for entry in log:
        command = standard.commands[entry.command]
        below = standard.banks_below(command.scope)
        first = max(entry.bank, 0) // below * below
        if command.kind == "activate":
            banks |= set(range(first, first + below))
        elif command.kind == "precharge" or command.auto_precharge:
            banks -= set(range(first, first + below))
        if seen[-1][1] != len(banks):
            seen.append((entry.cycle, len(banks)))
    return [point for point, later in pairwise([*seen, (-1, 0)]) if point[0] != later[0]]  # the first at cycle 0


def single_bytes(log: list[LoggedCommand], standard: Standard) -> dict[int, int]:
    """Cycle to bytes under way, each access counted from its issue to its completion."""
    flying: dict[int, int] = defaultdict(int)
    for entry in log:
        command = standard.commands[entry.command]
        if command.access:
            banks = standard.banks_below(command.scope) if command.access == "compute" else 1
            for cycle in range(entry.cycle, entry.cycle + command.duration):
                flying[cycle] += banks * standard.column_bytes
    return flying


def by_cycle(changes: Changes, last: int) -> list[int]:
    at = dict(zip(changes[0].tolist(), changes[1].tolist(), strict=True))
    return list(accumulate(range(last + 1), lambda value, cycle: at.get(cycle, value), initial=0))[1:]


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=25)
def test_activity_equals_a_replay_of_the_reference_log(name: str, data: st.DataObject) -> None:
    standard = load_standard(name)
    channels = 3
    package = Package(standard, channels, first_refresh=300)
    logs: list[PlayLog] = []
    package.observe(logs.append)
    apart = [ReferenceChannel(standard, first_refresh=300) for _ in range(channels)]
    now = 0
    for _ in range(data.draw(st.integers(1, 3))):
        some = data.draw(st.lists(programs(standard), min_size=1, max_size=2))
        of = [some[data.draw(st.integers(0, len(some) - 1))] for _ in range(channels)]
        now += data.draw(st.integers(0, 500))
        ends = [channel.play(requests, now) for channel, requests in zip(apart, of, strict=True)]
        now = package.play(PackageProgram.of([encode(requests, standard) for requests in of]), now)
        activity = channel_activity(standard, channels, logs)
        for part, requests, end in zip(activity, of, ends, strict=True):
            assert part.ends[-1] == (end if any(r.count for r in requests) else -1)
    for part, channel in zip(activity, apart, strict=True):
        points = zip(*(side.tolist() for side in part.open_rows), strict=True)
        assert list(points) == open_rows(channel.log, standard)
        single = single_bytes(channel.log, standard)
        for cycle, value in enumerate(by_cycle(part.bytes_in_flight, max(single, default=0))):
            assert value >= single.get(cycle, 0)
        assert part.bytes_in_flight[1][-1] == 0
        assert part.bytes_in_flight[0][-1] == max((cycle + 1 for cycle in single), default=0)


def test_a_sweep_of_a_row_is_one_step_of_each_counter() -> None:
    standard = load_standard("pim_gpt", refresh=False)
    package = Package(standard, 1)
    logs: list[PlayLog] = []
    package.observe(logs.append)
    requests = [Request(command="WRGB", count=4), Request(command="MAC16", count=8), Request(command="RDMAC16")]
    end = package.play(PackageProgram.of([encode(requests, standard)]), 0)
    (channel,) = channel_activity(standard, 1, logs)
    assert end == 49
    assert [side.tolist() for side in channel.open_rows] == [[0, 7], [0, 16]]
    # a burst takes 3 cycles and the next comes after 2, so two of 32 B are under way; a MAC16 reads 16 banks at once
    assert [side.tolist() for side in channel.bytes_in_flight] == [[0, 9, 31, 47, 49], [64, 0, 512, 32, 0]]


def test_a_package_that_nobody_observes_keeps_nothing() -> None:
    standard = load_standard("pim_gpt")
    package = Package(standard, 1)
    logs: list[PlayLog] = []
    program = PackageProgram.of([encode([Request(command="WRGB")], standard)])
    package.observe(logs.append)
    now = package.play(program, 0)
    package.observe(None)
    package.play(program, now)
    assert (len(logs), package.counts["WRGB"]) == (1, 2)
