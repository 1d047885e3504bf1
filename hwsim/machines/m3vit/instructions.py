"""What the machine is told to do: loads of weights, and work of its units, each with what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hwsim.fabric.task import Task


@dataclass(frozen=True, kw_only=True)
class Load:
    """Weights that come into a buffer.

    Attributes
    ----------
    region : the buffer, or buffers, that they are put into; room is given out and taken back in the order of loads
    room_bytes : room that they take up of their own; 0 where they come into room that is taken up already
    part_bytes : what comes
    task : how they come; None takes room alone, in which other loads come and go
    after : work and loads that must be done first, beside what takes up the room
    """

    name: str
    region: str
    room_bytes: int
    part_bytes: int
    task: Task | None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Work:
    """A task of the units that compute; they come one after the other.

    Attributes
    ----------
    kind, operator : of the operator that the engine carries out
    needs : loads that must be there
    frees : loads whose room is free afterwards
    tiles : cycles in which the engine computes
    macs : multiply-accumulates that the model asks for; the rest of what the engine computes is padding
    opens_step : the first of a step, which cannot begin before the step's images are there
    gate : load of a gate's matrix among `needs`
    visits : tokens that experts serve between two fetches of a cache; 0 for other work
    """

    name: str
    kind: str
    operator: str
    task: Task
    needs: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()
    tiles: int = 0
    macs: int = 0
    opens_step: bool = False
    gate: str | None = None
    visits: int = 0


Instruction = Load | Work


def describe(instruction: Instruction) -> Iterator[str]:
    """Lines of a dump."""
    if isinstance(instruction, Load):
        after = f" after {', '.join(instruction.after)}" if instruction.after else ""
        yield f"load {instruction.name} -> {instruction.region}: {instruction.part_bytes} B{after}"
        return
    loops = ", ".join(f"{loop.unit} {loop.trips} x {loop.interval}" for loop in instruction.task.loops)
    needs = f" needs {', '.join(instruction.needs)}" if instruction.needs else ""
    frees = f" frees {', '.join(instruction.frees)}" if instruction.frees else ""
    yield f"work {instruction.name} ({instruction.kind}): {loops}{needs}{frees}"
