"""Edge-MoE's instructions, and the program that makes them step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.hazards import hazards_of, reachable
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.fpga import FpgaMapped, MatrixPass, TiledMatrix
from hwsim.mapping.operators import Operator, Route, Softmax
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload
from hwsim.rtl.linear.command import Command
from hwsim.rtl.patch_embed.command import Command as PatchCommand
from hwsim.rtl.plain.softmax import Pass

# What stays on the chip, besides banks of weights and norms.
PATCH_WEIGHTS, GATE_WEIGHTS, QUEUES = "patch weights", "gate weights", "queues"


@dataclass(frozen=True, kw_only=True)
class LoadPatchWeights:
    """The weights of the patch embedding, which stay."""

    weights: str
    bias: str | None


@dataclass(frozen=True, kw_only=True)
class LoadNorms:
    """Weights and biases of norms.

    Attributes
    ----------
    vectors : array and row of each: row 0 are the weights, row 1 the biases
    first, last : whether they are the first and the last of their command
    """

    vectors: tuple[tuple[str, int], ...]
    first: bool
    last: bool


@dataclass(frozen=True, kw_only=True)
class LoadWeights:
    """A part of a matrix into a bank.

    Attributes
    ----------
    copy : which of several matrices: the expert's number
    """

    matrix: TiledMatrix
    part: MatrixPass
    bank: int
    copy: int = 0
    attention: bool = False


@dataclass(frozen=True, kw_only=True)
class LoadGate:
    """The weights of a gate: the task's."""

    array: str


@dataclass(frozen=True, kw_only=True)
class EmbedPatches:
    """An image's patches, or a class token's row alone."""

    command: PatchCommand
    first_token: int
    positions: str


@dataclass(frozen=True, kw_only=True)
class Normalise:
    tokens: int
    source: str
    result: str


@dataclass(frozen=True, kw_only=True)
class Multiply:
    """Tokens through the part of a matrix in a bank.

    Attributes
    ----------
    tokens, expert : their numbers, where an expert has some of all; else None and they are 0, 1, ...
    """

    command: Command
    matrix: TiledMatrix
    part: MatrixPass
    bank: int
    source: str
    result: str
    tokens: tuple[int, ...] | None = None
    expert: int | None = None


@dataclass(frozen=True, kw_only=True)
class ComputeScores:
    """Scores of all pairs.

    Attributes
    ----------
    info : where the single-pass softmax beside them leaves its results; None without
    """

    tokens: int
    queries: str
    keys: str
    scores: str
    info: str | None


@dataclass(frozen=True, kw_only=True)
class PassOverScores:
    """One of the passes of a softmax that is not beside the scores."""

    which: Pass
    tokens: int
    scores: str
    info: str


@dataclass(frozen=True, kw_only=True)
class ComputeValues:
    tokens: int
    values: str
    scores: str
    info: str | None
    result: str


@dataclass(frozen=True, kw_only=True)
class Add:
    """`result += branch`."""

    tokens: int
    branch: str
    result: str


@dataclass(frozen=True, kw_only=True)
class Fill:
    """Zeros."""

    tokens: int
    result: str


@dataclass(frozen=True, kw_only=True)
class Choose:
    """Experts for all tokens, into their queues."""

    tokens: int
    source: str


