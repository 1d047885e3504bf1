"""The trace of a run, in the text that `hwsim aim` and the public AiM simulator play."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from hwsim.aim.isa import decode
from hwsim.aim.text import line_of
from hwsim.machines.aim.instructions import AimWork, HostWork, Program, placed, segments


def emit(program: Program) -> Iterator[str]:
    """The lines of a program's trace, in pieces that end with a newline.

    What the host does between two SYNCs is a comment: a trace knows no pauses. The last SYNC is EOC.
    """
    text = lru_cache(maxsize=1024)(_text)
    yield f"# {program.workload.name} on {program.spec.name}: {program.spec.channels} channels\n"
    parts = chain.from_iterable(segments(program.pieces(step)) for step in program.steps())
    behind: list[str] = []  # what follows the instructions so far, once it is known that more come
    for part in parts:
        if isinstance(part, HostWork):
            behind.append(f"# {part.unit}: {part.name}, {part.cycles} cycles\n")
            continue
        yield from behind
        yield from (text(work) for work in part)
        behind = ["AiM SYNC\n"]
    yield "AiM EOC\n"
    yield from behind[1:]


def _text(work: AimWork) -> str:
    lines = "\n".join(line_of(instruction) for instruction in decode(placed(work)))
    return f"# {work.name}\n{lines}\n"
