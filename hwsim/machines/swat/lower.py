"""From a mapped graph to what the pipelines and the companion do, operator by operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.plan import plan_operator
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.mapping import COMPANION, PIPELINES, SwatMapped
from hwsim.machines.swat.rows.head import Head, make_head
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
    """Heads that see the same keys, over all sequences of a step.

    Attributes
    ----------
    pattern : of each head
    before : heads of the operator's groups before this one
    """

    pattern: Pattern
    plan: CorePlan
    count: int
    before: int

    def dealt(self, pipeline: int, pipelines: int) -> range:
        """Which of them a pipeline takes: the heads of an operator are dealt in turn, group after group."""
        return range((pipeline - self.before) % pipelines, self.count, pipelines)

    def heads(self, design: Design, pipeline: int) -> Heads | None:
        """Those that a pipeline takes, which may be none."""
        count = len(self.dealt(pipeline, design.spec.pipelines))
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
            which = f", {group.pattern}" if len(self.groups) > 1 else ""
            yield f"  {group.count} heads{which}:"
            for line in group.plan.dump().splitlines():
                yield f"    {line}"


Work = AttentionWork | CompanionWork


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """The work of a run, made step by step.

    Attributes
    ----------
    companion : what runs all but attention; None where that is left out
    """

    workload: Workload[Any, Any]
    spec: SwatSpec
    mapped: SwatMapped
    companion: Companion | None

    def steps(self) -> Iterator[Step]:
        """Passes over the graph in order."""
        return self.workload.steps()

    def works(self, step: Step) -> tuple[Work, ...]:
        """The operators of a step in order; those that take no time are left out."""
        if step not in self._works:
            self._works[step] = tuple(self._made(step))
        return self._works[step]

    def _made(self, step: Step) -> Iterator[Work]:
        for mapped in self.mapped.operators:
            op = mapped.operator
            if mapped.unit == PIPELINES:
                assert isinstance(op, Attention)
                yield self._attention(op, step)
            elif mapped.unit == COMPANION:
                assert self.companion is not None  # or the mapping would have left it out
                work = plan_operator(op, self.mapped.graph, step, self.companion)
                if work.passes:
                    yield work

    def _attention(self, op: Attention, step: Step) -> AttentionWork:
        """The heads of an operator, by the keys that they see."""
        design = self.design(op.d_k, op.relative_bias.entries if op.relative_bias else 0)
        queries, keys = op.sizes(step)
        groups: dict[Pattern, int] = {}
        for head in range(op.heads):
            pattern = op.pattern.of_head(head % op.pattern.heads_period)
            groups[pattern] = groups.get(pattern, 0) + step.batch
        before = accumulate(groups.values(), initial=0)
        plans = {pattern: self._plan(op, pattern, queries, keys, design) for pattern in groups}
        return AttentionWork(
            operator=op,
            design=design,
            groups=tuple(
                HeadGroup(pattern=pattern, plan=plans[pattern], count=count, before=first)
                for (pattern, count), first in zip(groups.items(), before)
            ),
        )

    def _plan(self, op: Attention, pattern: Pattern, queries: int, keys: int, design: Design) -> CorePlan:
        plan = plan_of(pattern, queries, keys, design)
        if not plan.passes:
            raise MachineError(
                f"{self.spec.name}: {op.name}: none of {queries} queries sees a key by {pattern}; nothing to compute"
            )
        return plan

    def design(self, head_dim: int, bias_entries: int) -> Design:
        """The units for heads of a size, with or without a table of biases."""
        made = Design(spec=self.spec, head_dim=head_dim, bias_entries=bias_entries)
        return self._designs.setdefault((head_dim, bias_entries), made)

    @cached_property
    def built(self) -> Design:
        """The units as this program needs them: with biases, and a table of loads for keys in no counter's order."""
        works = [work for step in dict.fromkeys(self.steps()) for work in self.works(step)]
        attention = [work for work in works if isinstance(work, AttentionWork)]
        plans = [group.plan for work in attention for group in work.groups]
        return Design.built(
            self.spec,
            bias_entries=max(work.design.bias_entries for work in attention),
            table_entries=max(_table_entries(plan) for plan in plans),
        )

    @cached_property
    def _designs(self) -> dict[tuple[int, int], Design]:
        return {}

    @cached_property
    def _works(self) -> dict[Step, tuple[Work, ...]]:
        return {}

    @cached_property
    def rows(self) -> int:
        """Rows of all heads and passes of the run."""
        return sum(
            group.count * len(each.rows)
            for step in self.steps()
            for work in self.works(step)
            if isinstance(work, AttentionWork)
            for group in work.groups
            for each in group.plan.passes
        )

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
    MachineError : a model without attention, or without a pair of query and key; an operator that the companion cannot
        run
    """
    program = Program(workload=workload, spec=spec, mapped=mapped, companion=spec.companion_units)
    for step in dict.fromkeys(program.steps()):
        works = program.works(step)
        if not any(isinstance(work, AttentionWork) for work in works):
            raise MachineError(f"{spec.name}: {workload.name} has no attention, which is what this machine is for")
    return program


COUNTED = frozenset({"window", "global", "full", "causal"})  # keys that come in the order of a counter


def _table_entries(plan: CorePlan) -> int:
    """Loads of passes in which cores serve patterns of other kinds."""
    return sum(len(each.residencies) for each in plan.passes if not set(each.kinds) <= COUNTED)


def plan_of(pattern: Pattern, queries: int, keys: int, design: Design) -> CorePlan:
    """Which core holds which key when, for the heads of a pattern."""
    spec = design.spec
    return compile_pattern(
        pattern,
        queries,
        keys,
        cores=spec.cores,
        loads=free_loads(design),
        sv_stage=sv_stage(design),
        window=spec.window,
    )


def _heads(plan: CorePlan, design: Design, count: int) -> Heads:
    """Made once for a design, with which they go."""
    if (plan, count) not in design.heads:
        last = _head(plan, design, following=False)
        each = _head(plan, design, following=True) if count > 1 else last
        design.heads[plan, count] = Heads(each=each, last=last, count=count)
    return design.heads[plan, count]


def _head(plan: CorePlan, design: Design, *, following: bool) -> Head:
    return make_head(
        plan,
        design.layout,
        prologue=design.spec.prologue,
        free_loads=free_loads(design),
        following=following,
        sv_stage=sv_stage(design),
        table_rows=design.table_rows,
    )


def free_loads(design: Design) -> int:
    """Rows of K that a LOAD stage loads without being the slowest."""
    return design.scheduler.free_loads(interval_of(stages_of(design)))


def sv_stage(design: Design) -> int:
    """Stages from LOAD to SV, which is the last to read what a core holds."""
    return next(stage.depth for stage in stages_of(design) if stage.name == "SV")
