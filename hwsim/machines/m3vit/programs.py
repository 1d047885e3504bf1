"""The program of a run: what is fixed for all its steps, and the instructions of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hwsim.machines.m3vit.activations import Activations
from hwsim.machines.m3vit.instructions import Instruction, describe
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.machines.m3vit.weights import WeightMap
from hwsim.mapping.mapped import MappedGraph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload

M3vitMapped = MappedGraph[WeightMap]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The instructions of a run, made step by step.

    Attributes
    ----------
    instructions : those of a step of a number, counted from 0, with which their names begin
    """

    workload: Workload[Any, Any]
    spec: M3vitSpec
    mapped: M3vitMapped
    sizes: Sizes
    activations: Activations
    instructions: Callable[[Step, int], Iterator[Instruction]]

    def steps(self) -> Iterator[Step]:
        """Passes over the layers in order."""
        return self.workload.steps()

    def dump(self, step: Step) -> str:
        """Stable text: the instructions of one step."""
        lines = [f"program {self.workload.name}: {step.tokens} tokens, task {step.task}, mode {self.spec.mode}"]
        for instruction in self.instructions(step, 0):
            lines += describe(instruction)
        return "\n".join(lines)
