"""The compiled memory equals the slow one to the cycle and the command, for several masters and all policies."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.device.checker import first_violation
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.device.tables import Ints
from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.mappings import load_mapping, mapping_names
from hwsim.dram.random_access.masters import POLICIES, Completion, Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import ROW_POLICIES, ControllerParameters, load_parameters
from hwsim.dram.random_access.reference import ReferenceMemory
from hwsim.dram.random_access.served import LatencyCounts
from hwsim.dram.standards.document import read_document
from hwsim.dram.standards.load import STANDARDS, load_standard
from hwsim.errors import DramError

SHIPPED = load_parameters()


def controllers(standard: Standard) -> st.SearchStrategy[ControllerParameters]:
    closing = {"RDA", "WRA"} <= set(standard.commands)
    small = st.builds(
        ControllerParameters,
        read_queue=st.integers(1, 6),
        write_queue=st.integers(4, 6),
        write_high=st.integers(2, 4),
        write_low=st.integers(0, 1),
        most_writes_a_drain=st.integers(1, 8),
        least_reads_between=st.integers(1, 4),
        bypass_cap=st.integers(1, 4),
        row_policy=st.sampled_from(ROW_POLICIES) if closing else st.just("open"),
        row_cap=st.sampled_from((0, 0, 1, 3)) if closing else st.just(0),
    )
    return st.one_of(st.just(SHIPPED), small)


@st.composite
def standards(draw: st.DrawFn, name: str) -> Standard:
    """A standard with its refresh often due, without refresh, or as it is; some with ranks or refresh in turns."""
    document = read_document(name)[1]
    ranks = draw(st.sampled_from((1, 2))) if "rank" in document["levels"] else 1
    mode = draw(st.sampled_from([False, *document["refresh"]]))
    standard = load_standard(name, levels={"rank": ranks} if ranks > 1 else None, refresh=mode)
    if standard.refresh and draw(st.booleans()):  # due often
        least = 700 + 2 * standard.params["nRFC"]
        turns = standard.refresh.turns
        standard = standard.with_refresh(replace(standard.refresh, interval=least * (2 if turns > 1 else 1)))
    return standard


@st.composite
def runs(draw: st.DrawFn, mapping: AddressMapping, arrival: int) -> Run:
    """Close together or anywhere, single or a few beats, aligned or not."""
    size = mapping.standard.column_bytes
    last = mapping.capacity_bytes // size - 1
    count = draw(st.one_of(st.just(1), st.integers(1, 12)))
    stride = draw(st.sampled_from((0, size, -size, 3 * size, size // 2, 64 * size + size, 1 << 20)))
    beat = draw(st.sampled_from((None, None, 1, size, 2 * size + 1)))
    first = draw(st.one_of(st.integers(0, 40), st.integers(0, last))) * size + draw(st.sampled_from((0, 0, 7)))
    low, high = min(0, (count - 1) * stride), max(0, (count - 1) * stride) + (beat or 1)
    address = max(-low, min(first, mapping.capacity_bytes - high))
    return Run(
        write=draw(st.booleans()), address=address, stride=stride, count=count, size=beat, arrival=arrival
    )  # fmt: skip


def masters() -> st.SearchStrategy[list[Master]]:
    one = st.tuples(st.sampled_from((None, None, 1, 3)), st.sampled_from([(1, 1), (3, 1), (1, 7), (1, 90), (2, 5)]))
    return st.lists(one, min_size=1, max_size=4).map(
        lambda drawn: [
            Master(name=f"m{i}", outstanding=outstanding, width=width, every=every)
            for i, (outstanding, (width, every)) in enumerate(drawn)
        ]
    )


def counted(latencies: LatencyCounts) -> list[int]:
    return np.repeat(latencies.cycles, latencies.counts).tolist()  # type: ignore[no-any-return]


class Logs:
    """The commands of a port by channel."""

    def __init__(self, mapping: AddressMapping) -> None:
        self.names = list(mapping.standard.commands)
        self.channels: list[list[LoggedCommand]] = [[] for _ in range(mapping.channels)]

    def keep(self, entries: Ints) -> None:
        for channel, cycle, command, bank, row, column in entries.tolist():
            self.channels[channel].append(
                LoggedCommand(cycle=cycle, command=self.names[command], bank=bank, row=row, column=column)
            )


@pytest.mark.parametrize("name", STANDARDS)
@given(data=st.data())
@settings(max_examples=25)
def test_interleaved_masters_equal_the_reference(name: str, data: st.DataObject) -> None:
    standard = data.draw(standards(name))
    mapping = load_mapping(
        data.draw(st.sampled_from(mapping_names())), standard, data.draw(st.integers(1, 3), label="channels")
    )
    parameters, who = data.draw(controllers(standard)), data.draw(masters())
    policy, width = data.draw(st.sampled_from(POLICIES)), data.draw(st.integers(1, 3), label="width")
    slow = ReferenceMemory(mapping, parameters, who, policy=policy, width=width)  # type: ignore[arg-type]
    logs = Logs(mapping)
    fast = MemoryPort(mapping, parameters, who, policy=policy, width=width, on_commands=logs.keep)  # type: ignore[arg-type]
    cycle, last = 0, [0] * len(who)
    for _ in range(data.draw(st.integers(1, 5), label="advances")):
        for _ in range(data.draw(st.integers(0, 6), label="offers")):
            m = data.draw(st.integers(0, len(who) - 1), label="master")
            last[m] = max(cycle, last[m]) + data.draw(st.sampled_from((0, 0, 3, 100)), label="later")
            run, beats = data.draw(runs(mapping, last[m])), data.draw(st.booleans(), label="beats")
            assert slow.offer(m, run, beats=beats) == fast.offer(who[m].name, run, beats=beats)
        cycle += data.draw(st.sampled_from((0, 1, 30, 500)), label="cycles")
        assert fast.advance(cycle) == slow.advance(cycle)
        assert fast.cycle == cycle
    assert fast.drain() == slow.drain()
    assert logs.channels == [channel.log for channel in slow.channels]
    served = fast.served()
    assert served.cycles == slow.finish
    assert [served.hits, served.misses, served.conflicts] == np.sum([c.kinds for c in slow.channels], axis=0).tolist()
    assert (served.forwarded, served.merged) == (slow.forwarded, slow.merged)
    assert counted(served.read_latencies) == sorted(slow.latencies[0])
    assert counted(served.write_latencies) == sorted(slow.latencies[1])
    assert served.bank_accesses.tolist() == [channel.accesses for channel in slow.channels]
    assert served.bank_activates.tolist() == [channel.activates for channel in slow.channels]
    for log in logs.channels:
        assert first_violation(log, standard, max_refresh_delay=800) is None


def test_activates_do_not_keep_a_refresh_from_its_turn() -> None:
    """LPDDR4's REFpb comes two cycles later after an activate than the next activate, which went first each time."""
    standard = load_standard("lpddr4", refresh="per_bank")
    mapping = load_mapping(None, standard, 1)
    logs = Logs(mapping)
    port = MemoryPort(mapping, SHIPPED, [Master(name="random")], on_commands=logs.keep)
    draw = random.Random(0)
    for _ in range(5000):
        port.offer("random", Run(write=draw.random() < 0.4, address=draw.randrange(mapping.capacity_bytes)))
    port.drain()
    assert first_violation(logs.channels[0], standard, max_refresh_delay=150) is None


