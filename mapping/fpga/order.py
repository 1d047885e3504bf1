"""An order of execution in which no buffer is written while it holds what somebody has still to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hwsim.mapping.errors import MappingError
from hwsim.mapping.operators import Operator


def order_for_buffers(
    operators: Sequence[Operator], buffer_of: Callable[[Operator], str | None], origin: Callable[[str], str]
) -> tuple[Operator, ...]:
    """The given order, but for operators that must wait until their buffer is free.

    With queries and values in one buffer, values are computed after the scores.

    Parameters
    ----------
    buffer_of : the buffer of an operator's result; None for what goes to no buffer
    origin : the operator whose result a tensor is, through what leaves it where it lies

    Raises
    ------
    MappingError : every operator that could be next would overwrite what others have still to read
    """
    unread = _readers(operators, origin)
    made: set[str] = set()
    holds: dict[str, str] = {}
    left, ordered = list(operators), list[Operator]()
    names = {op.name for op in operators}
    while left:
        for op in left:
            ready = all(name in made or name not in names for name in op.inputs)
            buffer = buffer_of(op)
            held = holds.get(buffer) if buffer else None
            others = unread.get(held, set()) - {op.name} if held else set()
            if ready and not others:
                break
        else:
            blocked = next(op for op in left if all(name in made or name not in names for name in op.inputs))
            where = buffer_of(blocked)
            raise MappingError(
                f"{blocked.name}: goes to buffer {where}, which holds {holds[str(where)]}; others have still to read it"
            )
        left.remove(op)
        ordered.append(op)
        made.add(op.name)
        for name in op.inputs:
            unread.get(origin(name), set()).discard(op.name)
        if buffer:
            holds[buffer] = op.name
    return tuple(ordered)


def _readers(operators: Sequence[Operator], origin: Callable[[str], str]) -> dict[str, set[str]]:
    """For each operator those that read its result, or a part of it."""
    found: dict[str, set[str]] = {}
    for op in operators:
        for name in op.inputs:
            found.setdefault(origin(name), set()).add(op.name)
    return found
