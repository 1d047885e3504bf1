"""The companion at work: what waits for what, equal to the tick to a reference that plays every event."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.engine.burst_dma import BurstDma
from hwsim.machines.swat.companion.player import Played
from hwsim.machines.swat.companion.streams import Rows
from hwsim.machines.swat.companion.work import CompanionWork, Engine, Pass
from tests.machines.swat.companion_reference import Slow, weights_there
from tests.machines.swat.companion_runs import channel, companion, player, time_base, works_of

TICKS = time_base().clocks["fabric"].period_ticks  # of a cycle


def a_pass(**changes: object) -> Pass:
    """Eight tiles of 8 rows of 512 B."""
    own = {
        "engine": "vector", "rows": 64, "tile_rows": 8, "reads": (whole(512),), "write": whole(512), "weight_bytes": 0,
        "cycles": 100, "last_cycles": 100,
    }  # fmt: skip
    return Pass(**{**own, **changes})  # type: ignore[arg-type]


def whole(size: int) -> Rows:
    return Rows(row_bytes=size, stride_bytes=size)


def work(name: str = "op", *passes: Pass) -> CompanionWork:
    return CompanionWork(name=name, kind="linear", layer=None, passes=passes or (a_pass(),))


@st.composite
def passes(draw: st.DrawFn, channels: int) -> Pass:
    """Whole rows and columns of rows, on few channels; bound by reading, writing or computing."""

    def rows() -> Rows:
        size = draw(st.sampled_from([20, 32, 512, 768, 1536, 3000]))
        beside = draw(st.sampled_from([0, 0, 32, 512]))
        return Rows(row_bytes=size, stride_bytes=size + 2 * beside, first_byte=beside)

    engine: Engine = draw(st.sampled_from(["matrix", "vector"]))
    tile_rows = channels * draw(st.integers(1, 6))
    cycles = draw(st.sampled_from([1, 40, 200, 1000]))
    return Pass(
        engine=engine,
        rows=draw(st.integers(1, 5 * tile_rows)),
        tile_rows=tile_rows,
        reads=tuple(rows() for _ in range(draw(st.integers(1, 2)))),
        write=rows(),
        weight_bytes=draw(st.sampled_from([0, 0, 100, 20_000])),
        cycles=cycles,
        last_cycles=draw(st.integers(1, cycles)),
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), channels=st.integers(1, 3), start=st.integers(0, 4000))
def test_a_pass_ends_when_the_last_event_of_the_reference_does(data: st.DataObject, channels: int, start: int) -> None:
    each, at = data.draw(passes(channels)), start * TICKS
    fast = player(companion(channels=channels, rows=6 * channels))
    played = fast.run(work("op", each), at)
    weights = weights_there(each.weight_bytes, fast.companion.weight_channels, channel(), time_base(), at)
    slow = Slow(each, channels, channel(), time_base(), at, weights)
    assert slow.play() == played.ended
    assert sum([played.matrix, played.vector, played.rows_wait, played.weights_wait, played.writes_wait]) == (
        played.ended - played.begun
    )
    assert fast.rows.bursts == [sum(engine.bursts[write] for engine in slow.engines) for write in (0, 1)]
    assert fast.rows.bytes == [sum(engine.bytes[write] for engine in slow.engines) for write in (0, 1)]
    accesses = {"RD", "RDA", "WR", "WRA"}
    commands: Counter[str] = sum((engine.commands for engine in slow.engines), Counter())
    for name in accesses:  # of other commands a channel with fewer rows may need one less where it meets a refresh
        assert fast.rows.commands().get(name, 0) == commands[name]


def test_channels_with_equal_rows_do_the_same_at_the_same_time() -> None:
    slow = Slow(a_pass(), 4, channel(), time_base(), 0, 0)
    slow.play()
    assert len({(engine.free, tuple(sorted(engine.commands.items()))) for engine in slow.engines}) == 1


def test_all_commands_of_equal_channels_are_counted() -> None:
    fast, slow = player(companion(channels=4)), Slow(a_pass(), 4, channel(), time_base(), 0, 0)
    slow.play()
    fast.run(work(), 0)
    assert fast.rows.commands() == dict(sum((engine.commands for engine in slow.engines), Counter()))
    assert fast.rows.refreshes_by(slow.engines[0].free) == 4 * slow.engines[0].refreshes_by(slow.engines[0].free)


def test_a_pass_that_computes_long_takes_its_cycles_and_the_ends() -> None:
    """The first rows come, all tiles are computed without a gap, the last results leave."""
    played = player(companion(), refresh=False).run(work("op", a_pass(cycles=5000, last_cycles=5000)), 0)
    ways = alone(write=False) + alone(write=True)
    assert played.ended == 8 * 5000 * TICKS + ways
    alone_in_it = Played(
        begun=0, ended=played.ended, vector=8 * 5000 * TICKS, rows_wait=alone(write=False),
        writes_wait=alone(write=True), row_bytes=2 * 8 * 8 * 512,
    )  # fmt: skip
    assert played == replace(alone_in_it, passes=(alone_in_it,))


def alone(*, write: bool) -> int:
    """Ticks of a burst of 512 B."""
    engine = BurstDma(channel(refresh=False), time_base(), request_ns=50, response_ns=50)
    return engine.transfer(0, write=write, offset=0, size=512)


def test_a_pass_that_computes_fast_waits_for_the_memory() -> None:
    played = player(companion(), refresh=False).run(work("op", a_pass(cycles=1, last_cycles=1)), 0)
    assert played.ended == 8 * (alone(write=False) + alone(write=True))
    assert played.vector == 8 * TICKS


def linear(name: str, weight_bytes: int, cycles: int = 50_000) -> CompanionWork:
    return work(name, a_pass(engine="matrix", weight_bytes=weight_bytes, cycles=cycles, last_cycles=cycles))


def test_weights_come_while_the_operator_before_runs() -> None:
    fast = player(companion())
    first, second = linear("first", 1 << 20), linear("second", 1 << 20)
    begun = fast.run(first, 0, second)
    after = fast.run(second, begun.ended)
    assert begun.weights_wait > 0
    assert after.weights_wait == 0
    assert fast.weights.bytes == [2 << 20, 0]
    assert fast.buffer.held_most == 2 << 20


def test_weights_that_do_not_fit_beside_come_when_the_others_are_done_with() -> None:
    small = companion(buffer_bytes=(2 << 20) - 1)
    first, second = linear("first", 1 << 20), linear("second", 1 << 20)
    fast = player(small)
    begun = fast.run(first, 0, second)
    after = fast.run(second, begun.ended)
    computed = begun.ended - begun.writes_wait
    assert 0 < after.weights_wait <= begun.weights_wait + begun.rows_wait
    assert after.begun + after.rows_wait + after.weights_wait > computed
    assert fast.buffer.held_most == 1 << 20


def test_what_comes_late_is_waited_for() -> None:
    """The operator before takes no time, so the weights of the next one are waited for as if nothing ran before."""
    fast = player(companion())
    begun = fast.run(linear("first", 32, cycles=1), 0, linear("second", 8 << 20))
    after = fast.run(linear("second", 8 << 20), begun.ended)
    first = weights_there(32, 4, channel(), time_base(), 0)
    there = weights_there(8 << 20, 4, channel(), time_base(), first)
    assert after.begun + after.rows_wait + after.weights_wait == there


def test_weights_that_came_for_another_operator_come_again() -> None:
    fast = player(companion())
    begun = fast.run(linear("first", 32), 0, linear("second", 64))
    fast.run(linear("third", 96), begun.ended)
    assert fast.weights.bytes == [32 + 64 + 96, 0]


def test_weights_pass_an_operator_without_such() -> None:
    """A sum between two matrices: the second's weights come beside the first and stay."""
    fast = player(companion())
    second = linear("second", 1 << 20)
    first = fast.run(linear("first", 1 << 20), 0, second)
    between = fast.run(work("sum"), first.ended, second)
    after = fast.run(second, between.ended)
    assert (after.weights_wait, fast.weights.bytes[0]) == (0, 2 << 20)


