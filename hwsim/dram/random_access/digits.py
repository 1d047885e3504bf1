"""The digits of an address: a mapping's words, such as `bank^row` or `column:4`, on a standard.

Above the bytes of one access an address is a number written in digits, each of its own size: so many channels, banks,
columns. A mapping is the order of these digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError

USUAL_NAMES = ("channel", "rank", "bankgroup", "bank", "row", "column")
_WORD = re.compile(r"([a-z_]+)(?::([0-9]{1,9}))?(\^row)?")
NO_XOR = -1


class Part(IntEnum):
    """What a digit counts; ranks, bank groups and banks are all digits of the bank's number within its channel."""

    CHANNEL = 0
    BANK = 1
    ROW = 2
    COLUMN = 3


@dataclass(frozen=True, kw_only=True)
class Digit:
    """One digit of an address.

    Attributes
    ----------
    name : `channel`, `row`, `column`, or a level of the standard below the channel
    size : number of its values, at least 2
    scale : what it counts by within its name, where several digits make up one number
    xor_shift : row bits from this one on are XORed to it; NO_XOR for none
    """

    name: str
    size: int
    scale: int = 1
    xor_shift: int = NO_XOR

    @property
    def part(self) -> Part:
        return Part[self.name.upper()] if self.name in ("channel", "row", "column") else Part.BANK

    def weight(self, standard: Standard) -> int:
        """What it counts by within its part."""
        return self.scale * (standard.banks_below(self.name) if self.part is Part.BANK else 1)


@dataclass(frozen=True, kw_only=True)
class _Word:
    """A word of a mapping; without a size, a digit takes what the sizes of the others with its name leave."""

    text: str
    name: str
    size: int | None
    xor: bool


def parse_digits(order: Sequence[str], standard: Standard, channels: int) -> tuple[Digit, ...]:
    """The digits that a mapping's words make on a standard, the least significant first; those of size 1 are left out.

    Parameters
    ----------
    order : words from the most to the least significant: a name, then `:SIZE` for a part of it, then `^row` for an XOR
        with bits of the row. The XORed digits share out the row's bits, the least significant digit the lowest bits.
        `rank` stands for all levels between the channel and the bank groups that are not named themselves.

    Raises
    ------
    DramError : a word with no meaning, sizes that do not fit the standard, a part that no word names
    """
    words = [word for text in order for word in _expand(_parse(text, standard), order, standard)]
    totals = _totals(standard, channels)
    for name, total in totals.items():
        _check_sizes(name, total, [word for word in words if word.name == name])
    digits: list[Digit] = []
    scales = dict.fromkeys(totals, 1)
    bits = 0
    for word in reversed(words):
        sized = math.prod(other.size or 1 for other in words if other.name == word.name)
        size = totals[word.name] // sized if word.size is None else word.size
        if size == 1:
            continue
        if word.xor and size & (size - 1):
            raise DramError(f"address mapping: {word.text} needs a power of two for its XOR, found {size}")
        digits.append(Digit(name=word.name, size=size, scale=scales[word.name], xor_shift=bits if word.xor else NO_XOR))
        scales[word.name] *= size
        bits += size.bit_length() - 1 if word.xor else 0
    return tuple(digits)


def _totals(standard: Standard, channels: int) -> dict[str, int]:
    """How much of each name there is; a level that the standard does not have counts as one."""
    below = dict(standard.levels[1:])
    return {
        **dict.fromkeys(USUAL_NAMES, 1),
        **below,
        "channel": channels,
        "row": standard.rows,
        "column": standard.columns,
    }


def _parse(text: str, standard: Standard) -> _Word:
    found = _WORD.fullmatch(text)
    names = (*USUAL_NAMES, *(level for level in standard.level_names if level not in USUAL_NAMES))
    if not found or found[1] not in names:
        raise DramError(
            f"address mapping: {text!r} is no part of an address; expected {', '.join(names)}, "
            "also as column:4 or bank^row"
        )
    name, size, xor = found[1], found[2], found[3] is not None
    if xor and name in ("row", "column"):
        raise DramError(f"address mapping: {text} is not possible; row bits are XORed to channel, rank and bank only")
    if size is not None and int(size) < 1:
        raise DramError(f"address mapping: {text} needs a size of at least 1")
    return _Word(text=text, name=name, size=None if size is None else int(size), xor=xor)


def _expand(word: _Word, order: Sequence[str], standard: Standard) -> list[_Word]:
    """A word for each level that it stands for; only `rank` stands for others than itself."""
    if word.name != "rank" or "rank" in standard.level_names:
        return [word]
    named = {text.partition(":")[0].partition("^")[0] for text in order}
    levels = [level for level in standard.level_names[1:] if level not in ("bankgroup", "bank", *named)]
    if not levels:
        return [word]
    return [_Word(text=word.text, name=level, size=word.size, xor=word.xor) for level in levels]


def _check_sizes(name: str, total: int, words: Sequence[_Word]) -> None:
    """The digits of one name make up all that there is of it."""
    if not words and total > 1:
        raise DramError(f"address mapping: no word names the {name}, of which there are {total}")
    open_ended = [word for word in words if word.size is None]
    if len(open_ended) > 1:
        raise DramError(f"address mapping: {name} comes {len(open_ended)} times without a size, such as {name}:4")
    sized = math.prod(word.size for word in words if word.size is not None)
    fits = total % sized == 0 if open_ended else total == sized
    if words and not fits:
        listed = ", ".join(word.text for word in words)
        raise DramError(f"address mapping: {listed} cannot make up {name}, of which there are {total}")