def test_completions_come_in_the_order_of_time() -> None:
    mapping = load_mapping(None, load_standard("ddr4_2133", refresh=False), 1)
    port = MemoryPort(mapping, SHIPPED, [Master(name="reader"), Master(name="writer")])
    assert port.offer("reader", Run(write=False, address=0, stride=64, count=4)) == 0
    assert port.offer("writer", Run(write=True, address=1 << 20)) == 1
    # the first read's data is there after tRCD 15 + CL 15 + BL 4; bank groups follow 4 cycles apart (tRRD)
    assert port.advance(46) == [Completion(46, 0, 3)]
    # the write's row is another one of bank 0: PRE after tRAS 36, tRP 15, tRCD 15, CWL 11 + BL 4
    assert port.drain() == [Completion(81, 1, 0)]


def small_port(**master: int) -> MemoryPort:
    mapping = load_mapping(None, load_standard("ddr4_2133", refresh=False), 1)
    return MemoryPort(mapping, SHIPPED, [Master(name="dma", **master)])


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run(write=False, address=1 << 33), "a run of 1 beats from 0x200000000, 0 B apart, leaves the memory of"),
        (
            Run(write=False, address=64, stride=-64, count=3),
            "a run of 3 beats from 0x40, -64 B apart, leaves",
        ),
        (Run(write=False, address=0, count=0), "count must be a whole number from 1 to 1099511627776, got 0"),
        (Run(write=False, address=-1), "address must be a whole number from 0 to 1099511627776, got -1"),
        (Run(write=False, address=0, arrival=99), "a run arrives at cycle 99, before cycle 100"),
    ],
)
def test_a_run_that_cannot_be_served_is_refused_and_changes_nothing(run: Run, message: str) -> None:
    port = small_port()
    port.advance(100)
    with pytest.raises(DramError, match=f"^master dma: {re.escape(message)}"):
        port.offer("dma", run)
    assert port.offer("dma", Run(write=False, address=0)) == 0


def test_a_master_that_offers_more_than_may_wait_is_refused() -> None:
    port = small_port(waiting=2)
    for _ in range(2):
        port.offer("dma", Run(write=False, address=0))
    with pytest.raises(DramError, match=r"^master dma: offers more than the 2 runs that may wait$"):
        port.offer("dma", Run(write=False, address=0))


def test_an_arrival_before_the_last_is_refused() -> None:
    port = small_port()
    port.offer("dma", Run(write=False, address=0, arrival=50))
    with pytest.raises(DramError, match=r"^master dma: a run arrives at cycle 40, before cycle 50$"):
        port.offer("dma", Run(write=False, address=0, arrival=40))


def test_what_a_port_is_made_of_is_checked() -> None:
    mapping = load_mapping(None, load_standard("ddr4_2133"), 1)
    dma = Master(name="dma")
    for masters, policy, width, message in (
        ([], "oldest", 1, "needs 1 to 256 masters of different names"),
        ([dma, dma], "oldest", 1, "needs 1 to 256 masters of different names, got dma, dma"),
        ([dma], "eldest", 1, "no policy 'eldest'; nearest: oldest"),
        ([dma], "oldest", 0, "a port takes 1 to 4096 accesses a cycle, got 0"),
    ):
        with pytest.raises(DramError, match=message):
            MemoryPort(mapping, SHIPPED, masters, policy=policy, width=width)  # type: ignore[arg-type]
    with pytest.raises(DramError, match="master dma: outstanding must be a whole number from 1 to 1048576, got 0"):
        Master(name="dma", outstanding=0)
    closed, pim_gpt = load_parameters({"row_policy": "closed"}), load_mapping(None, load_standard("pim_gpt"), 1)
    with pytest.raises(DramError, match="standard pim_gpt: has no RDA and WRA"):
        MemoryPort(pim_gpt, closed, [dma])
    port = small_port()
    port.advance(10)
    with pytest.raises(DramError, match="the memory is at cycle 10 and cannot go back to 9"):
        port.advance(9)
