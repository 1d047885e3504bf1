"""From a mapped graph to Edge-MoE's instructions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import GATE_WEIGHTS, PATCH_WEIGHTS, QUEUES, Instruction, Program
from hwsim.machines.edge_moe.matrices import Matrices
from hwsim.machines.edge_moe.schedule import Stage, in_stages, overlapped
from hwsim.mapping.fpga import FpgaMapped
from hwsim.mapping.operators import (
    Act,
    AttentionScores,
    AttentionValues,
    Eltwise,
    ExpertFfn,
    LayerNorm,
    Linear,
    Operator,
    PatchEmbed,
    Route,
    Softmax,
)
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload
from hwsim.rtl.patch_embed.command import Command as PatchCommand
from hwsim.rtl.plain.softmax import PASSES

SCORES, INFO = "scores", "info"


def lower(mapped: FpgaMapped, workload: Workload[Any, Any], design: Design) -> Program:
    """Translate a mapped graph into a program, and check its last step.

    Raises
    ------
    MachineError : an operator without an instruction
    """
    lowering = _Lowering(mapped, design)
    program = Program(
        workload=workload,
        spec=design.spec,
        design=design,
        mapped=mapped,
        once=lowering.once(),
        instructions=lowering.step,
    )
    program.verify(workload.run.last_step(workload.model))
    return program


class _Lowering:
    """Turns operators into stages of instructions: the instructions of a stage begin together in the source."""

    def __init__(self, mapped: FpgaMapped, design: Design) -> None:
        self.mapped = mapped
        self.design = design
        self.matrices = Matrices(mapped, design)

    def once(self) -> tuple[Instruction, ...]:
        """The one-time loads."""
        found: list[Stage] = []
        for op in self._operators(PatchEmbed):
            bias = f"{op.name}.bias" if op.bias else None
            load = work.LoadPatchWeights(weights=f"{op.name}.weight", bias=bias)
            found.append((Instruction.of(op, f"{op.name}.load", "load", "patch_embed", load, (), (PATCH_WEIGHTS,)),))
        return in_stages(found)

    def step(self, step: Step) -> tuple[Instruction, ...]:
        """The instructions of one pass: image after image."""
        self.matrices.begin()
        stages: list[Stage] = []
        images: list[int] = []
        for image in range(step.batch):
            made = list(self._image(step, image))
            stages += made
            images += [image] * len(made)
        if self.design.spec.schedule == "paper":
            return in_stages(stages)
        return overlapped(stages, (PATCH_WEIGHTS,), images)

    def _image(self, step: Step, image: int) -> Iterator[Stage]:
        for op in self.mapped.graph.operators:
            if not op.is_view and not isinstance(op, Act):  # it is applied to results as they leave
                yield from self._stages(op, step, image)

    def _stages(self, op: Operator, step: Step, image: int) -> Iterator[Stage]:
        match op:
            case PatchEmbed():
                yield from self._embed(op)
            case LayerNorm():
                yield from self._norm(op, step)
            case Linear():
                yield from self.matrices.linear(op, step)
            case AttentionScores():
                yield from self._scores(op, step)
            case Softmax():
                yield from self._softmax(op, step)
            case AttentionValues():
                yield from self._values(op, step)
            case Eltwise():
                yield from self._add(op, step)
            case Route():
                yield from self._choose(op, step)
            case ExpertFfn():
                yield from self.matrices.experts(op, step, image)
            case _:
                raise MachineError(f"{op.name}: edge_moe has no instruction for {op.kind}")

    def _embed(self, op: PatchEmbed) -> Iterator[Stage]:
        """Rows of class tokens but the last leave by themselves; the last one goes with the patches."""
        stripes, positions, x = op.image_height // op.patch, f"{op.name}.positions", self.mapped.buffer(op.name)
        for token in range(op.class_tokens - 1):
            row = work.EmbedPatches(
                command=PatchCommand(stripes=0, class_token=True), first_token=token, positions=positions
            )
            yield (Instruction.of(op, f"{op.name}.class{token}", op.kind, "patch_embed", row, (), (x,)),)
        first = max(0, op.class_tokens - 1)
        command = PatchCommand(stripes=stripes, class_token=op.class_tokens > 0)
        patches = work.EmbedPatches(command=command, first_token=first, positions=positions)
        reads = ("image", PATCH_WEIGHTS)
        yield (Instruction.of(op, op.name, op.kind, "patch_embed", patches, reads, (x,)),)

    def _norm(self, op: LayerNorm, step: Step) -> Iterator[Stage]:
        """The source loads both norms of a layer before the first of them."""
        if op.role != "norm2":
            for load in self._norm_loads(op):
                yield (load,)
        x, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        normalise = work.Normalise(tokens=step.queries, source=x, result=result)
        reads = (x, _norm_place(op))
        yield (Instruction.of(op, op.name, op.kind, "layernorm", normalise, reads, (result,)),)

    def _norm_loads(self, op: LayerNorm) -> Iterator[Instruction]:
        """A layer's vectors in a row: a call each where each waits for the memory anew, else one for all."""
        norms = [o for o in self._operators(LayerNorm) if o is op or (o.layer == op.layer and o.role == "norm2")]
        vectors = [(norm, row) for norm in norms for row in range(norm.vectors)]
        calls = [[vector] for vector in vectors] if self.design.norm_loader.pause else [vectors]
        for place, call in enumerate(calls):
            load = work.LoadNorms(
                vectors=tuple((f"{norm.name}.weight", row) for norm, row in call),
                first=place == 0, last=place + 1 == len(calls),
            )  # fmt: skip
            writes = tuple(dict.fromkeys(_norm_place(norm) for norm, _ in call))
            norm, row = call[0]
            name = f"{norm.name}.{('weight', 'bias')[row]}.load" if len(calls) > 1 else f"{norm.name}.load"
            yield Instruction.of(norm, name, "load", "norm_loader", load, (), writes)

    def _scores(self, op: AttentionScores, step: Step) -> Iterator[Stage]:
        """Scores, and beside them the softmax if it passes over them once."""
        q, k = (self.mapped.buffer(name) for name in op.inputs)
        info = INFO if self.design.single_pass else None
        compute = work.ComputeScores(tokens=step.queries, queries=q, keys=k, scores=SCORES, info=info)
        writes = (SCORES, INFO) if info else (SCORES,)
        yield (Instruction.of(op, op.name, op.kind, "qk", compute, (q, k), writes),)

    def _softmax(self, op: Softmax, step: Step) -> Iterator[Stage]:
        """Three passes over the scores, unless the softmax goes with them."""
        if self.design.single_pass:
            return
        for which in PASSES:
            over = work.PassOverScores(which=which, tokens=step.queries, scores=SCORES, info=INFO)
            reads = (SCORES,) if which == "maximum" else (SCORES, INFO)
            writes = {"maximum": (INFO,), "exponentials": (SCORES, INFO), "normalise": (SCORES,)}[which]
            yield (Instruction.of(op, f"{op.name}.{which}", op.kind, "softmax", over, reads, writes),)

    def _values(self, op: AttentionValues, step: Step) -> Iterator[Stage]:
        v, result = self.mapped.buffer(op.inputs[1]), self.mapped.buffer(op.name)
        info = INFO if self.design.single_pass else None
        compute = work.ComputeValues(tokens=step.queries, values=v, scores=SCORES, info=info, result=result)
        reads = (v, SCORES, INFO) if info else (v, SCORES)
        yield (Instruction.of(op, op.name, op.kind, "mv", compute, reads, (result,)),)

    def _add(self, op: Eltwise, step: Step) -> Iterator[Stage]:
        x, branch = (self.mapped.buffer(name) for name in op.inputs)
        result = self.mapped.buffer(op.name)
        if x != result:
            raise MachineError(f"{op.name}: adds onto {result} in place, and its first input lies in {x}")
        add = work.Add(tokens=step.queries, branch=branch, result=result)
        yield (Instruction.of(op, op.name, op.kind, "residual_add", add, (x, branch), (result,)),)

    def _choose(self, op: Route, step: Step) -> Iterator[Stage]:
        gate = f"{op.name}.gate{step.task if op.gates > 1 else 0}"
        load = work.LoadGate(array=gate)
        yield (Instruction.of(op, f"{op.name}.load", "load", "gate", load, (), (GATE_WEIGHTS,)),)
        source = self.mapped.buffer(op.inputs[0])
        choose = work.Choose(tokens=step.queries, source=source)
        yield (Instruction.of(op, op.name, op.kind, "gate", choose, (source, GATE_WEIGHTS), (QUEUES,)),)

    def _operators(self, of: Any) -> list[Any]:
        return [op for op in self.mapped.graph.operators if isinstance(op, of)]


def _norm_place(op: LayerNorm) -> str:
    return f"norm {op.role}"
