"""The program of a run on GDDR6-AiM: pieces of instructions for the channels, and pieces of work for the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.aim.isa import CODES, COLUMNS, Ints, decode
from hwsim.dram.aim.text import line_of
from hwsim.machines.aim.spec import AimSpec
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.pim.row_mapping import RowMapped
from hwsim.mapping.step import Step

_numbers = count()
ROW = COLUMNS.index("row")


@dataclass(frozen=True, kw_only=True, eq=False)
class AimProgram:
    """Instructions of one operator; rows are counted from its first row.

    Attributes
    ----------
    encoded : (n, 5) as `isa.encode` makes them
    bound : lower bound on DRAM cycles, for any order of these commands
    accesses : columns that they sweep, each bank counted
    number : equal for kept programs that were made from equal arguments
    """

    encoded: Ints
    bound: int
    accesses: int
    number: int = field(default_factory=lambda: next(_numbers))

    @cached_property
    def rows(self) -> int:
        """Number of rows, from the first on, that the instructions name."""
        return int(self.encoded[_addressed(self.encoded), ROW].max(initial=-1)) + 1


class AimWork(NamedTuple):
    """Instructions of an operator whose rows begin at `base_row`."""

    name: str
    kind: str
    program: AimProgram
    base_row: int


class HostWork(NamedTuple):
    """Work of the host's unit over elements, or a transfer of bytes over the link to other devices; in host cycles."""

    name: str
    kind: str
    cycles: int
    size: int
    unit: Literal["host", "link"] = "host"


Piece = AimWork | HostWork
Segment = tuple[AimWork, ...]  # instructions up to a SYNC


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A run, generated step by step, so that memory does not grow with the number of tokens.

    Attributes
    ----------
    pieces : the pieces of one step, in order
    left_out : work for one token that the run excludes
    """

    workload: DecoderWorkload
    spec: AimSpec
    mapped: RowMapped
    pieces: Callable[[Step], list[Piece]]
    left_out: list[Piece] | None

    def steps(self) -> Iterator[Step]:
        """Passes over the layers in order; a prompt is processed token by token."""
        return self.workload.steps(1)

    def dump(self, step: Step) -> str:
        """Stable text: the pieces of one step with their instructions, as in an emitted trace."""
        lines = [f"program {self.workload.name}: step of {step.tokens} at {step.context}"]
        for part in segments(self.pieces(step)):
            if isinstance(part, HostWork):
                measure = "elements" if part.unit == "host" else "B"
                lines.append(f"{part.unit} {part.name} ({part.kind}): {part.size} {measure}, {part.cycles} cycles")
                continue
            for work in part:
                lines.append(
                    f"aim  {work.name} ({work.kind}): rows from {work.base_row}, bound {work.program.bound} DRAM cycles"
                )
                lines += [f"       {line_of(i)}" for i in decode(placed(work))]
            lines.append("       AiM SYNC")
        return "\n".join(lines)


def segments(pieces: list[Piece]) -> Iterator[Segment | HostWork]:
    """The pieces, with consecutive work of the channels joined: the host waits for all of it at a SYNC."""
    run: list[AimWork] = []
    for piece in pieces:
        if isinstance(piece, AimWork):
            run.append(piece)
            continue
        if run:
            yield tuple(run)
            run = []
        yield piece
    if run:
        yield tuple(run)


def placed(work: AimWork, base: int = 0) -> Ints:
    """A piece's instructions with their rows counted from row `base`."""
    encoded = work.program.encoded.copy()
    encoded[_addressed(encoded), ROW] += work.base_row - base
    return encoded


def _addressed(encoded: Ints) -> NDArray[np.bool_]:
    """Whether each instruction names a row of the array."""
    return np.asarray((encoded[:, ROW] >= 0) & (encoded[:, 0] != CODES["WR_CFR"]))
