"""Loops and FIFOs by themselves: when iterations begin, give, wait and end."""

from __future__ import annotations

from collections.abc import Sequence

from hwsim.fabric.slots import Ended
from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from tests.fabric.board import play


def ended(fifos: Sequence[Fifo], *loops: Loop) -> Ended:
    return play(Task(unit="unit", kind="loops", name="story", fifos=fifos, loops=loops))[0]


def source(trips: int, *, interval: int = 1, after: int = 1, start: int = 0, amount: int = 1) -> Loop:
    return Loop(
        name="source", unit="unit", trips=trips, interval=interval, start=start,
        gives=(Give("link", amount, after=after),),
    )  # fmt: skip


def sink(trips: int, *, interval: int = 1, amount: int = 1) -> Loop:
    return Loop(name="sink", unit="unit", trips=trips, interval=interval, takes=(Take("link", amount),))


def test_a_loop_alone_takes_its_start_its_intervals_and_its_depth() -> None:
    # begins in 5, 7 and 9, gives the last result in 9 + 4; it is taken in 14
    found = ended([Fifo("link", 9)], source(3, interval=2, after=4, start=5), sink(3))
    assert found.loops == {"source": 14, "sink": 15}
    assert found.waits_for_items == {"source": {}, "sink": {"link": 10 + 1 + 1}}


def test_a_loop_without_iterations_ends_at_once() -> None:
    assert ended([], Loop(name="nothing", unit="unit", trips=0, start=3)).loops == {"nothing": 4}


def test_an_item_is_there_in_the_next_cycle() -> None:
    found = ended([Fifo("link", 1)], source(1), sink(1))
    assert found.loops == {"source": 2, "sink": 3}  # begins in 0, gives in 1, is taken in 2


def test_room_is_there_in_the_next_cycle() -> None:
    # a FIFO of one item passes one every two cycles: full, taken, room again
    found = ended([Fifo("link", 1)], source(10), sink(10))
    assert found.loops["sink"] == 3 + 9 * 2
    assert found.waits_for_room == {"source": {"link": 9}, "sink": {}}
    assert ended([Fifo("link", 2)], source(10), sink(10)).loops["sink"] == 3 + 9


def test_all_stages_stand_still_when_one_result_has_no_room() -> None:
    # two results of an iteration, 1 and 3 cycles after it: while the late one waits, the early ones of others do too
    fifos = [Fifo("early", 9), Fifo("late", 1)]
    loop = Loop(name="source", unit="unit", trips=3, gives=(Give("early", after=1), Give("late", after=3)))
    early = Loop(name="early", unit="unit", trips=3, takes=(Take("early"),))
    late = Loop(name="late", unit="unit", trips=3, start=10, takes=(Take("late"),))
    found = ended(fifos, loop, early, late)
    # late is full from 3 to the take in 10; the next items come in 11 and 13
    assert found.loops == {"source": 14, "early": 5, "late": 15}
    assert found.waits_for_room["source"] == {"early": 0, "late": 7 + 1}


def test_bubbles_pass_while_inputs_are_missing() -> None:
    # the second iteration waits for its item, the first one's result leaves on time
    fifos = [Fifo("link", 4), Fifo("out", 4)]
    middle = Loop(name="middle", unit="unit", trips=2, takes=(Take("link"),), gives=(Give("out", after=3),))
    out = Loop(name="out", unit="unit", trips=2, takes=(Take("out"),))
    found = ended(fifos, source(2, interval=20), middle, out)
    assert found.waits_for_items == {"source": {}, "middle": {"link": 2 + 19}, "out": {"out": 6 + 19}}
    assert found.loops == {"source": 22, "middle": 26, "out": 27}


def test_amounts_gather_and_scatter() -> None:
    found = ended([Fifo("link", 8)], source(16), sink(2, amount=8))
    # the ninth waits a cycle, until the first eight are gone
    assert found.loops == {"source": 18, "sink": 19}
    found = ended([Fifo("link", 8)], source(2, amount=8), sink(16))
    # the second eight find room only when the first are gone: 1 + 1 + 8 cycles
    assert found.loops == {"source": 11, "sink": 19}


def test_a_pattern_says_which_iterations_give() -> None:
    # iterations 2, 3, 6 and 7 of eight, the last of them left out
    pattern = Pattern(first=2, period=4, length=2, limit=3)
    loop = Loop(name="source", unit="unit", trips=8, gives=(Give("link", when=pattern),))
    found = ended([Fifo("link", 9)], loop, sink(3))
    assert found.loops == {"source": 8, "sink": 9}
    assert found.waits_for_items["sink"] == {"link": 4 + 2}  # in 0 to 3, 6 and 7; taken in 4, 5 and 8


def test_credits_bound_what_is_under_way() -> None:
    # two places: a place is free again 5 cycles after its use began, so 2 iterations in 6 cycles
    fifos = [Fifo("link", 2), Fifo("free", 2, filled=2)]
    first = Loop(name="first", unit="unit", trips=8, takes=(Take("free"),), gives=(Give("link", after=2),))
    second = Loop(name="second", unit="unit", trips=8, takes=(Take("link"),), gives=(Give("free", after=2),))
    found = ended(fifos, first, second)
    assert found.loops == {"first": 3 * 6 + 1 + 3, "second": 3 * 6 + 1 + 3 + 3}


def test_what_a_loop_gives_last_wakes_up_those_that_wait_for_it() -> None:
    """The loop itself waits from that cycle on, and nothing else moves: the play once ended there as a deadlock."""
    fifos = [Fifo("link", 1), Fifo("free", 1, filled=1)]
    first = Loop(name="first", unit="unit", trips=3, takes=(Take("free"),), gives=(Give("link", after=3),))
    second = Loop(name="second", unit="unit", trips=3, takes=(Take("link"),), gives=(Give("free"),))
    assert ended(fifos, first, second).loops == {"first": 2 * 6 + 4, "second": 2 * 6 + 6}
