"""Number formats: fixed point, integers, floats and powers of two, and matrices of them with scales.

A value is turned into *codes* (what the bits say: raw two's complement for fixed point and integers, the bit
pattern for floats, the exponent for powers of two) and back; `round_to` does both. Rounding is exact. Every format
says how many bits a matrix takes. docs/formats.md lists them.

A leaf: imports nothing of the project, and every room may import it.
"""

from hwsim.mapping.formats.accumulator import accumulator_of
from hwsim.mapping.formats.base import Format, FormatError
from hwsim.mapping.formats.conversion import dequantise, quantise, round_to
from hwsim.mapping.formats.fixed import MAX_INTEGER, MAX_WIDTH, Fixed, Int, Overflow, Rounding, recode
from hwsim.mapping.formats.floats import (
    BF16,
    FLOATS,
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E4M3,
    FP8_E5M2,
    FP16,
    FP32,
    NARROW_FLOATS,
    Float,
    FloatOverflow,
    Specials,
)
from hwsim.mapping.formats.granularity import CHANNEL, TENSOR, TOKEN, Granularity, block, group
from hwsim.mapping.formats.powers import E8M0, PowerOfTwo
from hwsim.mapping.formats.quantised import Quantised
from hwsim.mapping.formats.scaled import STANDARDS, ScaledFormat, TensorFormat
from hwsim.mapping.formats.storage import bits_per_element, stored_bits, stored_bytes
from hwsim.mapping.formats.text import SHORTHANDS, parse_format, parse_tensor_format

__all__ = [
    "BF16",
    "CHANNEL",
    "E8M0",
    "FLOATS",
    "FP4_E2M1",
    "FP6_E2M3",
    "FP6_E3M2",
    "FP8_E4M3",
    "FP8_E5M2",
    "FP16",
    "FP32",
    "MAX_INTEGER",
    "MAX_WIDTH",
    "NARROW_FLOATS",
    "SHORTHANDS",
    "STANDARDS",
    "TENSOR",
    "TOKEN",
    "Fixed",
    "Float",
    "FloatOverflow",
    "Format",
    "FormatError",
    "Granularity",
    "Int",
    "Overflow",
    "PowerOfTwo",
    "Quantised",
    "Rounding",
    "ScaledFormat",
    "Specials",
    "TensorFormat",
    "accumulator_of",
    "bits_per_element",
    "block",
    "dequantise",
    "group",
    "parse_format",
    "parse_tensor_format",
    "quantise",
    "recode",
    "round_to",
    "stored_bits",
    "stored_bytes",
]
