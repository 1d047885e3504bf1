"""The compiled player of rows is equal to the block diagram and to plain loops, to the tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.player import EventPlayer
from hwsim.machines.swat.lower import free_loads
from hwsim.machines.swat.rows.player import Heads, Played, RowPlayer
from hwsim.machines.swat.spec import SwatSpec
from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.patterns import parse_pattern
from tests.machines.swat.naive_rows import NaivePlayer
from tests.machines.swat.plans import heads_of, loads_plan, random_plan, spec_of, window_plan

ALL = 1 << 20  # rows whose times are kept
STAGES = ("LOAD", "QK", "SV", "ZRED1", "ZRED2", "ROWSUM1", "ROWSUM2", "DIV&OUT")


def played(plan: CorePlan, *, heads: int = 1, head_dim: int | None = None, spec: SwatSpec) -> Played:
    """By the compiled player; the others must agree."""
    design = Design(spec=spec, head_dim=head_dim or spec.head_dim)
    return agreed(design, [heads_of(plan, design, heads)], [0])[0]


def agreed(design: Design, operators: Sequence[Heads], gaps: Sequence[int]) -> list[Played]:
    """Operators one after the other, some cycles apart, by all players."""
    players: list[Any] = [RowPlayer(design), NaivePlayer(design)]
    if design.spec.mode == "elastic":
        players.append(EventPlayer(design))
    found, start = [], 0
    for heads, gap in zip(operators, gaps, strict=True):
        start += design.spec.time_base.clocks["fabric"].ticks(gap)
        fast, *others = (player.play(heads, start, keep=ALL) for player in players)
        for other in others:
            for field in fields(Played):
                assert plain(getattr(fast, field.name)) == plain(getattr(other, field.name)), field.name
        found.append(fast)
        start = fast.ended
    return found


def plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else value


def cycles(ticks: Any, spec: SwatSpec) -> Any:
    return ticks // spec.time_base.clocks["fabric"].period_ticks


SPECS = st.fixed_dictionaries(
    {
        "format": st.sampled_from(("fp16", "fp32")),
        "softmax": st.sampled_from(("plain", "safe")),
        "prologue": st.sampled_from(("hidden", "counted")),
        "loaders": st.integers(1, 4),
        "clock_hz": st.sampled_from((300_000_000, 250_000_000, 333_000_000)),
        "cores": st.sampled_from((8, 64, 512)),
        "hbm": st.fixed_dictionaries(
            {
                "refresh": st.booleans(),
                "burst_bytes": st.sampled_from((512, 1024, 2048)),
                "ahead_rows": st.sampled_from((1, 4, 64)),
                "request_ns": st.sampled_from((50.0, 35.5, 1000.0, 20_000.0)),
                "response_ns": st.sampled_from((50.0, 41.0, 500.0)),
            }
        ),
    }
)
HEAD_DIMS = st.sampled_from((1, 3, 8, 16, 64))
SHAPES = st.fixed_dictionaries(
    {"most_rows": st.sampled_from((1, 3, 20, 60)), "most_passes": st.integers(1, 3), "most_loads": st.integers(1, 6)}
)
GAPS = st.lists(st.integers(0, 300), min_size=1, max_size=3)


class Case(NamedTuple):
    """Operators one after the other, each of some heads of a plan of its own."""

    spec: dict[str, Any]
    head_dim: int
    bias_entries: int
    shape: dict[str, int]
    heads: int
    gaps: list[int]
    random: Random

    def check(self, mode: str) -> None:
        design = Design(spec=spec_of(mode=mode, **self.spec), head_dim=self.head_dim, bias_entries=self.bias_entries)
        agreed(
            design, [heads_of(random_plan(self.random, **self.shape), design, self.heads) for _ in self.gaps], self.gaps
        )


CASES = st.builds(
    Case,
    SPECS,
    HEAD_DIMS,
    st.sampled_from((0, 100)),
    SHAPES,
    st.integers(1, 3),
    GAPS,
    st.randoms(use_true_random=False),
)


@settings(max_examples=60)
@given(CASES)
def test_elastic_rows_are_those_of_the_block_diagram_and_of_plain_loops(case: Case) -> None:
    case.check("elastic")


@settings(max_examples=100)
@given(CASES)
def test_lockstep_rows_are_those_of_plain_loops(case: Case) -> None:
    case.check("lockstep")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["elastic", "lockstep"])
@settings(max_examples=1000)
@given(case=CASES)
def test_many_more(mode: str, case: Case) -> None:
    case.check(mode)


PATTERNS = (
    "window(16, 16)",
    "window(16, 15) & causal",
    "window(40, 40) | global(4)",
    "block_local(16, 1, forward=1) | random_blocks(2, 16, seed=0) | global(16, last=16)",
    "window(6, 6, dilation=5)",
    "full",
)


@pytest.mark.parametrize("mode", ["elastic", "lockstep"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_plans_of_the_compiler(pattern: str, mode: str) -> None:
    spec = spec_of(mode=mode, cores=48, hbm={"ahead_rows": 16})
    design = Design(spec=spec, head_dim=32)
    plan = compile_pattern(parse_pattern(pattern), 128, 128, cores=48, loads=4)
    agreed(design, [heads_of(plan, design, 2)], [0])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["elastic", "lockstep"])
@pytest.mark.parametrize(
    "pattern",
    [
        "window(256, 256) | global(1)",
        "block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)",
    ],
)
def test_heads_of_whole_models(pattern: str, mode: str) -> None:
    """Longformer's and BigBird's, at half their length."""
    design = Design.built(spec_of(mode=mode))
    plan = compile_pattern(parse_pattern(pattern), 2048, 2048, cores=512, loads=free_loads(design))
    agreed(design, [heads_of(plan, design, 2)], [0])


def test_a_head_of_512_rows_advances_at_the_slowest_stage() -> None:
    """(512 + 5) x 201 in lockstep; row by row it takes 1,033 for the first and 201 for each further one."""
    lockstep, elastic = spec_of(mode="lockstep"), spec_of(mode="elastic")
    plan = window_plan(512, 512)
    together, each = played(plan, spec=lockstep), played(plan, spec=elastic)
    assert cycles(together.ended, lockstep) == (512 + 5) * 201 == 103_917
    assert cycles(each.ended, elastic) == 1_033 + 511 * 201 == 103_744
    assert together.memory_wait == each.memory_wait == together.room_wait == each.room_wait == 0
    assert cycles(together.busy["QK"], lockstep) == 512 * 201
    assert (together.read_bytes["q"], together.written_bytes) == (65_536, 65_536)
    assert together.read_bytes["k"] == together.read_bytes["v"] == (512 - 255) * 128  # the others are there at first


def test_in_fp32_the_interval_is_264() -> None:
    for mode, expected in (("lockstep", (512 + 5) * 264), ("elastic", 1_288 + 511 * 264)):
        spec = spec_of(mode=mode, format="fp32")
        assert cycles(played(window_plan(512, 512), spec=spec).ended, spec) == expected


def test_the_first_rows_in_lockstep() -> None:
    spec = spec_of(mode="lockstep")
    begins = cycles(played(window_plan(512, 512), spec=spec).log[:3, :, 0], spec)
    assert dict(zip(STAGES, begins.T.tolist())) == {
        "LOAD": [0, 201, 402],
        "QK": [201, 402, 603],
        "SV": [402, 603, 804],
        "ZRED1": [603, 804, 1005],
        "ZRED2": [804, 1005, 1206],
        "ROWSUM1": [603, 804, 1005],
        "ROWSUM2": [804, 1005, 1206],
        "DIV&OUT": [1005, 1206, 1407],
    }


def test_the_first_rows_in_elastic_mode() -> None:
    """LOAD is two rows ahead of QK, as far as the two banks between them allow."""
    spec = spec_of(mode="elastic")
    log = cycles(played(window_plan(512, 512), spec=spec).log, spec)
    assert dict(zip(STAGES, log[:3, :, 0].T.tolist())) == {
        "LOAD": [0, 66, 267],
        "QK": [66, 267, 468],
        "SV": [267, 468, 669],
        "ZRED1": [464, 665, 866],
        "ZRED2": [659, 860, 1061],
        "ROWSUM1": [464, 665, 866],
        "ROWSUM2": [659, 860, 1061],
        "DIV&OUT": [854, 1055, 1256],
    }
    assert log[-1, :, 1].tolist() == [102_642, 102_978, 103_175, 103_370, 103_565, 103_370, 103_397, 103_744]


def test_rows_wait_for_a_slow_memory() -> None:
    """A burst of 16 rows takes 20 us there and back, 6,000 cycles: longer than 16 rows take in the stages, 3,216.

    Two bursts of Q are there at the start; from then on each 16 rows wait for the burst after these.
    """
    spec = spec_of(mode="elastic", hbm={"request_ns": 10_000.0, "response_ns": 10_000.0})
    slow = played(window_plan(512, 512), spec=spec)
    took = cycles(slow.log[:, 0, 1] - slow.log[:, 0, 0], spec)
    assert np.flatnonzero(took > 66).tolist() == list(range(32, 512, 16))
    assert took[[32, 48, 64, 80]].tolist() == [2_765, 2_794, 2_797, 2_800]
    assert (cycles(slow.memory_wait, spec), cycles(slow.ended, spec)) == (84_344, 188_801)


def test_a_new_head_takes_the_bank_after_that_of_the_last_burst() -> None:
    """Three rows leave in one burst, so a head has one: the second head fills the other bank and need not wait.

    The third waits until the first burst, which is requested in cycle 1,435 and takes 20 us, is written.
    """
    spec = spec_of(mode="elastic", hbm={"request_ns": 20_000.0})
    found = played(loads_plan(3, [(range(3), [[], [], []], [])]), heads=4, spec=spec)
    assert cycles(found.log[::3, -1, 1], spec).tolist() == [1_033, 2_468, 7_643, 13_672]
    assert cycles(found.log[::3, -1, 0], spec).tolist() == [854, 2_289, 3_724, 8_871]
    assert cycles(found.room_wait, spec) == (7_643 - 179 - 3_724) + (13_672 - 179 - 8_871) == 8_362


def test_results_of_two_passes_leave_by_one_engine() -> None:
    """What leaves in the first pass goes to one channel and in the second to the other, one burst after the other."""
    spec = spec_of(mode="elastic", hbm={"request_ns": 20_000.0})
    rows = range(20)
    none = [[] for _ in rows]
    found = played(loads_plan(20, [(rows, none, []), (rows, none, [])]), spec=spec)
    assert (found.read_bytes["carry"], found.written_bytes) == (20 * 288, 20 * 288 + 20 * 128)
    assert cycles(found.log[19:21, 0], spec).tolist() == [[3_684, 3_750], [9_104, 26_444]]
    assert (cycles(found.ended, spec), cycles(found.written, spec)) == (40_544, 51_836)


def test_a_burst_that_is_used_up_late_is_not_forgotten() -> None:
    """Keys of a window come in bursts of 16, between scattered ones that each take a burst: 48 of them to one."""
    spec = spec_of(mode="lockstep", loaders=4, hbm={"request_ns": 2_000.0})
    scattered = Random(1)
    loads = [[row, *(512 + 32 * scattered.randrange(96) + 1 for _ in range(3))] for row in range(256)]
    found = played(loads_plan(256, [(range(256), loads, [])]), spec=spec)
    assert found.bursts == 16 + 16 + 784  # of Q, of Z, of K
    assert (cycles(found.ended, spec), cycles(found.memory_wait, spec)) == (435_688, 413_197)


def test_as_many_rows_as_are_loaded_side_by_side_have_room() -> None:
    """Blocks of one row and no row ahead, but eight loaders."""
    spec = spec_of(mode="elastic", loaders=8, sum_format="fp16", hbm={"burst_bytes": 256, "ahead_rows": 1})
    loads = [[8 * row + key for key in range(8)] for row in range(32)]
    played(loads_plan(256, [(range(32), loads, [])]), spec=spec)


def test_short_sequences() -> None:
    for rows, expected in ((1, 6 * 201), (100, 105 * 201)):
        spec = spec_of(mode="lockstep")
        assert cycles(played(window_plan(rows, 512), spec=spec).ended, spec) == expected
    spec = spec_of(mode="elastic")
    assert cycles(played(window_plan(1, 512), spec=spec).ended, spec) == 1_033


def test_a_counted_prologue_loads_two_rows_of_keys_in_64_cycles() -> None:
    """255 keys before the first row, two at a time: 128 x 64 + 2, and 82 cycles until the first burst is there."""
    spec = spec_of(mode="elastic", prologue="counted")
    found = played(window_plan(512, 512), spec=spec)
    assert cycles(found.memory_wait, spec) == 82
    assert cycles(found.prologue, spec) == 82 + 128 * 64 + 2 == 8_276
    assert cycles(found.ended, spec) == 8_276 + 1_033 + 511 * 201
