"""Plays trace files of any length, and what repeats in them once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from hwsim.dram.aim.isa import Ints
from hwsim.dram.aim.pieces import Cutter, Piece
from hwsim.dram.aim.player import ChannelResult
from hwsim.dram.aim.repeat import RepeatingPlayer
from hwsim.dram.aim.trace import Limits
from hwsim.dram.aim.trace_file import read_file
from hwsim.dram.device.standard import Standard


class Player(Protocol):
    """What plays a trace: `AimPlayer`, or `TracePlayer` if nobody asks for every command."""

    standard: Standard
    channels: int

    @property
    def cycle(self) -> int: ...

    def feed(self, program: Ints) -> None: ...

    def results(self) -> list[ChannelResult]: ...


TRIAL = 256  # pieces
LEAST_KNOWN = TRIAL // 8
FIRST_REST = 8 * TRIAL


class Trial:
    """Whether remembering pays: recognising a piece and settling its end takes longer than playing a short one.

    Where too few pieces of a trial were known, the next ones are played without remembering, twice as many each time,
    and then it is tried again. So a trace without repetition loses less the longer it is.
    """

    def __init__(self) -> None:
        self._tried = self._known = self._resting = 0
        self._rest = FIRST_REST

    def pays(self) -> bool:
        """Whether the next piece is to be remembered."""
        if not self._resting:
            return True
        self._resting -= 1
        return False

    def note(self, *, known: bool) -> None:
        """Take note of a piece that was to be remembered."""
        self._tried += 1
        self._known += known
        if self._tried == TRIAL:
            if self._known < LEAST_KNOWN:
                self._resting, self._rest = self._rest, 2 * self._rest
            else:
                self._rest = FIRST_REST
            self._tried = self._known = 0


class TracePlayer:
    """Host and channels, as `AimPlayer`, without refresh; plays pieces that repeat once."""

    def __init__(self, standard: Standard, channels: int) -> None:
        self.standard = standard
        self.channels = channels
        self.player = RepeatingPlayer(standard, channels)
        self._cutter = Cutter()
        self._trial = Trial()

    def feed(self, program: Ints) -> None:
        """Play checked instructions after those that came before; some may wait until more have come."""
        plain: list[Ints] = []
        for piece in self._cutter.cut(program):
            if piece.whole and self._trial.pays():
                self._play_on(plain)
                self._play(piece)
            else:
                plain.append(piece.program)
        self._play_on(plain)

    @property
    def cycle(self) -> int:
        """The cycle in which the last instruction was done; after EOC or SYNC, everything before it."""
        self._end()
        return self.player.cycle

    def results(self) -> list[ChannelResult]:
        """What each channel did so far; the last instruction must be EOC or SYNC."""
        self._end()
        return self.player.results()

    def _play(self, piece: Piece) -> None:
        before = self.player.repeated
        self.player.play((piece.moved,), key=piece.key(), base_row=piece.base_row, rows=piece.rows)
        self._trial.note(known=self.player.repeated > before)

    def _play_on(self, plain: list[Ints]) -> None:
        """Play instructions without remembering, all in one call."""
        if plain:
            self.player.play_on(np.concatenate(plain))
            plain.clear()

    def _end(self) -> None:
        self._play_on([piece.program for piece in self._cutter.end()])


def play_file(path: Path, *players: Player, progress: Callable[[int, int], None] | None = None) -> int:
    """Play a trace file chunk by chunk on each player's channels, in one pass; return its number of instructions.

    Raises
    ------
    TraceError : the file cannot be read, or a line is wrong; the message names file and line
    """
    count = 0
    for program in read_file(path, Limits.of(players[0].standard, players[0].channels), progress):
        count += len(program)
        for player in players:
            player.feed(program)
    return count
