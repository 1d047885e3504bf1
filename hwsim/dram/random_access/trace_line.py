"""One line of a request trace, slowly: the rules of `scanner.scan`, and every error message.

docs/dram.md has the grammar.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hwsim.dram.random_access.address import AddressMapping, Place
from hwsim.dram.random_access.masters import MOST
from hwsim.dram.random_access.requests import NO_ARRIVAL
from hwsim.errors import TraceError

_BLANKS = re.compile(r"[ \t\n\v\f\r,]+")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,15}|[0-9]{1,15}")
_PARTS = {"ch": "channel", "ba": "bank", "ro": "row", "co": "column"}  # in the order of `Place`
_KINDS = {"READ": False, "WRITE": True}


class TracedRequest(NamedTuple):
    """`arrival` is NO_ARRIVAL where the line states none."""

    write: bool
    address: int
    arrival: int


def parse_line(line: str, mapping: AddressMapping, *, last: int = 0, wrap: bool = False) -> TracedRequest | None:
    """The request of a line; None for a blank line or a comment.

    Parameters
    ----------
    last : the arrival of the request before it
    wrap : take an address modulo the capacity, and a channel, bank, row or column modulo how many there are

    Raises
    ------
    TraceError : not a request of this memory; the message says what was found and expected, not where
    """
    words = [word for word in _BLANKS.split(line.partition("#")[0]) if word]
    if not words:
        return None
    if words[0].upper() in ("LD", "ST"):
        return _load_or_store(words, mapping, last, wrap)
    if words[0][:2].lower() == "0x":
        return _address_first(words, mapping, last, wrap)
    raise TraceError(f"{_shown(words[0])} begins no request; expected LD or ST, or an address in hexadecimal")


def _load_or_store(words: list[str], mapping: AddressMapping, last: int, wrap: bool) -> TracedRequest:
    """`LD 0x40`, `ST ch0 ba3 ro17 co5`, each perhaps with `@120` at its end."""
    kind, *where = words
    arrival = NO_ARRIVAL
    if where and where[-1].startswith("@"):
        arrival = _arrival(where.pop().removeprefix("@"), last)
    if len(where) == 1:
        address = _address(where[0], mapping, wrap)
    elif len(where) == len(_PARTS):
        numbers = _counts(mapping)
        parts = zip(where, _PARTS, numbers, strict=True)
        address = mapping.address_of(Place(*(_part(word, prefix, most, wrap) for word, prefix, most in parts)))
    else:
        raise TraceError(f"{kind.upper()} takes an address, or a place such as ch0 ba3 ro17 co5; found {_words(where)}")
    return TracedRequest(kind.upper() == "ST", address, arrival)


def _address_first(words: list[str], mapping: AddressMapping, last: int, wrap: bool) -> TracedRequest:
    """`0x40 READ 120`."""
    if len(words) != 3:
        raise TraceError(f"an address at the beginning takes READ or WRITE and a cycle, found {_words(words[1:])}")
    kind = words[1].upper()
    if kind not in _KINDS:
        raise TraceError(f"{_shown(words[1])} after an address; expected READ or WRITE")
    return TracedRequest(_KINDS[kind], _address(words[0], mapping, wrap), _arrival(words[2], last))


def _address(word: str, mapping: AddressMapping, wrap: bool) -> int:
    address = _number(word)
    if address is None:
        raise TraceError(f"{_shown(word)} is no address; expected decimal or 0x hexadecimal")
    if not wrap and address >= mapping.capacity_bytes:
        raise TraceError(
            f"address {word} is beyond the memory of {mapping.capacity_bytes} B; more channels or --wrap help"
        )
    return address % mapping.capacity_bytes


def _part(word: str, prefix: str, most: int, wrap: bool) -> int:
    name = _PARTS[prefix]
    number = _number(word[2:]) if word[:2].lower() == prefix else None
    if number is None:
        raise TraceError(f"{_shown(word)} is no {name}; expected {prefix} and a number, such as {prefix}0")
    if not wrap and number >= most:
        raise TraceError(f"{name} {number} is beyond the memory, whose last {name} is {most - 1}")
    return number % most


def _arrival(text: str, last: int) -> int:
    arrival = _number(text)
    if arrival is None:
        raise TraceError(f"{_shown(text)} is no arrival; expected a cycle, decimal or 0x hexadecimal")
    if arrival > MOST:
        raise TraceError(f"cycle {arrival} is later than {MOST}, the last that an arrival may have")
    if arrival < last:
        raise TraceError(f"arrives at cycle {arrival}, before the last request, which arrived at cycle {last}")
    return arrival


def _counts(mapping: AddressMapping) -> tuple[int, int, int, int]:
    """How many channels, banks of a channel, rows and columns there are."""
    return mapping.channels, mapping.standard.banks, mapping.standard.rows, mapping.standard.columns


def _number(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    return int(text, 16 if text[:2].lower() == "0x" else 10)


def _words(words: list[str]) -> str:
    return f"{len(words)} word{'s' * (len(words) != 1)}"


def _shown(word: str) -> str:
    """A word of a possibly binary file, made fit for a one-line message."""
    return ascii(word if len(word) <= 24 else word[:24] + "...")
