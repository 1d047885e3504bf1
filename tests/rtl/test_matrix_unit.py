"""Contract of the array of multiply-accumulates."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import FP16, FP32, Int
from hwsim.rtl.contract import ContractError
from hwsim.rtl.matrix_unit.contract import MatrixTile, MatrixUnitContract, multiply_accumulate

UNIT = MatrixUnitContract.from_preset("assumed")


def play(unit: MatrixUnitContract, work: MatrixTile) -> int:
    """The same cycle by cycle: when each sum takes each product, when each bank is free, when each vector leaves."""
    turns = -(-work.rows // unit.array_rows)
    issue, drained, bank_free = 0, 0, [0, 0]
    for group in range(-(-work.d_out // unit.columns)):
        issue = max(issue, bank_free[group % 2])
        ready = [issue] * turns  # from when the sum of a turn can take a product
        for _ in range(work.d_in):
            for turn in range(turns):
                issue = max(issue, ready[turn])
                ready[turn] = issue + unit.add_latency
                issue += 1
        issue = max(issue, ready[0])  # the next group's first sums follow as a further element's would
        for _ in range(work.rows):
            drained = max(drained, issue) + 1
        bank_free[group % 2] = drained
    return drained + unit.latency


@given(
    rows=st.integers(1, 40),
    d_in=st.integers(1, 12),
    d_out=st.integers(1, 40),
    array_rows=st.integers(1, 6),
    columns=st.integers(1, 9),
    add_latency=st.integers(1, 9),
)
def test_a_tile_takes_what_its_sums_take_cycle_by_cycle(
    rows: int, d_in: int, d_out: int, array_rows: int, columns: int, add_latency: int
) -> None:
    unit = replace(UNIT, array_rows=array_rows, columns=columns, add_latency=add_latency)
    work = MatrixTile(rows, d_in, d_out)
    assert unit.cycles(work) == play(unit, work)
    assert rows * d_in * d_out <= unit.busy_cycles(work) * unit.macs_per_cycle


def test_a_full_tile_keeps_every_multiplier_busy() -> None:
    work = MatrixTile(128, 768, 768)
    assert UNIT.busy_cycles(work) == 128 * 768 * 768 // 768 == 98_304
    assert UNIT.cycles(work) == 98_304 + 128 + 13


def test_one_vector_waits_for_the_adders() -> None:
    assert UNIT.busy_cycles(MatrixTile(1, 768, 768)) == UNIT.busy_cycles(MatrixTile(64, 768, 768)) == 8 * 768 * 8


def test_outputs_beyond_the_array_are_padded() -> None:
    assert UNIT.busy_cycles(MatrixTile(128, 768, 97)) == UNIT.busy_cycles(MatrixTile(128, 768, 192)) == 2 * 768 * 16
    assert UNIT.cycles(MatrixTile(0, 768, 768)) == 0


def test_what_a_multiply_accumulate_takes() -> None:
    assert [multiply_accumulate(fmt, FP32).dsp for fmt in (FP16, FP32)] == [4, 5]
    assert UNIT.resources().dsp == 3_072
    assert replace(UNIT, fmt=FP32, columns=76).resources().dsp == 3_040


def test_what_it_cannot_be() -> None:
    with pytest.raises(ContractError, match="matrix_unit: columns must be 1 to 16384, got 0"):
        MatrixUnitContract(columns=0)
    with pytest.raises(ContractError, match="matrix_unit: sum_fmt must be one of bf16, fp16, fp32, got int8"):
        MatrixUnitContract(sum_fmt=Int(width=8))
