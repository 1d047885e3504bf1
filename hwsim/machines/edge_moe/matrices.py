"""Edge-MoE's instructions for matrices: loads into banks, tokens through what lies there, experts."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import QUEUES, Instruction
from hwsim.machines.edge_moe.routing import experts_of_tokens, tokens_of_experts
from hwsim.machines.edge_moe.schedule import Stage
from hwsim.mapping.fpga import FpgaMapped, MatrixPass, TiledMatrix
from hwsim.mapping.fpga.target import ATTENTION_ROLES
from hwsim.mapping.operators import ExpertFfn, Linear, Operator
from hwsim.mapping.step import Step
from hwsim.rtl.linear.command import Command


class Matrices:
    """Stages of a step's loads and multiplications; loads of a loader take its banks in turn."""

    def __init__(self, mapped: FpgaMapped, design: Design) -> None:
        self.mapped = mapped
        self.design = design
        self.loads: dict[str, int] = {}  # so far, by loader

    def begin(self) -> None:
        """Begin a step, with the first bank of each loader."""
        self.loads = {}

    def linear(self, op: Linear, step: Step) -> Iterator[Stage]:
        (matrix,) = self.mapped.memory.matrices[op.name]
        tokens = step.queries if op.rows == "tokens" else 1
        gelu = self.mapped.activation(op.name) is not None
        source, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        for place, part in enumerate(matrix.passes):
            load = self._load(op, matrix, part, place)
            yield (load,)
            yield (self._multiply(op, load, tokens=tokens, source=source, result=result, gelu=gelu),)

    def experts(self, op: ExpertFfn, step: Step, image: int) -> Iterator[Stage]:
        """Expert after expert with all its tokens, or token after token with all its experts."""
        source, result = self.mapped.buffer(op.inputs[0]), self.mapped.buffer(op.name)
        fill = work.Fill(tokens=step.queries, result=result)
        yield (Instruction.of(op, f"{op.name}.zero", "fill", "fill", fill, (), (result,)),)
        up, down = self.mapped.memory.matrices[op.name]
        parts = [
            (turn, matrix, part, place)
            for turn in self._turns(op, step, image)
            for matrix in (up, down) for place, part in enumerate(matrix.passes)
        ]  # fmt: skip
        loads, computes = [], []
        for (expert, tokens), matrix, part, place in parts:
            first = matrix is up
            loads.append(self._load(op, matrix, part, place, copy=expert))
            computes.append(
                self._multiply(
                    op, loads[-1], tokens=tokens, source=source if first else "hidden",
                    result="hidden" if first else result, gelu=first, adds=not first,
                )
            )  # fmt: skip
        yield from _loaded_in_turn(loads, computes) if up.shape.banks == 1 else _loaded_ahead(loads, computes)

    def _turns(self, op: ExpertFfn, step: Step, image: int) -> list[tuple[int, tuple[int, ...]]]:
        """Experts and the tokens that they get, in the order of execution."""
        if self.design.spec.techniques.expert_reordering == "on":
            return [(expert, queue) for expert, queue in enumerate(tokens_of_experts(op, step, image)) if queue]
        chosen = experts_of_tokens(op, step, image)
        return [(expert, (token,)) for token, experts in enumerate(chosen.tolist()) for expert in experts]

    def _load(self, op: Operator, matrix: TiledMatrix, part: MatrixPass, place: int, *, copy: int = 0) -> Instruction:
        """A load into the bank whose turn it is."""
        loader = matrix.shape.loader
        bank = self.loads.get(loader, 0) % matrix.shape.banks
        self.loads[loader] = self.loads.get(loader, 0) + 1
        load = work.LoadWeights(matrix=matrix, part=part, bank=bank, copy=copy, attention=op.role in ATTENTION_ROLES)
        name = f"{_part_name(op, matrix, copy)}.load{place if len(matrix.passes) > 1 else ''}"
        return Instruction.of(op, name, "load", loader, load, (), (_bank(load),))

    def _multiply(
        self,
        op: Operator,
        load: Instruction,
        *,
        tokens: int | tuple[int, ...],
        source: str,
        result: str,
        gelu: bool,
        adds: bool = False,
    ) -> Instruction:
        """Tokens through what a load brought.

        Parameters
        ----------
        tokens : all, or the numbers of those that an expert gets
        adds : results are added to what others left, each by its token's score
        """
        loaded = load.work
        assert isinstance(loaded, work.LoadWeights)
        some = not isinstance(tokens, int)
        queued = some and self.design.spec.techniques.expert_reordering == "on"
        adds = adds or loaded.part.accumulates
        command = Command(
            tokens=tokens if isinstance(tokens, int) else len(tokens),
            in_tiles=loaded.part.in_tiles,
            out_tiles=loaded.part.out_tiles,
            use_gelu=gelu,
            use_expert=queued,
            use_score=adds,
        )
        multiply = work.Multiply(
            command=command, matrix=loaded.matrix, part=loaded.part, bank=loaded.bank, source=source, result=result,
            tokens=tokens if not isinstance(tokens, int) else None, expert=loaded.copy if some else None,
        )  # fmt: skip
        reads = (source, _bank(loaded), *((QUEUES,) if some else ()), *((result,) if adds else ()))
        name, unit = load.name.replace(".load", ""), loaded.matrix.shape.unit
        return Instruction.of(op, name, "linear", unit, multiply, reads, (result,))


def _loaded_in_turn(loads: list[Instruction], computes: list[Instruction]) -> Iterator[Stage]:
    """A single bank is loaded when it has been used."""
    for load, compute in zip(loads, computes):
        yield (load,)
        yield (compute,)


def _loaded_ahead(loads: list[Instruction], computes: list[Instruction]) -> Iterator[Stage]:
    """One bank is loaded while the other is used."""
    yield tuple(loads[:1])
    for number, compute in enumerate(computes):
        yield (compute, *loads[number + 1 : number + 2])


def _bank(load: work.LoadWeights) -> str:
    return f"{load.matrix.shape.unit} bank {load.bank}"


def _part_name(op: Operator, matrix: TiledMatrix, copy: int) -> str:
    """An operator's name, or one with the expert and which of its matrices."""
    if not isinstance(op, ExpertFfn):
        return op.name
    return f"{op.name}{copy}.{matrix.weights.split('.')[-2]}"
