"""Tasks of m3vit's units, played on a fabric, against a recurrence for rows of units."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.task import Task
from hwsim.machines.m3vit import MACHINE
from hwsim.machines.m3vit.pipelines import (
    AttentionTiles,
    ExpertTiles,
    Stage,
    attention,
    expert_queue,
    expert_visits,
    load_task,
    row_of_units,
)

SPEC = MACHINE.spec_file.load(None, {})


def cycles(task: Task) -> int:
    player = FabricPlayer(SPEC.time_base, SPEC.memory_system)
    player.start(task)
    ((_, ended),) = player.advance(1 << 50)
    return ended.cycles


def stages(*pairs: tuple[int, int]) -> list[Stage]:
    return [Stage(unit=f"u{n}", interval=interval, latency=latency) for n, (interval, latency) in enumerate(pairs)]


def recurrence(units: Sequence[Stage], tokens: int) -> int:
    """Cycles if no unit ever finds its way out blocked: a token begins when it is there and the one before is past.

    What a unit hands over in a cycle is there in the next one; the last cycle takes the last token.
    """
    there = [0] * tokens
    for unit in units:
        begun = -unit.interval
        for token in range(tokens):
            begun = max(begun + unit.interval, there[token])
            there[token] = begun + unit.latency + 1
    return there[-1] + 1


ROWS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 20)), min_size=1, max_size=4)


@settings(deadline=None)
@given(row=ROWS, tokens=st.integers(1, 8))
def test_tokens_pass_a_row_of_units(row: list[tuple[int, int]], tokens: int) -> None:
    units = stages(*row)
    assert cycles(row_of_units("row", "test", units, tokens, depth=tokens)) == recurrence(units, tokens)


def test_a_short_fifo_stops_the_unit_before_it() -> None:
    # the second unit is slower; with room for one token the first waits, and nothing is later for it
    units = stages((1, 1), (5, 5))
    assert cycles(row_of_units("row", "test", units, 10, depth=1)) == recurrence(units, 10) == 54


def attention_tiles(**changed: int) -> AttentionTiles:
    given = {"scores": 10, "values": 8, "softmax": 2, "softmax_latency": 5, "latency": 6, "ahead": 2, **changed}
    return AttentionTiles(**given)


def test_attention_takes_a_turn_a_query_and_those_ahead() -> None:
    # a turn of 18 for each of 10 queries and the 2 ahead; then the latency, and the cycles to hand over the last sums
    assert cycles(attention("a", 10, attention_tiles())) == (10 + 2) * 18 + 6 + 2
    # with one query ahead softmax is late for the next turn: 10 + 6 + 1 to it, 5 + 1 through it
    assert cycles(attention("a", 10, attention_tiles(ahead=1))) == 10 * 23 + 18 + 6 + 2


EXPERT = ExpertTiles(
    up=4,
    down=3,
    gelu=Stage(unit="gelu", interval=2, latency=5),
    adder=Stage(unit="adder", interval=1, latency=2),
    latency=6,
)


@pytest.mark.parametrize("tokens", [10, 100])
def test_a_long_queue_keeps_the_engine_busy(tokens: int) -> None:
    # all tokens through the first matrix, then through the second; then 1 + 6 for the sum and 1 + 2 + 2 for the adder
    assert cycles(expert_queue("e", tokens, EXPERT)) == tokens * 7 + 6 + 1 + 2 + 2


def test_a_visit_waits_for_its_own_hidden_units() -> None:
    # a visit: 4 tiles, 6 + 1 to gelu, 5 + 1 through it, 3 tiles; the last one then takes 6 + 1, 2 + 1 and 1 to leave
    assert [cycles(expert_visits("e", visits, EXPERT)) for visits in (1, 2, 3)] == [20 + 11, 40 + 11, 60 + 11]
    assert cycles(expert_queue("e", 1, EXPERT)) == cycles(expert_visits("e", 1, EXPERT))


def test_weights_come_page_by_page_over_the_ports_in_turn() -> None:
    task = load_task("w", 8192, 3 * 4096 + 100, ("HP0", "HP1"), beat_bytes=16, burst=16)
    moved = {transfer.port: (transfer.chunks, transfer.total) for transfer in task.transfers}
    assert moved == {"HP0": ((8192, 16384), 512), "HP1": ((12288, 20480), 256 + 7)}
    alone = load_task("w", 0, 100, ("HP0", "HP1"), beat_bytes=16, burst=16)
    assert [(transfer.port, transfer.total) for transfer in alone.transfers] == [("HP0", 7)]
