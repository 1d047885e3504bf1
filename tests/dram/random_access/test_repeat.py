"""Runs in closed form: to the cycle what their requests are one by one, at the cost of rows and not of beats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.mappings import load_mapping, mapping_names
from hwsim.dram.random_access.masters import POLICIES, Completion, Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import STANDARDS, load_standard

SHIPPED = load_parameters()


def results(port: MemoryPort) -> dict[str, object]:
    """All counters of a memory."""
    served = port.served()
    found = {name: value for name, value in vars(served).items() if not name.endswith(("latencies", "responses"))}
    for name in ("read_latencies", "write_latencies"):
        counts = getattr(served, name)
        found[name] = dict(zip(counts.cycles.tolist(), counts.counts.tolist(), strict=True))
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=15)
def test_long_runs_of_several_masters_equal_what_is_played_beat_by_beat(name: str, data: st.DataObject) -> None:
    standard = load_standard(name)
    if data.draw(st.booleans()):
        standard = standard.without_refresh()
    mapping = load_mapping(data.draw(st.sampled_from(mapping_names())), standard, data.draw(st.integers(1, 2)))
    masters = [
        Master(name=f"m{i}", outstanding=data.draw(st.sampled_from((None, None, 1, 4, 40))), every=every)
        for i, every in enumerate(data.draw(st.lists(st.sampled_from((1, 1, 3, 11, 60)), min_size=1, max_size=3)))
    ]
    policy = data.draw(st.sampled_from(POLICIES))
    # a memory that hands over its commands looks at every beat
    ports = [
        MemoryPort(mapping, SHIPPED, masters, policy=policy, on_commands=on_commands)  # type: ignore[arg-type]
        for on_commands in (None, lambda _: None)
    ]
    size = standard.column_bytes
    for i in range(data.draw(st.integers(1, 4))):
        count = data.draw(st.integers(1, 3000))
        stride = data.draw(st.sampled_from((0, size, size, 2 * size, 4 * size, 3 * size, 64 * size, 65 * size)))
        beat = data.draw(st.sampled_from((None, None, None, 2 * size, size // 2)))
        run = Run(
            write=data.draw(st.booleans()),
            address=data.draw(st.integers(0, 200)) * size + i * (mapping.capacity_bytes // 8 // size * size),
            stride=stride,
            count=count,
            size=beat,
            arrival=data.draw(st.sampled_from((0, 0, 500))),
        )
        m = data.draw(st.integers(0, len(masters) - 1))
        last = max([0, *(port._last_arrival[m] for port in ports)])
        for port in ports:
            port.offer(f"m{m}", replace(run, arrival=max(run.arrival, last)))
    for until in sorted(data.draw(st.lists(st.integers(0, 20_000), max_size=3))):
        assert ports[0].advance(until) == ports[1].advance(until)
    assert ports[0].drain() == ports[1].drain()
    assert results(ports[0]) == results(ports[1])


def stream(standard: Standard, count: int) -> MemoryPort:
    port = MemoryPort(load_mapping(None, standard, 1), SHIPPED, [Master(name="stream")])
    port.offer("stream", Run(write=False, address=0, stride=standard.column_bytes, count=count))
    return port


def test_a_run_takes_steps_for_its_rows_and_not_for_its_beats() -> None:
    standard = load_standard("ddr4_2133", levels={"bank": 1}, columns=4096, refresh=False)
    port = stream(standard, 4 * 4096)
    # four bank groups with a row each: tRCD 15, a read every 4 cycles, CL 15 + BL 4
    assert port.drain() == [Completion(15 + 4 * (4 * 4096 - 1) + 19, 0, 4 * 4096 - 1)]
    assert port.skipped > 16_000
    assert port.steps < 1_000


def test_the_next_row_is_not_taken_for_the_present_one() -> None:
    """Runs whose accesses under way were all in one row repeated, though their next access was in another."""
    port = stream(load_standard("ddr4_2133"), 24_000)
    port.drain()
    beats = np.arange(24_000)
    banks = (beats % 4) * 4 + beats // 512 % 4  # bank groups follow each other, then columns, then banks
    assert port.served().bank_accesses.tolist() == [np.bincount(banks).tolist()]
