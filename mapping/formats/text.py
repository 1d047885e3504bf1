"""Formats as text, as workload files and `--set` have them; the text of a format reads back as that format.

    plain    bf16  fp8_e4m3(saturate)  int8  uint4(floor,wrap)  fixed(32,10)  ufixed(8,0)  e8m0  pow2(5,-20)
    scaled   ELEMENT/GRANULARITY(SCALE)  ELEMENT/GRANULARITY(SCALE,ZERO)  either followed by /tensor(SCALE)
    names    nvfp4, mxfp8 and the others in STANDARDS; w4 and the others in SHORTHANDS

A scale that is left out is fp32: `int8/channel` is `int8/channel(fp32)`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from hwsim.mapping.formats.base import Format, FormatError
from hwsim.mapping.formats.fixed import Fixed, Int
from hwsim.mapping.formats.floats import FLOATS, FP16, FP32, NARROW_FLOATS, Float
from hwsim.mapping.formats.granularity import CHANNEL, TOKEN, group, parse_granularity
from hwsim.mapping.formats.powers import E8M0, PowerOfTwo
from hwsim.mapping.formats.scaled import STANDARDS, ScaledFormat, TensorFormat

# Short names for what is common; printed in full.
SHORTHANDS: dict[str, ScaledFormat] = {
    "w8": ScaledFormat(element=Int(width=8), granularity=CHANNEL, scale=FP16),
    "a8": ScaledFormat(element=Int(width=8), granularity=TOKEN, scale=FP16),
    "w4": ScaledFormat(element=Int(width=4), granularity=group(128), scale=FP16),
    "w4_zero": ScaledFormat(
        element=Int(width=4, signed=False), granularity=group(128), scale=FP16, zero=Int(width=4, signed=False)
    ),
}
_PLAIN: dict[str, Format] = {**FLOATS, **NARROW_FLOATS, "e8m0": E8M0}
_PLAIN_PATTERNS = "int8, uint4, fixed(32,10), pow2(5,-20)"
_SCALED_PATTERNS = "int8/channel(fp16), uint4/group128(fp16,uint4)"


def parse_format(text: str) -> Format:
    """A format of single numbers from its text: `bf16`, `fp8_e4m3`, `int8`, `uint4`, `fixed(32,10)`, `ufixed(8,0)`.

    Modes other than the usual ones follow: `fixed(32,10,nearest_even,saturate)`, `int8(floor,wrap)`,
    `fp8_e4m3(saturate)`. The text of a format parses to that format.

    Raises
    ------
    FormatError : names what is understood; what has scales is refused, since not everything can use them
    """
    compact = text.replace(" ", "")
    if "/" in compact or compact in STANDARDS or compact in SHORTHANDS:
        raise FormatError(f"{text!r} has scales; expected a format of single numbers, such as {_PLAIN_PATTERNS}")
    plain = _parse_plain(compact)
    if plain is None:
        raise FormatError(f"no number format {text!r}; {_understood(compact, _PLAIN, _PLAIN_PATTERNS)}")
    return plain


def parse_tensor_format(text: str) -> TensorFormat:
    """A format of a matrix from its text, with scales or without; see above.

    Raises
    ------
    FormatError : names what is understood
    """
    compact = text.replace(" ", "")
    named = STANDARDS.get(compact) or SHORTHANDS.get(compact)
    if named is not None:
        return named
    if "/" in compact:
        return _parse_scaled(compact)
    plain = _parse_plain(compact)
    if plain is None:
        names = {**_PLAIN, **STANDARDS, **SHORTHANDS}
        patterns = f"{_PLAIN_PATTERNS}, {_SCALED_PATTERNS}"
        raise FormatError(f"no number format {text!r}; {_understood(compact, names, patterns)}")
    return plain


def _parse_plain(compact: str) -> Format | None:
    if compact in _PLAIN:
        return _PLAIN[compact]
    if match := re.fullmatch(r"(\w+)\(saturate\)", compact):
        return _saturating(match[1])
    if match := re.fullmatch(r"(u?)int(\d{1,3})(?:\((\w+),(\w+)\))?", compact):
        return Int(width=int(match[2]), signed=not match[1], **_modes(match[3], match[4]))
    if match := re.fullmatch(r"(u?)fixed\((\d{1,3}),(-?\d{1,3})(?:,(\w+),(\w+))?\)", compact):
        modes = _modes(match[4], match[5])
        return Fixed(width=int(match[2]), integer=int(match[3]), signed=not match[1], **modes)
    if match := re.fullmatch(r"pow2\((\d{1,2}),(-?\d{1,4})(,nan)?\)", compact):
        return PowerOfTwo(width=int(match[1]), lowest=int(match[2]), nan=bool(match[3]))
    return None


def _saturating(name: str) -> Float | None:
    """The float of that name with saturation, where there is one."""
    fmt = {**FLOATS, **NARROW_FLOATS}.get(name)
    if fmt is None:
        return None
    exponent, mantissa = fmt.exponent_bits, fmt.mantissa_bits
    return Float(name=name, exponent_bits=exponent, mantissa_bits=mantissa, specials=fmt.specials, overflow="saturate")


def _modes(rounding: str | None, overflow: str | None) -> dict[str, Any]:
    """The modes that a text names; none for the usual ones."""
    return {} if rounding is None else {"rounding": rounding, "overflow": overflow}


def _parse_scaled(compact: str) -> ScaledFormat:
    element, first, *second = compact.split("/")
    granularity, formats = _split_level(first, compact)
    if len(formats) > 2 or len(second) > 1:
        raise FormatError(f"{compact!r} has too many parts; understood are {_SCALED_PATTERNS}, nvfp4")
    parts: dict[str, Any] = {"element": parse_format(element), "granularity": parse_granularity(granularity)}
    parts["scale"] = formats[0] if formats else FP32
    parts["zero"] = formats[1] if len(formats) == 2 else None
    if second:
        whole, scales = _split_level(second[0], compact)
        if whole != "tensor" or len(scales) > 1:
            raise FormatError(f"the second scale of {compact!r} is written /tensor(fp32), got /{second[0]}")
        parts["tensor_scale"] = scales[0] if scales else FP32
    return ScaledFormat(**parts)


def _split_level(level: str, compact: str) -> tuple[str, list[Format]]:
    """`channel(fp16)` as its granularity and the formats that it names."""
    match = re.fullmatch(r"([^()]*)(?:\((.+)\))?", level)
    if match is None:
        raise FormatError(f"brackets of {compact!r} do not match; understood are {_SCALED_PATTERNS}")
    return match[1], [parse_format(part) for part in _split_outside_brackets(match[2])] if match[2] else []


def _split_outside_brackets(text: str) -> Iterator[str]:
    """Parts between commas that stand outside brackets: `pow2(5,-20),uint4` has two."""
    depth, begin = 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[begin:place]
            begin = place + 1
    yield text[begin:]


def _understood(found: str, names: dict[str, Any], patterns: str) -> str:
    """What a message says about an unknown name: those that resemble it, and all that there are."""
    close = difflib.get_close_matches(found, names, n=3, cutoff=0.5)
    nearest = f"nearest: {', '.join(close)}; " if close else ""
    return f"{nearest}understood are {', '.join(names)}, {patterns}"
