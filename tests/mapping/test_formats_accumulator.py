"""The accumulator of a sum of products is the narrowest that never overflows."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import FP16, Fixed, FormatError, Int, accumulator_of, parse_tensor_format


def test_int8_sums() -> None:
    signed, unsigned = Int(width=8), Int(width=8, signed=False)
    assert [str(accumulator_of(signed, signed, n)) for n in (1, 768, 1 << 17)] == ["int16", "int25", "int33"]
    assert str(accumulator_of(unsigned, unsigned, 1)) == "uint16"
    assert str(accumulator_of(unsigned, signed, 1)) == "int16"


def test_edge_moes_linear_layer_needs_57_bits_for_768_exact_products() -> None:
    activation, weight = Fixed(width=32, integer=10), Fixed(width=16, integer=2)
    assert str(accumulator_of(activation, weight, 16)) == "fixed(52,16)"
    with pytest.raises(FormatError) as caught:
        accumulator_of(activation, weight, 768)
    expected = "a sum of 768 products of fixed(32,10) and fixed(16,2) has 57 bits; formats have 53"
    assert str(caught.value) == expected


def test_the_point_is_where_the_products_have_it() -> None:
    fmt = accumulator_of(Fixed(width=8, integer=-2), Int(width=4), 10)
    assert (str(fmt), fmt.fraction) == ("fixed(15,5)", 10)


@given(
    widths=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    signs=st.tuples(st.booleans(), st.booleans()),
    length=st.integers(1, 9),
)
def test_it_holds_every_sum_and_no_narrower_one_does(
    widths: tuple[int, int], signs: tuple[bool, bool], length: int
) -> None:
    a, b = (Int(width=w, signed=s) for w, s in zip(widths, signs))
    products = [
        x * y
        for x, y in product(range(a.code_range[0], a.code_range[1] + 1), range(b.code_range[0], b.code_range[1] + 1))
    ]
    reach = min(products) * length, max(products) * length
    fmt = accumulator_of(a, b, length)
    assert fmt.code_range[0] <= reach[0]
    assert reach[1] <= fmt.code_range[1]
    assert fmt.signed == (reach[0] < 0)
    if fmt.width > 1:
        narrower = Int(width=fmt.width - 1, signed=fmt.signed).code_range
        assert reach[0] < narrower[0] or reach[1] > narrower[1]


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (FP16, "a sum of products is exact in fixed point and integers; fp16 is neither"),
        (parse_tensor_format("int8/token"), "int8/token(fp32) has scales, and a sum is one of its elements: give int8"),
    ],
    ids=str,
)
def test_what_has_no_exact_sum(a: Int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        accumulator_of(Int(width=8), a, 4)
    assert str(caught.value) == message


def test_a_sum_has_products() -> None:
    with pytest.raises(FormatError, match="a sum has 1 or more products, got 0"):
        accumulator_of(Int(width=8), Int(width=8), 0)
