"""The pieces of estimates, as synthesis maps them."""

import pytest

from hwsim.rtl.contract import Resources
from hwsim.rtl.estimates import delay, memory, multiplier, rom


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


@pytest.mark.parametrize(
    ("rows", "bits", "expected"),  # as Yosys 0.70 mapped memories with a registered read port; of LUTs without decoders
    [
        (32, 256, {"lut": 19 * 8, "ff": 256}),
        (33, 256, {"lut": 37 * 8, "ff": 256}),
        (64, 256, {"lut": 37 * 8, "ff": 256}),
        (65, 256, {"bram36": 4}),
        (128, 18, {"lut": 6 * 8 + 18, "ff": 18}),
        (128, 72, {"bram36": 1}),
        (96, 360, {"bram36": 5}),
        (2048, 40, {"bram36": 3}),  # 5 halves
        (4096, 20, {"bram36": 3}),
        (4096, 36, {"uram": 1}),
        (4096, 40, {"uram": 1}),
        (8192, 40, {"uram": 2, "lut": 40}),
        (8192, 20, {"uram": 1, "lut": 20}),
    ],
)
def test_a_memory_goes_where_it_is_cheapest(rows: int, bits: int, expected: dict[str, int]) -> None:
    assert memory(rows, bits) == Resources(sram_bytes=rows * bits // 8, **expected)


def test_a_narrow_memory_fills_ultra_rams_side_by_side() -> None:
    assert memory(1 << 16, 17).uram == 4


def test_delays_become_shift_registers() -> None:
    assert delay(8, 2) == Resources(ff=16)
    assert delay(8, 3) == Resources(lut=8)
    assert delay(8, 17) == Resources(lut=16)


def test_long_factors_take_several_dsps_whose_parts_are_added() -> None:
    assert multiplier(16, 26, 32) == Resources(multipliers=1, dsp=1)
    assert multiplier(32, 16, 32) == Resources(multipliers=1, dsp=2, lut=32)
    assert multiplier(9, 0, 32) == Resources()
