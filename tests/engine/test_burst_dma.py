"""A DMA engine with a channel for itself equals a memory port of its own, in ticks of two clocks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.engine.burst_dma import BurstDma
from hwsim.engine.clock import TimeBase
from hwsim.errors import DramError, MachineError

CHANNEL = BurstChannel(
    standard=load_standard("hbm2_u55c"), parameters=load_parameters({"row_policy": "closed_adaptive"})
)
BASE = TimeBase.of({"fabric": 300_000_000, "memory": 900_000_000})


def engine(*, request_ns: float = 40, response_ns: float = 50, base: TimeBase = BASE) -> BurstDma:
    return BurstDma(CHANNEL, base, request_ns=request_ns, response_ns=response_ns)


def test_a_burst_on_two_clocks() -> None:
    """At 300 and 900 MHz a tick is a cycle of the memory: 36 ticks there, 156 of the burst, 45 back, then an edge."""
    dma = engine()
    assert (dma.request, dma.back, dma.memory_period, dma.fabric_period) == (36, 45, 1, 3)
    assert dma.transfer(0, write=False, offset=0, size=2048) == 237
    assert dma.transfer(240, write=True, offset=0, size=60) == 345  # 276, then 22 cycles, 45 and 2 to the edge
    assert (dma.bursts, dma.bytes) == ([1, 1], [2048, 60])
    assert dma.commands == {"ACT": 6, "RD": 60, "RDA": 4, "WRA": 2}
    assert (dma.refreshes_by(3510), dma.refreshes_by(3511)) == (0, 1)


@given(data=st.data())
def test_a_stream_of_bursts_is_that_of_a_memory_port(data: st.DataObject) -> None:
    fabric = data.draw(st.sampled_from((200_000_000, 300_000_000, 250_000_000, 333_000_000)), label="fabric")
    base = TimeBase.of({"fabric": fabric, "memory": 900_000_000})
    clock, memory = base.clocks["fabric"], base.clocks["memory"]
    dma = engine(base=base)
    port = MemoryPort(CHANNEL.address_mapping, CHANNEL.parameters, [Master(name="dma")])
    tick, blocks = 0, 1 << 18
    for number in range(data.draw(st.integers(1, 30), label="bursts")):
        tick += clock.ticks(data.draw(st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 1500))))
        write, offset = data.draw(st.booleans()), 32 * data.draw(st.integers(0, 40))
        size = data.draw(st.sampled_from((32, 200, 2048 - offset)))
        response = dma.transfer(tick, write=write, offset=offset, size=size)
        arrival = memory.edge(tick + dma.request)
        port.advance(arrival)
        address = 2048 * data.draw(st.integers(0, blocks - 1)) + offset
        port.offer("dma", Run(write=write, address=address, size=size, arrival=arrival))
        done = port.foresee({number})
        assert done is not None
        assert response == clock.ticks(clock.edge(memory.ticks(done) + dma.back))
        tick = response
    port.advance(memory.edge(tick))
    refreshes = dma.refreshes_by(tick)
    assert port.served().commands == dict(dma.commands + Counter({"REFab": refreshes} if refreshes else {}))


def test_one_burst_at_a_time() -> None:
    dma = engine()
    dma.transfer(0, write=False, offset=0, size=2048)
    with pytest.raises(MachineError) as refused:
        dma.transfer(236, write=False, offset=0, size=2048)
    assert str(refused.value) == "DMA engine on hbm2_u55c: requests a burst at tick 236, before the response at 237"
    with pytest.raises(DramError, match="2048 B at offset 1 are not within a block of 2048 B"):
        dma.transfer(237, write=False, offset=1, size=2048)


def test_ways_in_which_the_channel_cannot_settle_are_refused() -> None:
    assert engine(request_ns=0, response_ns=31).back == 28
    with pytest.raises(MachineError) as refused:
        engine(request_ns=10, response_ns=20)
    assert str(refused.value) == (
        "DMA engine on hbm2_u55c: request_ns 10 and response_ns 20 are 27 cycles of the memory, "
        "which needs 28 to settle between bursts"
    )
    with pytest.raises(MachineError, match="request_ns -5 and response_ns 100"):
        engine(request_ns=-5, response_ns=100)


def test_the_memory_clock_is_that_of_the_standard() -> None:
    base = TimeBase.of({"fabric": 300_000_000, "memory": 1_000_000_000})
    with pytest.raises(
        MachineError, match="DMA engine on hbm2_u55c: memory 1000 MHz is not the standard's 900000000 Hz"
    ):
        engine(base=base)
