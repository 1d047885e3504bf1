"""The companion's units and its channels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.engine.burst_dma import BurstDma
from hwsim.errors import MachineError
from hwsim.machines.swat.companion.chain import BurstChain
from hwsim.machines.swat.companion.streams import Burst, Bursts, Share
from hwsim.mapping.formats import FP32
from hwsim.rtl.attention_core.contract import AttentionCoreContract
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.divide_out.contract import DivideOutContract
from hwsim.rtl.row_sum.contract import RowSumContract
from hwsim.rtl.z_reduce.contract import ZReduceContract
from tests.machines.swat.companion_runs import channel, companion, time_base


def test_the_budget_says_how_many_columns() -> None:
    half, single = companion(), companion(fmt=FP32)
    assert [of.matrix.columns for of in (half, single)] == [96, 76]
    assert [of.matrix.resources().dsp for of in (half, single)] == [3072, 3040]
    assert half.peak_macs_per_s == 768 * 300e6


def test_units_and_their_memories() -> None:
    units = {unit.name: unit for unit in companion().units()}
    assert {name: unit.resources.dsp for name, unit in units.items()} == {
        "matrix": 3072, "vector": 606, "matrix.weights": 0, "matrix.rows": 0,
    }  # fmt: skip
    assert [units[name].resources.uram for name in ("matrix.weights", "matrix.rows")] == [484, 128]
    assert not any(unit.proven for unit in units.values())


def test_the_default_fits_beside_one_pipeline_in_half_precision() -> None:
    pipeline = (
        AttentionCoreContract.from_preset("published").resources() * 512
        + ZReduceContract.from_preset("published").resources()
        + RowSumContract.from_preset("published").resources()
        + DivideOutContract.from_preset("published").resources()
    )
    both, board = sum((unit.resources for unit in companion().units()), pipeline), BOARDS["u55c"].cells
    assert both.dsp <= board.dsp
    assert both.lut <= board.lut
    assert both.uram <= board.uram


def test_what_cannot_be_built() -> None:
    with pytest.raises(
        MachineError,
        match=r"^matrix\.dsps: 31 make no column of 8 multiply-accumulates, of which each takes 4 DSPs in fp16; "
        r"expected at least 32$",
    ):
        companion(dsps=31)
    with pytest.raises(MachineError, match=r"^matrix\.rows: 100 rows of a tile do not spread evenly over 8 channels$"):
        companion(rows=100)


@settings(max_examples=40, deadline=None)
@given(
    moves=st.lists(
        st.tuples(
            st.booleans(),
            st.one_of(st.integers(0, 50), st.integers(0, 12_000)),
            st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=30),
        ),
        min_size=1,
        max_size=8,
    ),
    refresh=st.booleans(),
)
def test_a_chain_of_bursts_is_a_dma_engine_burst_by_burst(
    moves: list[tuple[bool, int, list[tuple[int, int]]]], *, refresh: bool
) -> None:
    """Responses and commands are the same, near refreshes and far from them."""
    of, base = channel(refresh=refresh), time_base()
    chain = BurstChain(3, of, base, request_ns=50, response_ns=50)
    engine = BurstDma(of, base, request_ns=50, response_ns=50)
    for write, gap, bursts in moves:
        tick = engine.free + gap * base.clocks["fabric"].period_ticks
        items = tuple(Burst(32 * first, 32 * size) for first, size in bursts)
        ended = chain.move(tick, (Share(3, Bursts(items)),), write=write)
        for offset, size in items:
            tick = engine.transfer(max(tick, engine.free), write=write, offset=offset, size=size)
        assert ended == tick == chain.free
    assert chain.commands() == {name: 3 * count for name, count in engine.commands.items()}
    assert (chain.bursts, chain.bytes) == ([3 * n for n in engine.bursts], [3 * n for n in engine.bytes])
