"""The compiled fabric equals the slow one: ends, waits, counts of the ports and of the DRAM."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from hwsim.dram.device.tables import FOREVER
from hwsim.errors import WiringError
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.reference import ReferenceFabric
from hwsim.fabric.task import Task
from tests.fabric.strategies import Case, cases

Starts = list[tuple[int, Task]]


def story(fabric: FabricPlayer | ReferenceFabric, starts: Starts, stops: list[int]) -> list[Any]:
    """What ends when, if tasks start in given cycles and the play is looked at in others; or how it ends badly."""
    found: list[Any] = []
    playing = 0
    for cycle, task in [*starts, *((stop, None) for stop in stops), (FOREVER, None)]:
        while playing and fabric.cycle < cycle:
            try:
                ended = fabric.advance(cycle)
            except WiringError as error:
                return [*found, str(error)]
            playing -= len(ended)
            found += [(fabric.cycle, number, each) for number, each in ended]
        if not playing and cycle < FOREVER:
            fabric.skip_to(cycle)
        if task is not None:
            fabric.start(task)
            playing += 1
    return found


def memory_of(fabric: FabricPlayer | ReferenceFabric) -> dict[str, Any]:
    """What the memory counted."""
    if isinstance(fabric, FabricPlayer):
        served = fabric.served()
        return {
            "commands": served.commands,
            "kinds": [served.hits, served.misses, served.conflicts],
            "forwarded": served.forwarded,
            "merged": served.merged,
            "finish": served.cycles,
            "accesses": served.bank_accesses.tolist(),
            "reads": np.repeat(served.read_latencies.cycles, served.read_latencies.counts).tolist(),
            "writes": np.repeat(served.write_latencies.cycles, served.write_latencies.counts).tolist(),
        }
    slow = fabric.settle_memory()
    return {
        "commands": dict(Counter(entry.command for channel in slow.channels for entry in channel.log)),
        "kinds": np.sum([channel.kinds for channel in slow.channels], axis=0).tolist(),
        "forwarded": slow.forwarded,
        "merged": slow.merged,
        "finish": slow.finish,
        "accesses": [channel.accesses for channel in slow.channels],
        "reads": sorted(slow.latencies[0]),
        "writes": sorted(slow.latencies[1]),
    }


def check_equal(case: Case) -> None:
    fast, slow = (player(case.base, case.system, ideal=case.ideal) for player in (FabricPlayer, ReferenceFabric))
    assert story(fast, case.starts, case.stops) == story(slow, case.starts, case.stops)
    assert fast.cycle == slow.cycle
    assert fast.port_use() == slow.port_use()
    assert memory_of(fast) == memory_of(slow)


@given(case=cases())
@settings(max_examples=60)
def test_generated_tasks_are_played_alike(case: Case) -> None:
    check_equal(case)


@pytest.mark.slow
@given(case=cases())
@settings(max_examples=3000)
def test_many_more_generated_tasks_are_played_alike(case: Case) -> None:
    check_equal(case)
