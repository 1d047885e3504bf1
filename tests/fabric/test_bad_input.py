"""What is no task, no port, or no system: each by its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hwsim.dram.device.tables import FOREVER
from hwsim.errors import MachineError, WiringError
from hwsim.fabric.memory_system import AxiPort, ControllerPort
from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.reference import ReferenceFabric
from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task, Transfer
from tests.fabric.board import BASE, BOARD, PORT, board, reader, writer


def task(**parts: Any) -> Task:
    return Task(unit="unit", kind="kind", name="work", **parts)


def loop(name: str = "loop", **parts: Any) -> Loop:
    return Loop(name=name, unit="unit", trips=4, **parts)


def transfer(**parts: Any) -> Transfer:
    return Transfer(**{"port": "a", "fifo": "in", "chunks": (0,), "beats": 4} | parts)


GIVES, TAKES = loop(gives=(Give("in"),)), loop("other", takes=(Take("in"),))

TASKS: list[tuple[Callable[[], object], str]] = [
    (
        lambda: Pattern(period=2, length=3),
        "Pattern(first=0, period=2, length=3, limit=None): expected first >= 0, period >= 1, length 0 to period, "
        "limit >= 0",
    ),
    (
        lambda: Take("in", 0),
        "Take(fifo='in', amount=0, when=Pattern(first=0, period=1, length=1, limit=None)): expected amount >= 1",
    ),
    (
        lambda: Give("in", -1),
        "Give(fifo='in', amount=-1, when=Pattern(first=0, period=1, length=1, limit=None), after=1): "
        "expected amount >= 1",
    ),
    (
        lambda: Fifo("in", 0),
        "Fifo(name='in', depth=0, filled=0): expected depth >= 1 and filled 0 to depth",
    ),
    (
        lambda: Fifo("in", 2, 3),
        "Fifo(name='in', depth=2, filled=3): expected depth >= 1 and filled 0 to depth",
    ),
    (
        lambda: transfer(burst=0),
        "transfer of FIFO in: expected addresses, beats and limit >= 0 and burst >= 1, got addresses from 0, beats 4, "
        "limit None and burst 0",
    ),
    (
        lambda: transfer(chunks=(64, -64), limit=-1),
        "transfer of FIFO in: expected addresses, beats and limit >= 0 and burst >= 1, got addresses from -64, "
        "beats 4, limit -1 and burst 16",
    ),
    (
        lambda: task(loops=(replace(GIVES, interval=0),)),
        "task work of unit: loop loop needs trips >= 0, interval >= 1 and start >= 0",
    ),
    (
        lambda: task(loops=(loop(gives=(Give("in", after=0),)),)),
        "task work of unit: loop loop gives to in after 0 cycles, not >= 1",
    ),
    (
        lambda: task(loops=(GIVES, TAKES)),
        "task work of unit: has no FIFO in",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), loops=(GIVES,)),
        "task work of unit: FIFO in is filled by 1 and emptied by 0, not by one each",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), loops=(GIVES, TAKES), transfers=(transfer(),)),
        "task work of unit: FIFO in is filled by 2 and emptied by 1, not by one each",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), loops=(GIVES, replace(TAKES, trips=3))),
        "task work of unit: FIFO in gets 4 items and gives 3",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), loops=(TAKES,), transfers=(transfer(limit=3),)),
        "task work of unit: FIFO in gets 3 items and gives 4",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4), Fifo("in", 5)), loops=(GIVES, TAKES)),
        "task work of unit: has two FIFOs of the name in",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), loops=(GIVES, replace(TAKES, name="loop"))),
        "task work of unit: has two loops of the name loop",
    ),
    (
        lambda: task(fifos=(Fifo("in", 4),), transfers=(transfer(), transfer(write=True))),
        "task work of unit: FIFO in has transfers at both ends; a loop must lie between them",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), TASKS)
def test_what_is_no_task(make: Callable[[], object], text: str) -> None:
    with pytest.raises(WiringError) as found:
        make()
    assert str(found.value) == text


@pytest.mark.parametrize("player", [FabricPlayer, ReferenceFabric])
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (task(), "task work of unit: there is nothing to do in it"),
        (reader(4, port="b"), "task 4 beats: there is no AXI port b"),
        (
            reader(5, address=(8 << 30) - 128),
            "task 5 beats: a chunk of 160 B from 0x1ffffff80 leaves the memory of 8589934592 B",
        ),
    ],
)
def test_what_cannot_start(player: Any, wrong: Task, text: str) -> None:
    with pytest.raises(WiringError) as found:
        player(BASE, BOARD).start(wrong)
    assert str(found.value) == text


MANY_FIFOS = [Fifo(f"f{i}", 1) for i in range(5)]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (
            task(
                fifos=MANY_FIFOS,
                loops=[loop(takes=[Take(f.name) for f in MANY_FIFOS])]
                + [loop(f"give {f.name}", gives=(Give(f.name),)) for f in MANY_FIFOS],
            ),
            "loop loop: may take from four FIFOs and give to four",
        ),
        (
            task(fifos=(Fifo("in", 4),), loops=(loop(gives=(Give("in", after=511),)), TAKES)),
            "loop loop: has more than 512 results on their way to in",
        ),
        (
            task(fifos=(Fifo("in", 4),), loops=(loop(gives=(Give("in", 5),)), replace(TAKES, trips=20))),
            "loop loop: puts 5 items at once into FIFO in, too many",
        ),
    ],
)
def test_what_the_player_has_no_room_for(wrong: Task, text: str) -> None:
    with pytest.raises(WiringError) as found:
        FabricPlayer(BASE, BOARD).start(wrong)
    assert str(found.value) == text


def test_a_player_has_room_for_64_tasks() -> None:
    fabric = FabricPlayer(BASE, BOARD)
    for _ in range(64):
        fabric.start(reader(4))
    with pytest.raises(WiringError, match=r"^a fabric has room for 64 tasks at a time, and they are all in use$"):
        fabric.start(reader(4))


DEADLOCKS = [
    (
        task(fifos=(Fifo("in", 4), Fifo("back", 4)), loops=(
            loop("first", takes=(Take("back"),), gives=(Give("in"),)),
            loop("second", takes=(Take("in"),), gives=(Give("back"),)),
        )),
        "deadlock in cycle 0: loop first of task work for items of FIFO back; "
        "loop second of task work for items of FIFO in",
    ),
    (
        task(fifos=(Fifo("in", 4),), loops=(
            loop(gives=(Give("in", 3),)),
            replace(TAKES, trips=2, takes=(Take("in", 6),)),
        )),
        "deadlock in cycle 2: loop loop of task work for room in FIFO in; loop other of task work for items of FIFO in",
    ),
]  # fmt: skip


@pytest.mark.parametrize("player", [FabricPlayer, ReferenceFabric])
@pytest.mark.parametrize(("wrong", "text"), DEADLOCKS)
def test_tasks_that_wait_for_ever(player: Any, wrong: Task, text: str) -> None:
    fabric = player(BASE, BOARD)
    fabric.start(wrong)
    assert fabric.advance(100) == []
    again = player(BASE, BOARD)
    again.start(wrong)
    with pytest.raises(WiringError) as found:
        again.advance(FOREVER)
    assert str(found.value) == text


@pytest.mark.parametrize("player", [FabricPlayer, ReferenceFabric])
def test_two_writers_can_fill_the_buffer_of_one_burst_with_halves(player: Any) -> None:
    fabric = player(BASE, board(replace(PORT, buffer_beats=16)))
    fabric.start(writer(16))
    fabric.start(writer(16, address=1 << 20))
    with pytest.raises(WiringError) as found:
        fabric.advance(FOREVER)
    assert str(found.value) == (
        "deadlock in cycle 13: loop give of task 16 beats for room in FIFO out; "
        "loop give of task 16 beats for room in FIFO out"
    )


@pytest.mark.parametrize("player", [FabricPlayer, ReferenceFabric])
def test_time_in_which_tasks_are_played_is_not_passed_over(player: Any) -> None:
    fabric = player(BASE, BOARD)
    fabric.start(reader(4))
    with pytest.raises(WiringError, match=r"^cycles in which tasks are played cannot be passed over$"):
        fabric.skip_to(100)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"width_bits": 96}, "AXI port a: width_bits must be 32, 64, 128, 256, 512 or 1024, got 96"),
        ({"narrow_bits": 8}, "AXI port a: narrow_bits must be 32, 64, 128, 256, 512 or 1024, got 8"),
        ({"width_bits": 64}, "AXI port a: its 64 bits are narrower than the 128 behind it"),
        ({"outstanding_reads": 0}, "AXI port a: outstanding_reads must be 1 to 256, got 0"),
        ({"outstanding_writes": 257}, "AXI port a: outstanding_writes must be 1 to 256, got 257"),
        ({"burst": 300}, "AXI port a: burst must be 1 to 256, got 300"),
        ({"narrow_burst": 0}, "AXI port a: narrow_burst must be 1 to 256, got 0"),
        (
            {"narrow_burst": 1},
            "AXI port a: a beat of 256 bits does not fit a transaction of 1 beats of 128",
        ),
        ({"buffer_beats": 15}, "AXI port a: a burst of 16 beats does not fit its buffer of 15"),
        (
            {"outstanding_writes": 256, "burst": 256, "buffer_beats": 256},
            "AXI port a: may have 1024 narrow transactions on their way, not 8192",
        ),
    ],
)
def test_what_is_no_port(changes: dict[str, int], text: str) -> None:
    with pytest.raises(MachineError) as found:
        replace(PORT, **changes)  # type: ignore[arg-type]
    assert str(found.value) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"ports": [AxiPort(name="b", controller_port="s9")]},
            "AXI port b: there is no controller port 's9'",
        ),
        ({"request_ns": 0}, "request_ns must be above 0, got 0"),
        ({"response_ns": -1.5}, "response_ns must be above 0, got -1.5"),
        (
            {"ports": (), "controller_ports": [ControllerPort(name="s3", clock_hz=300_000_000)]},
            "controller port s3: an access of 64 B takes 13.3333 cycles of the memory at 128 bits and 300 MHz; "
            "expected a whole number",
        ),
    ],
)
def test_what_is_no_system(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(MachineError) as found:
        replace(BOARD, **changes)
    assert str(found.value) == text
