"""Channels, units and traces, by small timelines."""

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from hwsim.engine import Channel, TimeBase, Trace, Unit

Process = Generator[simpy.Event, Any, None]


def test_a_full_channel_holds_its_producer_back() -> None:
    env = simpy.Environment()
    channel = Channel(env, depth=1)
    seen: list[tuple[int, str]] = []

    def producer() -> Process:
        for item in "abc":
            yield channel.put(item)
            seen.append((int(env.now), f"put {item}"))

    def consumer() -> Process:
        for _ in range(3):
            yield env.timeout(10)
            item = yield channel.get()
            seen.append((int(env.now), f"got {item}"))

    env.process(producer())
    env.process(consumer())
    env.run()
    assert seen == [(0, "put a"), (10, "got a"), (10, "put b"), (20, "got b"), (20, "put c"), (30, "got c")]


def test_an_empty_channel_holds_its_consumers_in_order() -> None:
    env = simpy.Environment()
    channel = Channel(env, depth=4)
    seen: list[tuple[int, str, int]] = []

    def consumer(name: str) -> Process:
        item = yield channel.get()
        seen.append((int(env.now), name, item))

    def producer() -> Process:
        yield env.timeout(5)
        yield channel.put(1)
        yield channel.put(2)

    for name in ("first", "second"):
        env.process(consumer(name))
    env.process(producer())
    env.run()
    assert seen == [(5, "first", 1), (5, "second", 2)]
    assert len(channel) == 0


def test_a_channel_has_room_for_something() -> None:
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        Channel(simpy.Environment(), depth=0)


def test_a_unit_waits_for_its_edge_and_leaves_a_trace() -> None:
    env, trace = simpy.Environment(), Trace(keep=2)
    clock = TimeBase.of({"fast": 10, "slow": 2}).clocks["slow"]
    unit = Unit(env, "adder", clock, trace, source="test")

    def work() -> Process:
        yield env.timeout(1)
        for name in ("a", "b", "c"):
            yield unit.occupy(3, kind="add", name=name)

    env.process(work())
    env.run()
    assert trace.of("adder") == [(5, 20, "a"), (20, 35, "b")]  # the third is counted, not kept
    assert (trace.busy["adder"], trace.kinds["add"], trace.pieces) == (45, 45, 3)
