"""Plays the instructions of Edge-MoE's program on its blocks of RTL, between which a memory of bytes lies.

The memory is read and written at the addresses of the machine's tasks, so what it holds is right only if program,
places in memory and blocks are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.task import Task, Transfer
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.instructions import Instruction, Program
from hwsim.machines.edge_moe.memory import memory_system, time_base
from hwsim.machines.edge_moe.tasks import task_of
from hwsim.rtl.ports import Codes
from tests.rtl.attention_memory import info_values, score_values, scores_of_queries
from tests.rtl.byte_memory import ByteMemory, Bytes
from tests.rtl.machine_units import MachineUnits
from tests.rtl.recording_encoder import NOT_CHOSEN
from tests.rtl.unit_calls import UnitCalls


class ProgramPlayer:
    """Plays instruction by instruction, in the program's order.

    Attributes
    ----------
    cycles : of each unit's calls in a layer, one after the other; layer None is what comes before the layers
    """

    def __init__(self, program: Program, memory: ByteMemory, units: MachineUnits) -> None:
        self.program = program
        self.design = program.design
        self.memory = memory
        self.calls = UnitCalls(program.design, units)
        self.cycles: dict[int | None, dict[str, int]] = {}
        self._ideal = FabricPlayer(time_base(program.spec), memory_system(program.spec), ideal=True)

    def play(self, instruction: Instruction) -> dict[str, Codes]:
        """Play an instruction; return the arrays that it left, with the names and shapes of `RecordingEncoder`.

        Raises
        ------
        AssertionError : RTL, contract and machine have different cycles; the RTL chose other experts than the program
        """
        task = task_of(instruction, self.program)
        called = self.calls.carry_out(
            instruction.work, {t.fifo: self.memory.read(t) for t in task.transfers if not t.write}
        )
        for transfer in task.transfers:
            if transfer.write:
                numbers = called.results[transfer.fifo].astype(self._number)
                self.memory.write(transfer, numbers.reshape(-1, self.design.lanes).view(np.uint8))
        charged = self._charged(task)
        assert called.rtl == called.contract == charged, (
            f"{instruction.name}: {called.rtl} cycles of RTL, {called.contract} by contract, {charged} by the machine"
        )
        of_units = self.cycles.setdefault(instruction.layer, {})
        of_units[instruction.unit] = of_units.get(instruction.unit, 0) + charged
        return self._left(instruction, task)

    def _charged(self, task: Task) -> int:
        """Cycles that the machine charges where ports are ideal."""
        self._ideal.start(task)
        ((_, ended),) = self._ideal.advance(1 << 60)
        return ended.cycles

    def _left(self, instruction: Instruction, task: Task) -> dict[str, Codes]:
        """What memory and queues hold afterwards; of a matrix that comes in passes, after the last of them."""
        name, job, width = instruction.name, instruction.work, self.design.sizes.features
        match job:
            case work.ComputeScores():
                held = {t.fifo: self._numbers(self.memory.read(t)) for t in task.transfers if t.write}
                scores = scores_of_queries(self.design, score_values(self.design, held["raw"]), job.tokens)
                info = np.stack(info_values(self.design, held["info"])).transpose(0, 2, 1)
                return {name: scores, f"{instruction.operator.removesuffix('.scores')}.info": info}
            case work.Choose():
                return {name: self._scores_of_experts(job.tokens)}
            case work.EmbedPatches():
                return {name: self._rows("x", range(self.design.sizes.tokens), width)}
            case work.Multiply() if job.part == job.matrix.passes[-1]:
                name = name.removesuffix(str(len(job.matrix.passes) - 1)) if len(job.matrix.passes) > 1 else name
                return {name: self._rows(job.result, job.tokens or range(job.command.tokens), job.matrix.d_out)}
            case work.Normalise() | work.ComputeValues() | work.Add() | work.Fill():
                return {name: self._rows(job.result, range(job.tokens), width)}
            case _:
                return {}

    def _rows(self, buffer: str, tokens: Sequence[int], width: int) -> Codes:
        """(tokens, width) numbers of a buffer whose rows are so wide."""
        place, row_bytes = self.program.mapped.memory.buffers[buffer], self.design.target.row_bytes(width)
        chunks = tuple(place.row(token, row_bytes) for token in tokens)
        beats = row_bytes // self.memory.beat_bytes
        rows = self.memory.read(Transfer(port=place.port, fifo=buffer, chunks=chunks, beats=beats))
        return self._numbers(rows).reshape(len(tokens), -1)[:, :width]

    def _scores_of_experts(self, tokens: int) -> Codes:
        assert self.design.gate is not None
        scores_te = np.full((tokens, self.design.gate.experts), NOT_CHOSEN)
        for expert, (chosen, scores) in self.calls.queues.items():
            scores_te[chosen, expert] = scores
        return scores_te

    def _numbers(self, beats: Bytes) -> Codes:
        return beats.view(self._number).astype(np.int64)

    @property
    def _number(self) -> str:
        """Activations in memory."""
        return f"<i{self.design.spec.formats.fixed('activation').width // 8}"
