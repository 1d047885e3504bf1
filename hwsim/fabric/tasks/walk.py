"""Where the beats of a task lie in memory, and how many of them a tile has."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.errors import WiringError
from hwsim.fabric.task import ALWAYS, Fifo, Give, Pattern, Take, Transfer


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Beats at a port: `beats` from each address of `chunks` on, in order; see `Transfer`."""

    port: str
    chunks: tuple[int, ...]
    beats: int
    burst: int
    limit: int | None = None

    @property
    def total(self) -> int:
        every = len(self.chunks) * self.beats
        return every if self.limit is None else min(every, self.limit)

    def read(self, fifo: str) -> Transfer:
        return self._transfer(fifo, write=False)

    def write(self, fifo: str) -> Transfer:
        return self._transfer(fifo, write=True)

    def _transfer(self, fifo: str, *, write: bool) -> Transfer:
        return Transfer(
            port=self.port, fifo=fifo, write=write, chunks=self.chunks, beats=self.beats, burst=self.burst,
            limit=self.limit,
        )  # fmt: skip


def port_fifo(name: str, beats: int = 1) -> Fifo:
    """Between a port and a loop that moves up to `beats` a cycle: as many again can come while these leave.

    The room for what is outstanding is the port's own.
    """
    return Fifo(name, 2 * beats)


def take_tiles(fifo: str, tile_bits: int, beat_bits: int, when: Pattern = ALWAYS) -> Take:
    """An iteration takes a tile: several beats, or a part of one that the first of its tiles takes.

    Raises
    ------
    WiringError : tiles and beats do not divide each other
    """
    beats, share = _shares(fifo, tile_bits, beat_bits)
    if share == 1:
        return Take(fifo, beats, when)
    return Take(fifo, 1, _spread(fifo, when, share))


def give_tiles(fifo: str, tile_bits: int, beat_bits: int, after: int) -> Give:
    """An iteration gives a tile: several beats, or a part of one that leaves with the last of its tiles.

    Raises
    ------
    WiringError : tiles and beats do not divide each other
    """
    beats, share = _shares(fifo, tile_bits, beat_bits)
    if share == 1:
        return Give(fifo, beats, ALWAYS, after)
    return Give(fifo, 1, Pattern(first=share - 1, period=share), after)


def _shares(fifo: str, tile_bits: int, beat_bits: int) -> tuple[int, int]:
    """Beats of a tile, and tiles of a beat; one of them is 1."""
    if tile_bits % beat_bits == 0:
        return tile_bits // beat_bits, 1
    if beat_bits % tile_bits == 0:
        return 1, beat_bits // tile_bits
    raise WiringError(f"{fifo}: tiles of {tile_bits} bit and beats of {beat_bits} bit do not divide each other")


def _spread(fifo: str, when: Pattern, share: int) -> Pattern:
    if when != ALWAYS:
        raise WiringError(f"{fifo}: several tiles a beat go with a loop that takes one each time")
    return Pattern(period=share)
