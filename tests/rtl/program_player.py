"""Plays the instructions of Edge-MoE's program on its blocks of RTL, between which a memory of bytes lies.

The memory is read and written at the addresses of the machine's tasks, so what it holds is right only if program,
places in memory and blocks are.
"""

from __future__ import annotations

import numpy as np

from hwsim.fabric.player import FabricPlayer
from hwsim.fabric.task import Task
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.instructions import Instruction, Program
from hwsim.machines.edge_moe.memory import memory_system, time_base
from hwsim.machines.edge_moe.tasks import task_of
from hwsim.rtl.ports import Codes
from tests.rtl.attention_memory import info_values, score_values, scores_of_queries
from tests.rtl.byte_memory import ByteMemory
from tests.rtl.machine_units import MachineUnits
from tests.rtl.recording_encoder import NOT_CHOSEN
from tests.rtl.unit_calls import UnitCalls


class ProgramPlayer:
    """Plays instruction by instruction, in the program's order.

    Attributes
    ----------
    cycles : of each unit's calls, one after the other
    """

    def __init__(self, program: Program, memory: ByteMemory, units: MachineUnits) -> None:
        self.program = program
        self.design = program.design
        self.memory = memory
        self.calls = UnitCalls(program.design, units)
        self.cycles: dict[str, int] = {}
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
        self.cycles[instruction.unit] = self.cycles.get(instruction.unit, 0) + charged
        return self._left(instruction, task)

    def _charged(self, task: Task) -> int:
        """Cycles that the machine charges where ports are ideal."""
        self._ideal.start(task)
        ((_, ended),) = self._ideal.advance(1 << 60)
        return ended.cycles

    def _left(self, instruction: Instruction, task: Task) -> dict[str, Codes]:
        """What memory and queues hold afterwards."""
        name, job = instruction.name, instruction.work
        held = {t.fifo: self.memory.read(t).view(self._number).astype(np.int64) for t in task.transfers if t.write}
        match job:
            case work.ComputeScores():
                scores = scores_of_queries(self.design, score_values(self.design, held["raw"]), job.tokens)
                info = np.stack(info_values(self.design, held["info"])).transpose(0, 2, 1)
                return {name: scores, f"{instruction.operator.removesuffix('.scores')}.info": info}
            case work.Choose():
                return {name: self._scores_of_experts(job.tokens)}
            case work.EmbedPatches():
                return {name: held["y"].reshape(-1, self.design.sizes.features)}
            case _ if held:
                return {name: held["y"].reshape(self._tokens(job), -1)}
            case _:
                return {}

    def _scores_of_experts(self, tokens: int) -> Codes:
        assert self.design.gate is not None
        scores_te = np.full((tokens, self.design.gate.experts), NOT_CHOSEN)
        for expert, (chosen, scores) in self.calls.queues.items():
            scores_te[chosen, expert] = scores
        return scores_te

    def _tokens(self, job: work.Work) -> int:
        return job.command.tokens if isinstance(job, work.Multiply) else job.tokens  # type: ignore[union-attr]

    @property
    def _number(self) -> str:
        """Activations in memory."""
        return f"<i{self.design.spec.formats.fixed('activation').width // 8}"
