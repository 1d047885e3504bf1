"""Contract of the lanes for vectors."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import Int
from hwsim.rtl.contract import ContractError
from hwsim.rtl.vector_lanes.contract import FUNCTIONS, Function, Sweep, VectorLanesContract

LANES = VectorLanesContract.from_preset("assumed")


def play(unit: VectorLanesContract, sweep: Sweep) -> int:
    """Cycles until the last element is taken, element by element: which operators of a lane are free when."""
    f, segments, now = sweep.function, sweep.rows * sweep.segments, 0
    rounds, beats = -(-sweep.width // unit.lanes), segments
    if f.summed == "rows":
        rounds, beats = sweep.rows, sweep.segments * rounds
    ready = [0] * beats  # from when on each sum can be added to
    for _ in range(rounds):
        if f.summed:  # a round begins when the first sum can be added to
            now = max(now, ready[0])
        for beat in range(beats):
            ready[beat] = now + unit.add_latency
            wanted = {"add": f.adds, "multiply": f.multiplies, "exp": f.exps, "divide": f.divides}
            there = {"add": unit.adders, "multiply": unit.multipliers, "exp": 1, "divide": 1}
            cycles = 0
            while cycles == 0 or any(wanted.values()):
                wanted = {name: max(0, count - there[name]) for name, count in wanted.items()}
                cycles += 1
            now += cycles
    return max(now, ready[0]) if f.summed else now


@given(
    rows=st.integers(1, 5),
    segments=st.integers(1, 3),
    width=st.integers(1, 20),
    name=st.sampled_from(list(FUNCTIONS)),
    lanes=st.integers(1, 8),
    adders=st.integers(1, 3),
    multipliers=st.integers(1, 3),
)
def test_a_sweep_takes_what_its_operators_take_cycle_by_cycle(
    rows: int, segments: int, width: int, name: str, lanes: int, adders: int, multipliers: int
) -> None:
    unit = replace(LANES, lanes=lanes, adders=adders, multipliers=multipliers)
    sweep = Sweep(rows, segments, width, FUNCTIONS[name])
    assert unit.sweep_cycles(sweep) == play(unit, sweep)


def test_the_scarcest_operator_sets_the_pace() -> None:
    pace = {name: LANES.interval(function) for name, function in FUNCTIONS.items()}
    assert {name: each for name, each in pace.items() if each > 1} == {"gelu": 2, "gelu_erf": 5}
    assert replace(LANES, adders=1, multipliers=1).interval(FUNCTIONS["affine"]) == 2
    assert replace(LANES, multipliers=1).interval(FUNCTIONS["gelu"].then(FUNCTIONS["multiply"])) == 4


def test_a_sum_of_two_tensors() -> None:
    assert LANES.cycles([Sweep(128, 1, 768, FUNCTIONS["add"])]) == 128 * 24 + 8 + 1
    assert LANES.cycles([Sweep(0, 1, 768, FUNCTIONS["add"])]) == 0


def test_a_norm_passes_its_rows_twice() -> None:
    norm = [Sweep(128, 1, 768, FUNCTIONS["moments"]), Sweep(128, 1, 768, FUNCTIONS["affine"])]
    assert LANES.cycles(norm) == 2 * 128 * 24 + LANES.latency(norm[0].function) + LANES.latency(norm[1].function)


def test_sums_of_few_rows_wait_for_the_adders() -> None:
    few, enough = (Sweep(rows, 1, 768, FUNCTIONS["squares"]) for rows in (1, 8))
    assert LANES.sweep_cycles(few) == LANES.sweep_cycles(enough) == 8 * 24


def test_heads_do_not_share_a_beat() -> None:
    assert LANES.sweep_cycles(Sweep(10, 2, 33, FUNCTIONS["copy"])) == 10 * 2 * 2


def test_functions_one_after_the_other() -> None:
    assert FUNCTIONS["silu"].then(FUNCTIONS["multiply"]) == Function(adds=1, multiplies=1, exps=1, divides=1)


def test_what_it_takes() -> None:
    """Two adders, two multipliers and an exp a lane, and a tree: 32 x (2 x 2 + 2 x 3 + 7) + 31 x 2 DSPs."""
    assert LANES.resources().dsp == 32 * 17 + 62 == 606


def test_what_it_cannot_be() -> None:
    with pytest.raises(ContractError, match="vector_lanes: lanes must be 1 to 4096, got 0"):
        VectorLanesContract(lanes=0)
    with pytest.raises(ContractError, match="vector_lanes: fmt must be one of bf16, fp16, fp32, got int8"):
        VectorLanesContract(fmt=Int(width=8))
