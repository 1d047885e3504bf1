"""Streams of a block: the content of a beat, and its packing into the wires of the RTL.

A contract lists its streams; component, golden model and bench all take names, order and formats from there.
Numbers travel as *codes* (raw two's complement), see `hwsim.mapping.formats`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.formats import Fixed

Codes = NDArray[np.int64]
Beats = Mapping[str, Codes]  # field -> (beats,) or (beats, lanes)
Streams = Mapping[str, Beats]  # stream -> its beats

FLAG = Fixed(width=1, integer=1, signed=False)


def number_up_to(highest: int) -> Fixed:
    """Format of a whole number from 0 to `highest`, of at least one bit."""
    width = max(1, highest.bit_length())
    return Fixed(width=width, integer=width, signed=False)


@dataclass(frozen=True, kw_only=True)
class Field:
    """A part of a beat: one number, or `lanes` of them side by side, lane 0 lowest."""

    name: str
    format: Fixed
    lanes: int | None = None

    @property
    def width_bits(self) -> int:
        return self.format.width * (1 if self.lanes is None else self.lanes)

    def pack(self, codes: Codes) -> int:
        """The bits of one beat's codes."""
        mask, width = (1 << self.format.width) - 1, self.format.width
        return sum((int(code) & mask) << (width * lane) for lane, code in enumerate(np.atleast_1d(codes)))

    def unpack(self, bits: int) -> Codes:
        """The codes of one beat's bits, () or (lanes,)."""
        high = self.format.code_range[1]
        width, span = self.format.width, 1 << self.format.width
        raw = [(bits >> (width * lane)) & (span - 1) for lane in range(self.lanes or 1)]
        codes = np.array([code - span if code > high else code for code in raw], dtype=np.int64)
        return codes[0] if self.lanes is None else codes


@dataclass(frozen=True, kw_only=True)
class Port:
    """A stream with ready and valid. The first field lies lowest in the payload."""

    name: str
    direction: Literal["in", "out"]
    fields: tuple[Field, ...]

    @property
    def width_bits(self) -> int:
        return sum(field.width_bits for field in self.fields)

    def pack(self, beats: Beats) -> list[int]:
        """The payload of each beat."""
        length = len(beats[self.fields[0].name])
        return [sum(field.pack(beats[field.name][i]) << low for field, low in self._places()) for i in range(length)]

    def unpack(self, payloads: list[int]) -> Beats:
        """The beats of payloads."""
        return {
            field.name: np.array([field.unpack(bits >> low) for bits in payloads], dtype=np.int64).reshape(
                len(payloads), *(() if field.lanes is None else (field.lanes,))
            )
            for field, low in self._places()
        }

    def check(self, beats: Beats) -> None:
        """Check fields, shapes and ranges of beats.

        Raises
        ------
        ValueError : something is missing, of a wrong shape or out of range
        """
        if set(beats) != {field.name for field in self.fields}:
            wanted = ", ".join(field.name for field in self.fields)
            raise ValueError(f"stream {self.name} carries {wanted}; got {', '.join(beats)}")
        length = len(beats[self.fields[0].name])
        for field in self.fields:
            codes, shape = beats[field.name], (length,) if field.lanes is None else (length, field.lanes)
            if codes.shape != shape:
                raise ValueError(f"{self.name}.{field.name}: expected shape {shape}, got {codes.shape}")
            low, high = field.format.code_range
            if codes.size and not (low <= codes.min() and codes.max() <= high):
                raise ValueError(f"{self.name}.{field.name}: codes outside {low}..{high} of {field.format}")

    def _places(self) -> Iterator[tuple[Field, int]]:
        """Each field with its lowest bit."""
        low = 0
        for field in self.fields:
            yield field, low
            low += field.width_bits


def stream(name: str, direction: Literal["in", "out"], **fields: Fixed | tuple[Fixed, int]) -> Port:
    """A port whose fields are given as `name=format` or `name=(format, lanes)`."""
    return Port(
        name=name,
        direction=direction,
        fields=tuple(
            Field(name=field, format=what[0], lanes=what[1])
            if isinstance(what, tuple)
            else Field(name=field, format=what)
            for field, what in fields.items()
        ),
    )
