"""A trace cut into pieces that may repeat: up to barriers, with their rows counted from the first that they name."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from hwsim.dram.aim.isa import CODES, COLUMNS, OPERATIONS, Ints

LEAST = 32  # instructions; shorter pieces are joined, as recognising one takes about as long as playing so many
MOST = 1 << 16  # instructions without a barrier after which a piece is not waited for
_ROW = COLUMNS.index("row")
_BARRIERS = np.array([operation.barrier for operation in OPERATIONS.values()])
_NO_ROW = 1 << 40


class Piece(NamedTuple):
    """Instructions, in a trace's order.

    Attributes
    ----------
    program : as they are
    moved : with rows counted from `base_row`
    rows : number of rows, from `base_row` on, that they name
    whole : they begin after a barrier and end in one, and are no more than `MOST`
    """

    program: Ints
    moved: Ints
    base_row: int
    rows: int
    whole: bool

    def key(self) -> bytes:
        """The same for equal `moved`."""
        return blake2b(self.moved.tobytes(), digest_size=16).digest()


class Cutter:
    """Cuts a trace that comes in chunks; what follows the last barrier waits for the next chunk."""

    def __init__(self) -> None:
        self._rest: list[Ints] = []
        self._unfinished = False  # instructions since the last barrier were already handed out

    def cut(self, chunk: Ints) -> Iterator[Piece]:
        """The pieces that end in a chunk, and what became too long to wait for its barrier."""
        before = sum(map(len, self._rest))
        ends = _joined(before + 1 + np.flatnonzero(_BARRIERS[chunk[:, 0]]))
        if len(ends):
            program = np.concatenate([*self._rest, chunk[: ends[-1] - before]])
            yield from self._pieces(program, ends)
            self._rest, self._unfinished = [], False
            chunk = chunk[ends[-1] - before :]
        self._rest.append(chunk)
        if sum(map(len, self._rest)) > MOST:
            yield from self.end()

    def end(self) -> Iterator[Piece]:
        """What still waits."""
        if self._rest:
            program = np.concatenate(self._rest)
            yield Piece(program, program, 0, 0, whole=False)
            self._rest, self._unfinished = [], True

    def _pieces(self, program: Ints, ends: Ints) -> Iterator[Piece]:
        ends = _joined(ends)
        begins = np.concatenate([[0], ends[:-1]])
        rows = program[:, _ROW]
        named = (rows >= 0) & (program[:, 0] != CODES["WR_CFR"])
        base = np.minimum.reduceat(np.where(named, rows, _NO_ROW), begins)
        base[base == _NO_ROW] = 0
        count = np.maximum.reduceat(np.where(named, rows, -1), begins) + 1 - base
        moved = program.copy()
        moved[:, _ROW] -= np.where(named, np.repeat(base, ends - begins), 0)
        for begin, end, base_row, rows_named in zip(*(a.tolist() for a in (begins, ends, base, count)), strict=True):
            whole = end - begin <= MOST and not (self._unfinished and begin == 0)
            yield Piece(program[begin:end], moved[begin:end], base_row, max(rows_named, 0), whole)


def _joined(ends: Ints) -> Ints:
    """The ends of pieces with at least `LEAST` instructions, of the ends of shorter ones."""
    kept: list[int] = []
    begin = 0
    for end in ends.tolist():
        if end - begin >= LEAST:
            kept.append(end)
            begin = end
    return np.array(kept, dtype=np.int64)