Work = (
    LoadPatchWeights | LoadNorms | LoadWeights | LoadGate | EmbedPatches | Normalise | Multiply | ComputeScores
    | PassOverScores | ComputeValues | Add | Fill | Choose
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One call of a unit.

    Attributes
    ----------
    name, kind, unit : as traces and reports show it
    layer : None outside the layers
    operator : of the graph, of which it is the work or a part
    reads, writes : buffers in memory, and what stays on the chip: banks of weights, norms, the gate, queues
    after : the numbers of the instructions in its step that must have ended before it begins
    """

    name: str
    kind: str
    unit: str
    layer: int | None
    operator: str
    work: Work
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    after: tuple[int, ...] = ()

    @staticmethod
    def of(
        op: Operator, name: str, kind: str, unit: str, job: Work, reads: tuple[str, ...], writes: tuple[str, ...]
    ) -> Instruction:
        """The work of an operator, or a part of it, without anything that it waits for."""
        return Instruction(
            name=name, kind=kind, unit=unit, layer=op.layer, operator=op.name, work=job, reads=reads, writes=writes
        )

    def depending(self, after: tuple[int, ...]) -> Instruction:
        return replace(self, after=after)

    def __str__(self) -> str:
        waits = f" after {', '.join(map(str, self.after))}" if self.after else ""
        moved = f"{', '.join(self.reads) or '-'} -> {', '.join(self.writes) or '-'}"
        return f"{self.unit:13} {self.name} ({self.kind}): {moved}{waits}{_details(self.work)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The instructions of a run.

    Attributes
    ----------
    once : what is done once, before the first step
    instructions : those of a step, in an order in which none comes before what it waits for
    """

    workload: Workload[Any, Any]
    spec: EdgeMoeSpec
    design: Design
    mapped: FpgaMapped
    once: tuple[Instruction, ...]
    instructions: Callable[[Step], tuple[Instruction, ...]]

    def steps(self) -> Iterator[Step]:
        """The passes over the graph, in order."""
        return self.workload.steps()

    def dump(self, step: Step) -> str:
        """Stable text: a line an instruction."""
        lines = [f"program {self.workload.name}: schedule {self.spec.schedule}, step of {step.tokens} tokens"]
        lines += [f"once {number:4} {instruction}" for number, instruction in enumerate(self.once)]
        lines += [f"{number:4} {instruction}" for number, instruction in enumerate(self.instructions(step))]
        return "\n".join(lines)

    def verify(self, step: Step) -> None:
        """Check a step: everything waits for what it needs, and only for what comes before it.

        Raises
        ------
        MachineError : the first instruction that does not
        """
        instructions = self.instructions(step)
        for number, instruction in enumerate(instructions):
            if any(not 0 <= other < number for other in instruction.after):
                raise MachineError(f"{instruction.name}: waits for {instruction.after}, and is number {number}")
        self._check_operands(instructions)
        before = reachable(instructions)
        there = {name for instruction in self.once for name in instruction.writes}
        for number, needed in enumerate(hazards_of(instructions, there)):
            for other, reason in needed.items():
                if not before[number] >> other & 1:
                    raise MachineError(
                        f"{instructions[number].name}: does not wait for {instructions[other].name}, {reason}"
                    )

    def _check_operands(self, instructions: tuple[Instruction, ...]) -> None:
        """Check that each operator finds its inputs in their buffers, and not what was written over them."""
        graph, holds = self.mapped.graph, dict[str, str]()
        for instruction in instructions:
            op = graph.operator(instruction.operator)
            for tensor in op.inputs:
                buffer, made_by = self._place(tensor)
                if buffer in instruction.reads and holds.get(buffer, buffer) not in (made_by, op.name, buffer):
                    raise MachineError(
                        f"{instruction.name}: reads {made_by} from {buffer}, which holds {holds[buffer]}"
                    )
            holds.update(dict.fromkeys(instruction.writes, instruction.operator))

    def _place(self, tensor: str) -> tuple[str, str]:
        """Where a tensor lies, in a buffer or in queues on the chip, and the operator whose instruction puts it there.

        The softmax goes with the scores.
        """
        origin = self.mapped.origin(tensor)
        op = {op.name: op for op in self.mapped.graph.operators}.get(origin)
        if isinstance(op, Softmax) and self.design.single_pass:
            return self.mapped.buffer(tensor), op.inputs[0]
        return QUEUES if isinstance(op, Route) else self.mapped.buffer(tensor), origin


def _details(work: Work) -> str:
    match work:
        case LoadWeights():
            return f"; {work.part.out_tiles} x {work.part.in_tiles} tiles of {work.matrix.weights}[{work.copy}]"
        case Multiply():
            flags = [name for name in ("use_gelu", "use_expert", "use_score") if getattr(work.command, name)]
            tiles = f"{work.command.out_tiles} x {work.command.in_tiles} tiles"
            return f"; {work.command.tokens} tokens, {tiles}{', ' if flags else ''}{', '.join(flags)}"
        case _:
            return ""
