"""AXI ports by small stories: latency by its parts, rates, limits, bursts, sharing, answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwsim.dram.device.tables import FOREVER
from hwsim.fabric.player import FabricPlayer, PortUse
from hwsim.fabric.task import Fifo, Give, Loop, Take, Task, Transfer
from tests.fabric.board import BASE, BOARD, PORT, board, cycles, play, reader, writer

WIDE = replace(PORT, narrow_bits=256)  # a beat a cycle


def test_a_single_read_by_its_parts() -> None:
    # 20 ns there, RD after tRCD 15, data after CL 15 + BL 4, 20 ns back: 74 ns, the edge of cycle 19;
    # the beat takes 19 and 20 on the narrow port, is in the FIFO in 21, and taken there
    (ended,) = play(reader(1))
    assert (ended.transfers, ended.loops) == ({"in": 21}, {"take": 22})
    assert ended.waits_for_items == {"take": {"in": 21}}


def test_a_single_write_by_its_parts() -> None:
    # given in 1, in the buffer in 2, requested in 3, sent in 4 and 5: it leaves at 20 ns and arrives at 40 ns;
    # WR after tRCD 15, data in the DRAM after CWL 11 + BL 4, 20 ns back: 90 ns, the edge of cycle 23
    (ended,) = play(writer(1))
    assert (ended.transfers, ended.loops) == ({"out": 24}, {"give": 2})


@pytest.mark.parametrize("task", [reader, writer])
def test_a_stream_takes_two_cycles_a_beat_of_256_bits_at_a_port_of_128(task) -> None:  # type: ignore[no-untyped-def]
    short, long = cycles(task(512))[0], cycles(task(1024))[0]
    assert long - short == 2 * 512


@pytest.mark.parametrize("task", [reader, writer])
@pytest.mark.parametrize(("outstanding", "rate"), [(1, 16), (2, 8), (4, 4), (8, 2), (16, 2)])
def test_single_beats_cost_the_round_trip_over_what_may_be_outstanding(task, outstanding: int, rate: int) -> None:  # type: ignore[no-untyped-def]
    # the round trip in an open row is 16 cycles; from 8 on the narrow port is what binds
    system = board(replace(PORT, outstanding_reads=outstanding, outstanding_writes=outstanding))
    short, long = cycles(task(80, burst=1), system=system)[0], cycles(task(160, burst=1), system=system)[0]
    assert long - short == 80 * rate


def test_a_burst_of_sixteen_beats_is_two_transactions_at_the_narrow_port() -> None:
    # the first half's four accesses are taken at 20, 28, 36 and 44 ns and complete at 78: the edge of 98 is cycle 25
    (halves,) = play(reader(16))
    assert halves.waits_for_items == {"take": {"in": 27 + 15}}
    # in one transaction the first beat comes when all eight accesses are complete, at 95: the edge of 115 is cycle 29
    (whole,) = play(reader(16), system=board(replace(PORT, narrow_burst=32)))
    assert whole.waits_for_items == {"take": {"in": 31 + 15}}


ONE_BEAT_PARTS = replace(PORT, narrow_bits=256, narrow_burst=1, burst=8)


def test_the_address_channel_of_reads_takes_a_cycle_for_each_part() -> None:
    # a burst of eight parts in cycle 0, so the next one comes in cycle 8
    fabric = FabricPlayer(BASE, board(ONE_BEAT_PARTS))
    fabric.start(reader(9))
    fabric.advance(8)
    assert [use.transactions for use in fabric.port_use()] == [1, 0]
    fabric.advance(9)
    assert [use.transactions for use in fabric.port_use()] == [2, 0]


def test_the_address_channel_of_writes_takes_a_cycle_for_each_part() -> None:
    # two bursts of eight parts are whole in the buffer in cycle 9; one is requested in cycle 10, the other in 18
    fabric = FabricPlayer(BASE, board(ONE_BEAT_PARTS))
    fabric.start(writer(8))
    fabric.start(writer(8, address=1 << 20))
    found = []
    for cycle in (10, 11, 18, 19):
        fabric.advance(cycle)
        found.append(fabric.port_use()[1].transactions)
    assert found == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("address", "beats", "transactions"),
    [(0, 16, 1), (4096 - 32, 16, 2), (4096 - 16 * 32, 16, 1), (4096 - 8, 2, 2), (4096 - 40, 3, 3), (0, 17, 2)],
)
def test_bursts_end_at_multiples_of_4096_bytes(address: int, beats: int, transactions: int) -> None:
    fabric = FabricPlayer(BASE, BOARD)
    fabric.start(reader(beats, address=address))
    fabric.advance(FOREVER)
    assert fabric.port_use()[0] == PortUse(
        port="a", write=False, beats=beats, size_bytes=32 * beats, transactions=transactions, busy_cycles=2 * beats
    )


def test_a_port_bounds_the_bursts_of_transfers() -> None:
    """It was once the transfer alone: a burst larger than the buffer was never requested."""
    fabric = FabricPlayer(BASE, board(replace(PORT, burst=4, outstanding_reads=1)))
    fabric.start(reader(64, burst=16))
    ((_, ended),) = fabric.advance(FOREVER)
    assert fabric.port_use()[0].transactions == 16
    # two bursts open rows and take 28 cycles each; the others take 24: 19 and 8 ns in the DRAM, the way, 8 on the port
    assert ended.cycles == 394


def test_two_ports_that_share_a_controller_port_halve_each_other() -> None:
    two = reader(1024), reader(1024, port="b", address=1 << 20)
    alone = cycles(reader(1024), system=board(WIDE))
    shared = cycles(*two, system=board(WIDE, replace(WIDE, name="b")))
    apart = cycles(*two, system=board(WIDE, replace(WIDE, name="b", controller_port="s4")))
    assert (alone, shared, apart) == ([1054], [2064, 2080], [1150, 1153])


def test_reads_and_writes_of_a_port_share_only_the_dram() -> None:
    assert cycles(reader(1024)) == [2074]
    assert cycles(writer(1024)) == [2087]
    assert cycles(reader(1024), writer(1024, address=1 << 20)) == [2074, 2087]


def test_a_single_write_at_a_time_waits_for_the_answer_to_the_one_before() -> None:
    system = board(replace(PORT, outstanding_writes=1))
    (one,), (two,) = play(writer(1), system=system), play(writer(2, burst=1), system=system)
    # requested in the cycle of the answer; then a beat of 2 cycles, 20 ns, CWL 11 + BL 4 in the open row, 20 ns
    assert (one.transfers["out"], two.transfers["out"]) == (24, 24 + 16)


def test_a_burst_of_writes_waits_until_it_is_whole() -> None:
    # sixteen beats, given one every ten cycles: the last is given in 151, requested in 153, sent from 154 on
    slow = replace(writer(16), loops=(Loop(name="give", unit="w", trips=16, interval=10, gives=(Give("out"),)),))
    fabric = FabricPlayer(BASE, BOARD)
    fabric.start(slow)
    fabric.advance(153)
    assert fabric.port_use()[1].transactions == 0
    fabric.advance(154)
    assert (fabric.port_use()[1].transactions, fabric.port_use()[1].beats) == (1, 0)
    fabric.advance(155)
    assert fabric.port_use()[1].beats == 1


def test_reads_go_no_further_ahead_than_the_buffer_holds() -> None:
    # the loop begins after 1000 cycles: two bursts fit the buffer, and a third one not, though a beat is in the FIFO
    late = replace(reader(64, depth=1), loops=(Loop(name="take", unit="r", trips=64, start=1000, takes=(Take("in"),)),))
    fabric = FabricPlayer(BASE, board(replace(PORT, buffer_beats=32)))
    fabric.start(late)
    fabric.advance(1000)
    assert (fabric.port_use()[0].transactions, fabric.port_use()[0].beats) == (2, 32)


def test_transfers_of_a_port_take_turns_by_bursts() -> None:
    fifos = (Fifo("left", 32), Fifo("right", 32))
    loops = [Loop(name=f.name, unit="u", trips=64, takes=(Take(f.name),)) for f in fifos]
    transfers = [
        Transfer(port="a", fifo=name, chunks=(address,), beats=64)
        for name, address in (("left", 0), ("right", 1 << 20))
    ]
    (ended,) = play(Task(unit="u", kind="k", name="turns", fifos=fifos, loops=loops, transfers=transfers))
    # the first of 128 beats is whole in 26, the last one 254 cycles later; the last 16 are the right one's
    assert ended.transfers == {"left": 281 - 32, "right": 281}


def test_ideal_ports_never_wait_and_reach_no_memory() -> None:
    fabric = FabricPlayer(BASE, BOARD, ideal=True)
    fabric.start(reader(100))
    fabric.start(writer(100))
    found = [each for _, each in fabric.advance(FOREVER) + fabric.advance(FOREVER)]
    assert [(each.task.kind, each.cycles) for each in found] == [("read", 100), ("write", 101)]
    assert fabric.served().commands == {}
    assert fabric.port_use()[0].beats == 0


def test_ways_shorter_than_a_cycle_of_the_memory() -> None:
    """The play once stood still for ever, since answers seemed to be unknown in the very cycle of the request."""
    system = replace(board(PORT), request_ns=0.001, response_ns=0.001)
    # RD at 1 + 15 ns, data 19 later: the edge of 35.001 ns is cycle 9
    assert cycles(reader(1), system=system) == [9 + 3]


def test_what_the_memory_counts_depends_on_the_cycle_alone() -> None:
    """It was once played as far as the last answer needed, more or less far depending on where the play stopped."""
    found = []
    for step in (1, 7, 5000):
        fabric = FabricPlayer(BASE, BOARD)
        fabric.start(reader(100, burst=1))
        fabric.start(writer(100, address=1 << 20))
        for cycle in range(0, 140, step):
            fabric.advance(min(cycle + step, 140))
        found.append((fabric.cycle, fabric.served().commands))
    assert found == [(140, {"ACT": 21, "PRE": 17, "RD": 55, "WR": 20})] * 3


def test_a_task_may_start_while_others_are_played() -> None:
    fabric = FabricPlayer(BASE, BOARD)
    assert fabric.start(reader(64)) == 0
    assert fabric.advance(50) == []
    assert fabric.start(reader(16, address=8192)) == 1
    ends = [(number, ended.begun, ended.ended) for _ in range(2) for number, ended in fabric.advance(FOREVER)]
    # the reads of the first are all requested by then, so they come first: both streams take two cycles a beat
    assert ends == [(0, 0, 26 + 2 * 63 + 2), (1, 50, 26 + 2 * 79 + 2)]
