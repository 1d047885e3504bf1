"""PIM-GPT's instructions, and the program that generates them step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.in_order.package import PackageProgram, channel_requests
from hwsim.dram.in_order.program import Request
from hwsim.machines.pim_gpt.spec import PimGptSpec
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.pim import PimMapped
from hwsim.mapping.step import Step


class Results(NamedTuple):
    """How the results of a PIM instruction arrive.

    Attributes
    ----------
    channels : the channels that have results
    drains : (n, len(channels)) the number of a drain in each of these channels
    complete : (n,) number of results that are complete once these drains are
    """

    channels: NDArray[np.int64]
    drains: NDArray[np.int64]
    complete: tuple[int, ...]


class PimWork(NamedTuple):
    """Work of all channels; `bound` is the placement's lower bound in DRAM cycles.

    `results` is None if no other work can begin before the last result has arrived.
    """

    program: PackageProgram
    bound: int
    results: Results | None = None


class AsicWork(NamedTuple):
    """Work of the ASIC in its cycles.

    `cycles_of` gives the cycles of a part with a given number of elements, for element-wise work.
    """

    cycles: int
    adds: int
    multiplies: int
    elements: int = 0
    cycles_of: Callable[[int], int] | None = None


class HostWork(NamedTuple):
    """Bytes over the host's link, and the ASIC cycles that the transfer and the host's own work take."""

    cycles: int
    link_bytes: int


class Instruction(NamedTuple):
    """One instruction for `unit`.

    Attributes
    ----------
    after : the instruction needs the result of the instruction this many places earlier in the step. The schedule
        `paper` runs one instruction after the other and ignores this
    part_of : the operator of which it is a part, if its name differs from that operator's
    """

    name: str
    kind: str
    unit: str
    work: PimWork | AsicWork | HostWork
    row_base: int = 0
    after: int = 1
    part_of: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The instructions of a run, generated step by step, so that memory does not grow with the number of tokens.

    Attributes
    ----------
    queries_at_once : tokens of the prompt that pass the layers together
    instructions : the instructions of one step, in order
    left_out : work for one token that the run excludes: a DRAM program, and cycles of the ASIC and the link
    """

    workload: DecoderWorkload
    spec: PimGptSpec
    mapped: PimMapped
    queries_at_once: int
    instructions: Callable[[Step], list[Instruction]]
    left_out: tuple[PackageProgram, int] | None

    def steps(self) -> Iterator[Step]:
        """Passes over the layers in order."""
        return self.workload.steps(self.queries_at_once)

    def dump(self, step: Step) -> str:
        """Stable text: the instructions of one step with the requests of the first channel that has any."""
        standard = self.spec.standard
        lines = [f"program {self.workload.name}: step of {step.tokens} at {step.context}"]
        instructions = self.instructions(step)
        for place, instruction in enumerate(instructions):
            work = instruction.work
            waits = "" if instruction.after == 1 else f" after {instructions[place - instruction.after].name}"
            head = f"{instruction.unit:4} {instruction.name} ({instruction.kind}){waits}"
            if isinstance(work, AsicWork):
                lines.append(f"{head}: {work.cycles} cycles, {work.adds} adds, {work.multiplies} multiplies")
            elif isinstance(work, HostWork):
                lines.append(f"{head}: {work.cycles} cycles, {work.link_bytes} B")
            else:
                shares = work.program.program_of.tolist()
                rows = f"rows from {instruction.row_base}, bound {work.bound} DRAM cycles, programs {shares}"
                lines.append(f"{head}: {rows}")
                channel = max(range(len(shares)), key=lambda c: len(work.program.channel(c)))
                for request in channel_requests(work.program, channel, standard):
                    addressed = standard.commands[request.command].kind == "column"
                    lines.append(f"       {_request_text(request, addressed=addressed)}")
        return "\n".join(lines)


def _request_text(request: Request, *, addressed: bool) -> str:
    bank = f" bank {request.bank}" if request.bank >= 0 else ""
    place = f" row {request.row} column {request.column}" if addressed else ""
    repeat = f" x {request.repeat}" if request.repeat > 1 else ""
    return f"{request.command}{bank}{place} x {request.count}{repeat}"
