"""A memory inside another compiled function."""

from __future__ import annotations

import numpy as np

from hwsim.dram.device.compiled import compiled_outside
from hwsim.dram.random_access.embedded import advance, advance_to_completion, known, offer, take_completions
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Completion, Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard

MAPPING = load_mapping(None, load_standard("ddr4_2133"), 1)


@compiled_outside
def pointer_chase(m, kept, hops, address, stride, finished):  # type: ignore[no-untyped-def]
    """Each read begins when the one before it is complete; `finished` receives the cycles."""
    cycle = 0
    for hop in range(hops):
        advance(m, kept, cycle)
        offer(m, 0, 0, address, 0, 1, 64, cycle, hop)
        while known(m) == 0:
            advance_to_completion(m, kept, cycle + 1000)
        cycle = m.completions[0, 0]
        take_completions(m)
        finished[hop] = cycle
        address = (address + stride) % (1 << 30)
    return cycle


def test_a_kernel_that_follows_pointers_waits_for_each_read() -> None:
    port = MemoryPort(MAPPING, load_parameters(), [Master(name="core")])
    finished = np.zeros(100, dtype=np.int64)
    pointer_chase(*port.arrays, 100, 0, 123 * 64, finished)
    again = MemoryPort(MAPPING, load_parameters(), [Master(name="core")])
    expected, cycle = [], 0
    for hop in range(100):
        again.advance(cycle)
        again.offer("core", Run(write=False, address=hop * 123 * 64 % (1 << 30), arrival=cycle))
        cycle = again.drain()[0].cycle if hop == 99 else again.foresee({hop}) or 0
        expected.append(cycle)
    assert finished.tolist() == expected
    assert finished[0] == 34


def test_offers_stop_where_the_ring_is_full() -> None:
    port = MemoryPort(MAPPING, load_parameters(), [Master(name="core")], room=2)
    memory, kept = port.arrays
    assert [bool(fill(memory, 64 * i)) for i in range(3)] == [True, True, False]
    assert advance(memory, kept, 100)
    assert memory.completions[: memory.host[8]].tolist() == [list(Completion(34, 7, 0)), list(Completion(38, 7, 0))]


@compiled_outside
def fill(m, address):  # type: ignore[no-untyped-def]
    return offer(m, 0, 0, address, 0, 1, 64, 0, 7)
