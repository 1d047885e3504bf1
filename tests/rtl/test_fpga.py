"""The pieces that estimates are composed of, as synthesis maps them."""

import pytest

from rtl.contract import Resources
from rtl.fpga import delay, memory, multiplier, rom


@pytest.mark.parametrize(
    ("rows", "bits", "expected"),  # as Yosys 0.70 mapped tables of random bits
    [
        (128, 72, Resources(lut=144, ff=72)),
        (256, 36, Resources(bram36=1)),
        (256, 72, Resources(bram36=1)),
        (512, 72, Resources(bram36=1)),
        (2048, 18, Resources(bram36=1)),
        (256, 85, Resources(lut=340, ff=85)),
    ],
)
def test_a_table_goes_where_it_is_cheaper(rows: int, bits: int, expected: Resources) -> None:
    assert rom(rows, bits) == expected


def test_rows_beyond_a_block_ram_are_chosen_from_several() -> None:
    one, three = memory(512, 720), memory(1152, 720)
    assert (one.bram36, one.lut) == (10, 0)
    assert (three.bram36, three.lut) == (30, 720)


def test_delays_become_shift_registers() -> None:
    assert delay(8, 2) == Resources(ff=16)
    assert delay(8, 3) == Resources(lut=8)
    assert delay(8, 17) == Resources(lut=16)


def test_long_factors_take_several_dsps_whose_parts_are_added() -> None:
    assert multiplier(16, 26, 32) == Resources(multipliers=1, dsp=1)
    assert multiplier(32, 16, 32) == Resources(multipliers=1, dsp=2, lut=32)
    assert multiplier(9, 0, 32) == Resources()
