"""What an instruction must wait for: data, room for its results, its unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from hwsim.errors import MachineError


class Uses(Protocol):
    """What is known of an instruction."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def writes(self) -> tuple[str, ...]: ...
    @property
    def after(self) -> tuple[int, ...]: ...


# Read from memory where they lie from the beginning: an image.
GIVEN = frozenset({"image"})


def hazards_of(instructions: Sequence[Uses], there: Iterable[str] = ()) -> list[dict[int, str]]:
    """For each instruction the earlier ones that it must wait for, with the reason in words.

    Parameters
    ----------
    there : what was written before the first of them

    Raises
    ------
    MachineError : something is read that nothing has written
    """
    written: dict[str, int | None] = dict.fromkeys((*there, *GIVEN))
    readers: dict[str, list[int]] = {}
    busy: dict[str, int] = {}
    found: list[dict[int, str]] = []
    for number, instruction in enumerate(instructions):
        needed: dict[int, str] = {}
        if instruction.unit in busy:
            needed[busy[instruction.unit]] = f"which {instruction.unit} does first"
        for name in instruction.reads:
            if name not in written:
                raise MachineError(f"{instruction.name}: reads {name}, which nothing has written")
            writer = written[name]
            if writer is not None:
                needed[writer] = f"which writes {name}"
        for name in instruction.writes:
            needed.update(dict.fromkeys(readers.get(name, ()), f"which reads {name}"))
            before = written.get(name)
            if before is not None:
                needed.setdefault(before, f"which writes {name} too")
        needed.pop(number, None)
        found.append(needed)
        busy[instruction.unit] = number
        for name in instruction.writes:
            written[name] = number
            readers[name] = []
        for name in instruction.reads:
            readers.setdefault(name, []).append(number)
    return found


def reachable(instructions: Sequence[Uses]) -> list[int]:
    """For each instruction all those that have ended when it begins, as bits by number."""
    found: list[int] = []
    for instruction in instructions:
        bits = 0
        for other in instruction.after:
            bits |= found[other] | 1 << other
        found.append(bits)
    return found
