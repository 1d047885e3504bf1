"""Shift, round, wrap and saturate: `recode` against rational arithmetic, and Amaranth's against numpy's."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import Fixed, recode

FORMATS = st.builds(
    Fixed,
    width=st.integers(1, 40),
    integer=st.integers(-8, 48),
    signed=st.booleans(),
    rounding=st.sampled_from(["floor", "nearest_even"]),
    overflow=st.sampled_from(["wrap", "saturate"]),
)


def oracle(code: int, fraction: int, fmt: Fixed) -> int:
    """The code by definition, with rational numbers."""
    steps = Fraction(code) / Fraction(2) ** fraction * Fraction(2) ** fmt.fraction
    whole = math.floor(steps) if fmt.rounding == "floor" else round(steps)  # Python rounds fractions half to even
    low, high = fmt.code_range
    if fmt.overflow == "saturate":
        return min(max(whole, low), high)
    return (whole - low) % (1 << fmt.width) + low


@given(st.integers(-(1 << 62), (1 << 62) - 1), st.integers(-20, 70), FORMATS)
def test_recode_is_what_the_format_says(code: int, fraction: int, fmt: Fixed) -> None:
    assert recode(np.array([code]), fraction, fmt).tolist() == [oracle(code, fraction, fmt)]


def test_a_far_left_shift_saturates_only_what_does_not_fit() -> None:
    fmt = Fixed(width=32, integer=1, signed=False, overflow="saturate")
    assert recode(np.array([-1, 0, 1, 2]), 0, fmt).tolist() == [0, 0, 1 << 31, (1 << 32) - 1]


def test_each_product_is_floored_before_it_is_added() -> None:
    activation = Fixed(width=32, integer=10)
    assert recode(np.array([-1, (1 << 14) - 1, -(1 << 14)]), 36, activation).tolist() == [-1, 0, -1]


@given(st.integers(1, 24), st.booleans(), st.integers(-4, 30), FORMATS, st.data())
def test_components_recode_alike(width: int, signed: bool, fraction: int, fmt: Fixed, data: st.DataObject) -> None:
    hdl = pytest.importorskip("amaranth.hdl")
    from amaranth.sim import Simulator

    from hwsim.rtl.fixed_point import recode as recode_value

    source = Fixed(width=width, integer=width, signed=signed)
    codes = data.draw(st.lists(st.integers(*source.code_range), min_size=1, max_size=8))
    m = hdl.Module()
    value = hdl.Signal(hdl.Shape(width, signed))
    result = hdl.Signal(hdl.Shape(fmt.width, fmt.signed))
    m.d.comb += result.eq(recode_value(value, fraction, fmt))
    seen: list[int] = []

    async def bench(ctx) -> None:
        for code in codes:
            ctx.set(value, code)
            seen.append(ctx.get(result))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == recode(np.array(codes), fraction, fmt).tolist()
