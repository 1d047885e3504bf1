"""Which elements of a matrix share a scale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from hwsim.mapping.formats.base import FormatError, count_elements

Kind = Literal["tensor", "channel", "token", "group", "block"]


@dataclass(frozen=True, kw_only=True)
class Granularity:
    """A (rows, columns) matrix cut into regions, each with a scale of its own; those at its edges may be smaller.

    Rows of a weight matrix are output channels, rows of an activation are tokens: `channel` and `token` cut alike
    and tell the two apart.

    Attributes
    ----------
    kind : `tensor`: one region. `channel`, `token`: a row. `group`: neighbours in a row. `block`: a rectangle
    shape : (rows, columns) of a group or block, None otherwise

    Raises
    ------
    FormatError : an unknown kind, a shape where there is none or the other way round, sizes below 1
    """

    kind: Kind
    shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise FormatError(f"no granularity {self.kind!r}; understood are {UNDERSTOOD}")
        if (self.shape is not None) != (self.kind in ("group", "block")):
            raise FormatError(f"a group and a block have a shape and no other has; got {self.kind} with {self.shape}")
        if self.shape is not None and (min(self.shape) < 1 or (self.kind == "group" and self.shape[0] != 1)):
            expected = "1 x 1 or larger" if self.kind == "block" else "one row of 1 or more elements"
            raise FormatError(f"a {self.kind} is {expected}, got {self.shape[0]} x {self.shape[1]}")

    def region(self, rows: int, columns: int) -> tuple[int, int]:
        """(rows, columns) of a region that no edge cuts; at least 1 x 1."""
        if self.shape is not None:
            return self.shape
        return max(rows, 1) if self.kind == "tensor" else 1, max(columns, 1)

    def grid(self, rows: int, columns: int) -> tuple[int, int]:
        """Regions (down, across) of a matrix, those cut by its edges among them.

        Raises
        ------
        FormatError : a size below 0
        """
        count_elements(rows, columns)
        height, width = self.region(rows, columns)
        return -(-rows // height), -(-columns // width)

    def __str__(self) -> str:
        if self.shape is None:
            return self.kind
        return f"{self.kind}{self.shape[1]}" if self.kind == "group" else f"block{self.shape[0]}x{self.shape[1]}"


TENSOR = Granularity(kind="tensor")
CHANNEL = Granularity(kind="channel")
TOKEN = Granularity(kind="token")
UNDERSTOOD = "tensor, channel, token, group128, block32x32"


def group(size: int) -> Granularity:
    """`size` neighbours of a row share a scale."""
    return Granularity(kind="group", shape=(1, size))


def block(rows: int, columns: int) -> Granularity:
    """A rectangle of `rows` x `columns` elements shares a scale."""
    return Granularity(kind="block", shape=(rows, columns))


def parse_granularity(text: str) -> Granularity:
    """`tensor`, `channel`, `token`, `group128` or `block32x32`.

    Raises
    ------
    FormatError : names what is understood
    """
    for granularity in (TENSOR, CHANNEL, TOKEN):
        if text == granularity.kind:
            return granularity
    if match := re.fullmatch(r"group(\d{1,9})", text):
        return group(int(match[1]))
    if match := re.fullmatch(r"block(\d{1,9})x(\d{1,9})", text):
        return block(int(match[1]), int(match[2]))
    raise FormatError(f"no granularity {text!r}; understood are {UNDERSTOOD}")
