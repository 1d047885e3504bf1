"""Request patterns without a file: addresses in order, a distance apart, of a copy, or drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hwsim.dram.random_access.address import AddressMapping
from hwsim.dram.random_access.requests import Ints, Requests, untimed
from hwsim.errors import DramError

# What each may have after a colon, and the value without it: None where it must be given.
PATTERNS: dict[str, tuple[str, int | None] | None] = {
    "stream": None,
    "random": None,
    "stride": ("BYTES", None),
    "copy": None,
    "local": ("MEAN", 8),
}
FORMS = "stream, random, stride:BYTES, copy, local or local:MEAN"
_CHUNK = 1 << 16
Addresses = Callable[[int, int], Ints]  # of `count` requests from the request `first` on


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """`number` is the distance in bytes of `stride`, and the mean number of accesses a visit of `local`."""

    name: str
    number: int = 0


def parse_pattern(text: str) -> Pattern | None:
    """The pattern of a text; None if the text begins with the name of none.

    Raises
    ------
    DramError : a pattern without the number that it needs, or with a wrong one
    """
    name, colon, number = text.partition(":")
    if name not in PATTERNS:
        return None
    takes = PATTERNS[name]
    if takes is None:
        if colon:
            raise DramError(f"pattern {name} takes no number, found {text!r}")
        return Pattern(name=name)
    what, default = takes
    if not colon and default is not None:
        return Pattern(name=name, number=default)
    if not (number.isascii() and number.isdecimal() and 1 <= len(number) <= 15 and int(number) > 0):
        raise DramError(f"pattern {name}: expected {name}:{what} with a whole number from 1 on, got {text!r}")
    return Pattern(name=name, number=int(number))


def generate(
    text: str, mapping: AddressMapping, requests: int, *, read_share: float | None = None, seed: int | None = None
) -> Iterator[Requests]:
    """The requests of a pattern, a chunk at a time; docs/dram.md says what each pattern is.

    Parameters
    ----------
    read_share : each request is a read with this probability, drawn independently of the addresses; by default 1
    seed : equal seeds draw equal requests; by default 0

    Raises
    ------
    DramError : no such pattern, a distance beyond the memory, a share outside 0 to 1, an option that a copy has not
    """
    pattern = parse_pattern(text)
    if pattern is None:
        raise DramError(f"no request pattern {text!r}; there are {FORMS}")
    if pattern.name == "copy" and (read_share, seed) != (None, None):
        raise DramError("--read-share and --seed mean nothing to a copy, which reads and writes in turn")
    share = 1.0 if read_share is None else read_share
    if not 0 <= share <= 1:
        raise DramError(f"the share of reads must be from 0 to 1, got {share}")
    if pattern.name == "stride" and pattern.number >= mapping.capacity_bytes:
        raise DramError(f"pattern {text}: lies beyond the memory of {mapping.capacity_bytes} B")
    addresses = _addresses(pattern, mapping, seed or 0)
    kinds = np.random.default_rng([seed or 0, 0])
    for first in range(0, requests, _CHUNK):
        count = min(_CHUNK, requests - first)
        writes = np.arange(first, first + count) % 2 == 1 if pattern.name == "copy" else kinds.random(count) >= share
        yield untimed(writes, addresses(first, count))


def _addresses(pattern: Pattern, mapping: AddressMapping, seed: int) -> Addresses:
    size, capacity = mapping.standard.column_bytes, mapping.capacity_bytes
    blocks = capacity // size
    places = np.random.default_rng([seed, 1])
    if pattern.name == "stream":
        return lambda first, count: np.arange(first, first + count) % blocks * size
    if pattern.name == "random":
        return lambda _, count: places.integers(blocks, size=count) * size
    if pattern.name == "stride":
        # the first address is computed by Python's integers, which do not overflow
        return lambda first, count: (first * pattern.number % capacity + np.arange(count) * pattern.number) % capacity
    if pattern.name == "copy":
        return lambda first, count: _copied(np.arange(first, first + count), blocks // 2) * size
    return _Local(mapping, pattern.number, places, np.random.default_rng([seed, 2])).addresses


def _copied(number: Ints, half: int) -> Ints:
    """Reads of the first half of the memory, each before the write of the same place in the second half."""
    return number // 2 % half + number % 2 * half


class _Local:
    """Visits to neighbourhoods of the size of a row.

    Each request begins a new visit with the probability 1 / mean, so that the number of accesses in a visit is
    geometric with that mean.
    """

    def __init__(
        self, mapping: AddressMapping, mean: int, places: np.random.Generator, visits: np.random.Generator
    ) -> None:
        self._standard = mapping.standard
        self._neighbourhoods = mapping.capacity_bytes // (mapping.standard.columns * mapping.standard.column_bytes)
        self._mean = mean
        self._places, self._visits = places, visits
        self._present = int(places.integers(self._neighbourhoods))

    def addresses(self, _: int, count: int) -> Ints:
        begins = self._visits.random(count) < 1 / self._mean
        drawn = self._places.integers(self._neighbourhoods, size=int(begins.sum()))
        visited = np.concatenate([[self._present], drawn])[np.cumsum(begins)]
        self._present = int(visited[-1])
        columns = self._places.integers(self._standard.columns, size=count)
        return (visited * self._standard.columns + columns) * self._standard.column_bytes
