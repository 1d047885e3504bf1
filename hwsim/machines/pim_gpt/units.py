"""PIM-GPT's units: the package of PIM channels, the ASIC, the host and the link; and the result of a run."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.in_order.causes import CAUSES
from hwsim.dram.in_order.package import Package
from hwsim.engine.clock import Clock
from hwsim.engine.diagram import Diagram
from hwsim.engine.trace import Trace
from hwsim.engine.unit import Unit
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.pim_gpt.instructions import AsicWork, HostWork, Instruction, PimWork, Program
from hwsim.machines.pim_gpt.recorder import Recorder


class PimUnit(Unit):
    """All PIM channels, with a MAC unit in each bank; an instruction ends when the last channel is done.

    Attributes
    ----------
    causes : kind of work -> DRAM cycles by cause (`CAUSES`), along the slowest channel
    bounds : kind of work -> the placement's lower bound in DRAM cycles
    accesses : kind of work -> column accesses, each bank of an all-bank command counted
    """

    def __init__(self, unit: UnitSpec, diagram: Diagram, clock: Clock, package: Package) -> None:
        super().__init__(diagram, unit.name, clock, source=unit.source, copies=unit.count)
        self.package = package
        self.causes: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(len(CAUSES), dtype=np.int64))
        self.bounds: dict[str, int] = defaultdict(int)
        self.accesses: dict[str, int] = defaultdict(int)
        self._counted = 0  # the package's column accesses that are already counted under a kind

    def count(self, kind: str, bound: int) -> None:
        """Count an instruction that has just been played, under its kind."""
        self.bounds[kind] += bound
        accesses = self.package.column_accesses
        self.accesses[kind] += accesses - self._counted
        self._counted = accesses

    def execute(self, instruction: Instruction, work: PimWork, now: int) -> int:
        """Play an instruction that is fetched in tick `now`; return the tick in which it is done."""
        start = self.clock.edge(now)
        finish = self.package.play(
            work.program, start, row_base=instruction.row_base, causes=self.causes[instruction.kind]
        )
        self.count(instruction.kind, work.bound)
        return self.book(now, finish - start, instruction.kind, instruction.name)


class AsicUnit(Unit):
    """Adders and multipliers, charged by the contract of the vector unit."""

    adds = 0
    multiplies = 0

    def count(self, work: AsicWork) -> None:
        """Count the operations of an instruction."""
        self.adds += work.adds
        self.multiplies += work.multiplies

    def execute(self, instruction: Instruction, work: AsicWork, now: int) -> int:
        """Work that begins in tick `now`; return the tick in which it is done."""
        self.count(work)
        return self.book(now, work.cycles, instruction.kind, instruction.name)


class HostUnit(Unit):
    """The host with its link, or the link to other devices; counts the bytes that cross it."""

    link_bytes = 0

    def count(self, work: HostWork) -> None:
        """Count the bytes that an instruction moves."""
        self.link_bytes += work.link_bytes

    def execute(self, instruction: Instruction, work: HostWork, now: int) -> int:
        """A transfer that begins in tick `now`; return the tick in which it is done."""
        self.count(work)
        return self.book(now, work.cycles, instruction.kind, instruction.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Execution:
    """The result of a simulation.

    Attributes
    ----------
    ends : tick in which each step ended
    prompt_steps : how many of the steps processed the prompt
    recorder : the content of a trace, if one was requested
    """

    program: Program
    trace: Trace
    ticks: int
    ends: array[int]
    prompt_steps: int
    pim: PimUnit
    asic: AsicUnit
    host: HostUnit
    link: HostUnit
    recorder: Recorder | None = None

    def beyond(self, instruction: Instruction) -> HostUnit:
        """The unit of an instruction outside the chip and its memory."""
        return self.link if instruction.unit == "link" else self.host
