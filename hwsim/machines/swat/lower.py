"""From a mapped graph to what the pipelines and the companion do, operator by operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hwsim.machines.swat.design import Design
from hwsim.machines.swat.mapping import COMPANION, PIPELINES, SwatMapped
from hwsim.machines.swat.rows.head import make_head
from hwsim.machines.swat.rows.player import Heads
from hwsim.machines.swat.spec import SwatSpec
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.plan import CorePlan
from hwsim.mapping.operators import Attention
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload


@dataclass(frozen=True, kw_only=True)
class HeadGroup:
    """Heads that see the same keys, over all sequences of a step."""

    plan: CorePlan
    count: int

    def heads(self, design: Design, pipeline: int) -> Heads | None:
        """Those that a pipeline takes; heads are dealt in turn, and a pipeline may get none."""
        spec = design.spec
        count = len(range(pipeline, self.count, spec.pipelines))
        return _heads(self.plan, design, count) if count else None


@dataclass(frozen=True, kw_only=True)
class AttentionWork:
    """An operator of attention: its heads, group by group."""

    operator: Attention
    design: Design
    groups: tuple[HeadGroup, ...]

    @property
    def kind(self) -> str:
        return self.operator.kind

    def describe(self) -> Iterator[str]:
        """The operator, and a line a pass of each plan."""
        op = self.operator
        yield f"attention {op.name}: {op.heads} heads x {op.d_k}, {op.pattern}"
        for group in self.groups:
            yield f"  {group.count} heads:"
            for line in group.plan.dump().splitlines():
                yield f"    {line}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The work of a run, made step by step."""

    workload: Workload[Any, Any]
    spec: SwatSpec
    mapped: SwatMapped

    def steps(self) -> Iterator[Step]:
        """Passes over the graph in order."""
        return self.workload.steps()

    def works(self, step: Step) -> list[AttentionWork]:
        """The operators of a step in order."""
        found = []
        for mapped in self.mapped.operators:
            if mapped.unit == PIPELINES:
                assert isinstance(mapped.operator, Attention)
                found.append(attention_work(mapped.operator, step, self.spec))
            elif mapped.unit == COMPANION:
                raise NotImplementedError
        return found

    def dump(self, step: Step) -> str:
        """Stable text: the operators of one step."""
        lines = [f"program {self.workload.name}: {step.tokens} tokens, {self.spec.format}, {self.spec.mode}"]
        for work in self.works(step):
            lines += work.describe()
        return "\n".join(lines)


def lower(mapped: SwatMapped, workload: Workload[Any, Any], spec: SwatSpec) -> Program:
    """The program of a run; what its patterns become on the cores is found here, so that errors come before the run.

    Raises
    ------
    MappingError : a pattern that the cores cannot hold
    """
    program = Program(workload=workload, spec=spec, mapped=mapped)
    for step in dict.fromkeys(program.steps()):
        program.works(step)
    return program


def attention_work(op: Attention, step: Step, spec: SwatSpec) -> AttentionWork:
    """The heads of an operator, by the keys that they see."""
    design = design_of(spec, op.d_k)
    queries, keys = op.sizes(step)
    period = op.pattern.heads_period
    groups: dict[Pattern, int] = {}
    for head in range(op.heads):
        pattern = op.pattern.of_head(head % period)
        groups[pattern] = groups.get(pattern, 0) + step.batch
    return AttentionWork(
        operator=op,
        design=design,
        groups=tuple(
            HeadGroup(plan=_plan(pattern, queries, keys, design), count=count) for pattern, count in groups.items()
        ),
    )


@lru_cache(maxsize=64)
def design_of(spec: SwatSpec, head_dim: int) -> Design:
    """The units for heads of a size."""
    return Design(spec=spec, head_dim=head_dim)


@lru_cache(maxsize=64)
def _plan(pattern: Pattern, queries: int, keys: int, design: Design) -> CorePlan:
    spec = design.spec
    return compile_pattern(pattern, queries, keys, cores=spec.cores, loads=free_loads(design), window=spec.window)


@lru_cache(maxsize=64)
def _heads(plan: CorePlan, design: Design, count: int) -> Heads:
    def made(following: bool) -> Any:
        return make_head(
            plan, design.layout, prologue=design.spec.prologue, free_loads=free_loads(design), following=following
        )

    last = made(following=False)
    return Heads(each=made(following=True) if count > 1 else last, last=last, count=count)


def free_loads(design: Design) -> int:
    """Rows of K that a LOAD stage loads without being the slowest."""
    return design.scheduler.free_loads(interval_of(stages_of(design)))
