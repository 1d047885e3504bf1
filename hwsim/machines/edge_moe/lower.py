"""From a mapped graph to Edge-MoE's instructions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import GATE_WEIGHTS, PATCH_WEIGHTS, QUEUES, Instruction, Program, Work
from hwsim.machines.edge_moe.routing import tokens_of_experts
from hwsim.machines.edge_moe.schedule import Stage, in_stages, overlapped
from hwsim.mapping.fpga import FpgaMapped, MatrixPass, TiledMatrix
from hwsim.mapping.fpga.map_graph import ATTENTION_ROLES
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
from hwsim.rtl.linear.command import Command
from hwsim.rtl.patch_embed.command import Command as PatchCommand

BANKS = 2


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
        self.loads = 0  # of weights so far in a step: they take the banks in turn

    def once(self) -> tuple[Instruction, ...]:
        """The one-time loads."""
        found: list[Stage] = []
        for op in self._operators(PatchEmbed):
            bias = f"{op.name}.bias" if op.bias else None
            load = work.LoadPatchWeights(weights=f"{op.name}.weight", bias=bias)
            found.append((self._make(op, f"{op.name}.load", "load", "patch_embed", load, (), (PATCH_WEIGHTS,)),))
        return in_stages(found)

    def step(self, step: Step) -> tuple[Instruction, ...]:
        """The instructions of one pass: image after image."""
        self.loads = 0
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
            if not op.is_view and not isinstance(op, Act | Softmax):  # these go with what they are applied to
                yield from self._stages(op, step, image)

    def _stages(self, op: Operator, step: Step, image: int) -> Iterator[Stage]:
        match op:
            case PatchEmbed():
                yield from self._embed(op)
            case LayerNorm():
                yield from self._norm(op, step)
            case Linear():
                yield from self._linear(op, step)
            case AttentionScores():
                yield from self._scores(op, step)
            case AttentionValues():
                yield from self._values(op, step)
            case Eltwise():
                yield from self._add(op, step)
            case Route():
                yield from self._choose(op, step)
            case ExpertFfn():
                yield from self._experts(op, step, image)
            case _:
                raise MachineError(f"{op.name}: edge_moe has no instruction for {op.kind}")

    def _embed(self, op: PatchEmbed) -> Iterator[Stage]:
        """Rows of class tokens but the last leave by themselves; the last one goes with the patches."""
        stripes, positions, x = op.image_height // op.patch, f"{op.name}.positions", self.mapped.buffer(op.name)
        for token in range(op.class_tokens - 1):
            row = work.EmbedPatches(
                command=PatchCommand(stripes=0, class_token=True), first_token=token, positions=positions
            )
            yield (self._make(op, f"{op.name}.class{token}", op.kind, "patch_embed", row, (), (x,)),)
        first = max(0, op.class_tokens - 1)
        command = PatchCommand(stripes=stripes, class_token=op.class_tokens > 0)
        patches = work.EmbedPatches(command=command, first_token=first, positions=positions)
        reads = ("image", PATCH_WEIGHTS)
        yield (self._make(op, op.name, op.kind, "patch_embed", patches, reads, (x,)),)

    def _norm(self, op: LayerNorm, step: Step) -> Iterator[Stage]:
        """The source loads both norms of a layer before the first of them."""
        if op.role != "norm2":
            for load in self._norm_loads(op):
                yield (load,)
        x, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        normalise = work.Normalise(tokens=step.queries, source=x, result=result)
        reads = (x, _norm_place(op))
        yield (self._make(op, op.name, op.kind, "layernorm", normalise, reads, (result,)),)

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
            yield self._make(norm, name, "load", "norm_loader", load, (), writes)

    def _linear(self, op: Linear, step: Step) -> Iterator[Stage]:
        (matrix,) = self.mapped.memory.matrices[op.name]
        tokens = step.queries if op.rows == "tokens" else 1
        gelu = self.mapped.activation(op.name) is not None
        source, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        for place, part in enumerate(matrix.passes):
            load = self._load(op, matrix, part, place)
            yield (load,)
            yield (self._multiply(op, load, tokens=tokens, source=source, result=result, gelu=gelu),)

    def _experts(self, op: ExpertFfn, step: Step, image: int) -> Iterator[Stage]:
        """Expert by expert; while a part of an expert computes, the next part or expert is loaded."""
        source, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        fill = work.Fill(tokens=step.queries, result=result)
        yield (self._make(op, f"{op.name}.zero", "fill", "fill", fill, (), (result,)),)
        up, down = self.mapped.memory.matrices[op.name]
        queues = tokens_of_experts(op, step, image)
        parts = [
            (expert, matrix, part, place)
            for expert, queue in enumerate(queues) if queue
            for matrix in (up, down) for place, part in enumerate(matrix.passes)
        ]  # fmt: skip
        loads = [self._load(op, matrix, part, place, copy=expert) for expert, matrix, part, place in parts]
        if loads:
            yield (loads[0],)
        for number, (expert, matrix, _, _) in enumerate(parts):
            first = matrix is up
            compute = self._multiply(
                op, loads[number], tokens=queues[expert], source=source if first else "hidden",
                result="hidden" if first else result, gelu=first,
            )  # fmt: skip
            yield (compute, *loads[number + 1 : number + 2])

    def _load(self, op: Operator, matrix: TiledMatrix, part: MatrixPass, place: int, *, copy: int = 0) -> Instruction:
        """A load into the bank whose turn it is."""
        bank = self.loads % BANKS
        self.loads += 1
        load = work.LoadWeights(matrix=matrix, part=part, bank=bank, copy=copy, attention=op.role in ATTENTION_ROLES)
        name = f"{_part_name(op, matrix, copy)}.load{place if len(matrix.passes) > 1 else ''}"
        return self._make(op, name, "load", "weight_loader", load, (), (_bank(bank),))

    def _multiply(
        self,
        op: Operator,
        load: Instruction,
        *,
        tokens: int | tuple[int, ...],
        source: str,
        result: str,
        gelu: bool,
    ) -> Instruction:
        """Tokens through what a load brought; the second matrix of an expert adds to what others left."""
        loaded = load.work
        assert isinstance(loaded, work.LoadWeights)
        through_queue = not isinstance(tokens, int)
        adds = loaded.part.accumulates or (through_queue and not gelu)
        command = Command(
            tokens=tokens if isinstance(tokens, int) else len(tokens),
            in_tiles=loaded.part.in_tiles,
            out_tiles=loaded.part.out_tiles,
            use_gelu=gelu,
            use_expert=through_queue,
            use_score=adds,
        )
        multiply = work.Multiply(
            command=command, matrix=loaded.matrix, part=loaded.part, bank=loaded.bank, source=source, result=result,
            tokens=tokens if not isinstance(tokens, int) else None,
        )  # fmt: skip
        reads = (source, _bank(loaded.bank), *((QUEUES,) if through_queue else ()), *((result,) if adds else ()))
        return self._make(op, load.name.replace(".load", ""), "linear", "linear", multiply, reads, (result,))

    def _scores(self, op: AttentionScores, step: Step) -> Iterator[Stage]:
        q, k = (self.mapped.buffer(name) for name in op.inputs)
        compute = work.ComputeScores(tokens=step.queries, queries=q, keys=k, scores="scores", info="info")
        yield (self._make(op, op.name, op.kind, "qk", compute, (q, k), ("scores", "info")),)

    def _values(self, op: AttentionValues, step: Step) -> Iterator[Stage]:
        v, result = self.mapped.buffer(op.inputs[1]), self.mapped.buffer(op.name)
        compute = work.ComputeValues(tokens=step.queries, values=v, scores="scores", info="info", result=result)
        yield (self._make(op, op.name, op.kind, "mv", compute, (v, "scores", "info"), (result,)),)

    def _add(self, op: Eltwise, step: Step) -> Iterator[Stage]:
        x, branch = (self.mapped.buffer(name) for name in op.inputs)
        result = self.mapped.buffer(op.name)
        if x != result:
            raise MachineError(f"{op.name}: adds onto {result} in place, and its first input lies in {x}")
        add = work.Add(tokens=step.queries, branch=branch, result=result)
        yield (self._make(op, op.name, op.kind, "residual_add", add, (x, branch), (result,)),)

    def _choose(self, op: Route, step: Step) -> Iterator[Stage]:
        gate = f"{op.name}.gate{step.task if op.gates > 1 else 0}"
        load = work.LoadGate(array=gate)
        yield (self._make(op, f"{op.name}.load", "load", "gate", load, (), (GATE_WEIGHTS,)),)
        source = self.mapped.buffer(op.inputs[0])
        choose = work.Choose(tokens=step.queries, source=source)
        yield (self._make(op, op.name, op.kind, "gate", choose, (source, GATE_WEIGHTS), (QUEUES,)),)

    def _operators(self, of: Any) -> list[Any]:
        return [op for op in self.mapped.graph.operators if isinstance(op, of)]

    def _make(
        self, op: Operator, name: str, kind: str, unit: str, job: Work, reads: tuple[str, ...], writes: tuple[str, ...]
    ) -> Instruction:
        return Instruction(
            name=name, kind=kind, unit=unit, layer=op.layer, operator=op.name, work=job, reads=reads, writes=writes
        )


def _norm_place(op: LayerNorm) -> str:
    return f"norm {op.role}"


def _bank(number: int) -> str:
    return f"bank {number}"


def _part_name(op: Operator, matrix: TiledMatrix, copy: int) -> str:
    """An operator's name, or one with the expert and which of its matrices."""
    if not isinstance(op, ExpertFfn):
        return op.name
    return f"{op.name}{copy}.{matrix.weights.split('.')[-2]}"