def test_the_time_of_kinds_adds_up() -> None:
    fast = player(companion())
    at = 0
    for each in works_of("longformer_base_4096", fast.companion)[:24]:
        at = fast.run(each, at).ended
    assert sum(fast.ticks.values()) == at
    assert set(fast.ticks) >= {"embed", "norm", "linear", "act", "eltwise", "scatter"}


def test_a_view_takes_no_time() -> None:
    assert player(companion()).run(CompanionWork(name="part", kind="slice", layer=None, passes=()), 7) == Played(
        begun=7, ended=7
    )


def test_a_model_of_twelve_layers_plays_in_well_below_a_second() -> None:
    fast = player(companion())
    works = works_of("longformer_base_4096", fast.companion)
    fast.run(works[0], 0)  # which makes tables
    fast = player(companion())
    begun, at = time.perf_counter(), 0
    for each in works:
        at = fast.run(each, at).ended
    assert time.perf_counter() - begun < 1.5  # 0.08 s where nothing else runs
    assert at > 0


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 63])
def test_rows_that_are_no_whole_tile_are_all_moved(rows: int) -> None:
    fast = player(companion())
    fast.run(work("op", replace(a_pass(), rows=rows)), 0)
    assert fast.rows.bytes == [rows * 512, rows * 512]
