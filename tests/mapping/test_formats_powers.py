"""Powers of two round to the nearest, and E8M0 equals that of ml_dtypes."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.formats import E8M0, FormatError, PowerOfTwo, dequantise, quantise, round_to

SHIFTS = PowerOfTwo(width=3, lowest=-7)  # 1/128 to 1


def test_codes_are_exponents() -> None:
    assert dequantise(range(8), SHIFTS).tolist() == [2.0**e for e in range(-7, 1)]
    assert (SHIFTS.bits, SHIFTS.minimum, SHIFTS.maximum, SHIFTS.resolution) == (3, 2.0**-7, 1.0, 1.0)


def test_the_middle_between_two_goes_up() -> None:
    assert quantise([0.375, 0.75, 0.7499, 0.7501], SHIFTS).tolist() == [6, 7, 6, 7]


def test_what_is_outside_becomes_the_end_of_the_range() -> None:
    assert round_to([1e-9, 5e-324, 3.0, np.inf], SHIFTS).tolist() == [2.0**-7, 2.0**-7, 1.0, 1.0]


@pytest.mark.parametrize("x", [0.0, -1.0, np.nan])
def test_only_positive_numbers_have_a_value(x: float) -> None:
    with pytest.raises(FormatError, match=rf"{x} has no value in pow2\(3,-7\), which holds positive numbers"):
        quantise([1.0, x], SHIFTS)


def test_e8m0_has_nan_for_all_others() -> None:
    assert quantise([0.0, -1.0, np.nan, np.inf, 1e300], E8M0).tolist() == [255] * 5
    assert (E8M0.minimum, E8M0.maximum, E8M0.bits) == (2.0**-127, 2.0**127, 8)


def test_e8m0_equals_ml_dtypes() -> None:
    codes = np.arange(256)
    stored = codes.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu)
    np.testing.assert_array_equal(dequantise(codes, E8M0), stored.astype(np.float64))
    # float32 numbers, since ml_dtypes rounds through float32
    half = np.float32(1.5)
    shares = [1.0, 1.25, np.nextafter(half, np.float32(1)), half, np.nextafter(half, np.float32(2)), 1.9]
    x = np.outer(np.array(shares, dtype=np.float32), 2.0 ** np.arange(-126, 128)).ravel()
    np.testing.assert_array_equal(quantise(x, E8M0), x.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8))


@given(x=st.floats(min_value=5e-324, max_value=2.0**127))
def test_no_power_of_two_is_nearer(x: float) -> None:
    code = quantise(x, E8M0).item()
    error = abs(Fraction(2) ** (code - 127) - Fraction(x))
    for other in {max(code - 1, 0), min(code + 1, 254)} - {code}:
        distance = abs(Fraction(2) ** (other - 127) - Fraction(x))
        assert error < distance or (error == distance and other < code)


def test_exponents_are_those_of_float64() -> None:
    with pytest.raises(FormatError, match=r"exponents 1000\.\.1031 are outside -1022\.\.1023"):
        PowerOfTwo(width=5, lowest=1000)
    with pytest.raises(FormatError, match=r"a power of two has 1\.\.11 bits, got 12"):
        PowerOfTwo(width=12, lowest=-1022)
    with pytest.raises(FormatError, match=r"code 8 is outside 0\.\.7 of pow2\(3,-7\)"):
        dequantise(8, SHIFTS)
