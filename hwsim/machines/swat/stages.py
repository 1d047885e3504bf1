"""The stages that a row passes, with what each takes and what it follows."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.machines.swat.design import Design


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage.

    Attributes
    ----------
    unit : its name as a unit
    cycles : of a row that loads one key and leaves divided
    after : the stages whose result it takes
    depth : the step of lockstep in which a row is in it, counted from 0
    """

    name: str
    unit: str
    cycles: int
    after: tuple[str, ...]
    depth: int


def stages_of(design: Design) -> tuple[Stage, ...]:
    """The stages in an order in which each follows those that it takes from; LOAD is the first, DIV&OUT the last."""
    core, vectors, sums, maxima = design.core, design.vectors, design.sums, design.maxima
    made: dict[str, Stage] = {}

    def add(name: str, cycles: int, *after: str) -> None:
        depth = 1 + max((made[before].depth for before in after), default=-1)
        unit = name.lower().replace("&", "_")
        made[name] = Stage(name=name, unit=unit, cycles=cycles, after=after, depth=depth)

    add("LOAD", design.scheduler.cycles(1))
    add("QK", core.cycles("qk"), "LOAD")
    scored = "QK"
    if design.spec.softmax == "safe":
        add("MAX1", maxima.cycles(1), "QK")
        add("MAX2", maxima.cycles(2), "MAX1")
        scored = "MAX2"
    add("SV", core.cycles("sv"), scored)
    add("ZRED1", vectors.cycles(1), "SV")
    add("ZRED2", vectors.cycles(2), "ZRED1")
    add("ROWSUM1", sums.cycles(1), "SV")
    add("ROWSUM2", sums.cycles(2), "ROWSUM1")
    add("DIV&OUT", design.divider.cycles("divided"), "ZRED2", "ROWSUM2")
    return tuple(made.values())


def interval_of(stages: tuple[Stage, ...]) -> int:
    """Cycles from row to row: those of the slowest stage."""
    return max(stage.cycles for stage in stages)


def depth_of(stages: tuple[Stage, ...]) -> int:
    """Stages of the longest way, D."""
    return 1 + max(stage.depth for stage in stages)


def way_of(stages: tuple[Stage, ...]) -> int:
    """Cycles of a row on the longest way through the stages."""
    ends: dict[str, int] = {}
    for stage in stages:
        ends[stage.name] = max((ends[before] for before in stage.after), default=0) + stage.cycles
    return ends[stages[-1].name]
