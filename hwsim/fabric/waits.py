"""What the units of a task waited for, from what their loops did.

The loop of a unit that has most to do speaks for the unit: where it waits, the unit does. If it waits for another loop
of its own unit, which reads for it or writes for it, the wait is that loop's, as far as that one waited itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from hwsim.engine.trace import Cause
from hwsim.fabric.slots import Ended
from hwsim.fabric.task import Loop


def unit_waits(ended: Ended, unit: str) -> Counter[Cause]:
    """Cycles of a task in which one of its units waited, by cause; the rest of the task's cycles it worked."""
    main = main_loop(ended, unit)
    if main is None:
        return Counter()
    found = _loop_waits(ended, main, frozenset())
    after = ended.cycles - ended.loops[main.name]
    if after:
        found[_cause_of_the_end(ended, main)] += after
    return found


def main_loop(ended: Ended, unit: str) -> Loop | None:
    """The loop of a unit with most cycles to go through, of several the last one; None if the unit has no loop."""
    loops = [loop for loop in ended.task.loops if loop.unit == unit]
    return max(reversed(loops), key=lambda loop: loop.trips * loop.interval, default=None)


def _loop_waits(ended: Ended, loop: Loop, passed: frozenset[str]) -> Counter[Cause]:
    """Waits of a loop, those for loops of its own unit as theirs."""
    found: Counter[Cause] = Counter()
    sides: tuple[tuple[Literal["input", "output"], Mapping[str, int]], ...] = (
        ("input", ended.waits_for_items[loop.name]),
        ("output", ended.waits_for_room[loop.name]),
    )
    for side, waits in sides:
        for fifo, cycles in waits.items():
            if cycles:
                found += _resolved(ended, loop, side, fifo, cycles, passed | {loop.name})
    return found


def _resolved(
    ended: Ended, loop: Loop, side: Literal["input", "output"], fifo: str, cycles: int, passed: frozenset[str]
) -> Counter[Cause]:
    port = next((transfer for transfer in ended.task.transfers if transfer.fifo == fifo), None)
    if port is not None:
        return Counter({Cause("memory", f"{port.port} {'writes' if port.write else 'reads'}"): cycles})
    other = _other_end(ended, side, fifo)
    found: Counter[Cause] = Counter()
    if other is not None and other.unit == loop.unit and other.name not in passed:
        for cause, theirs in _loop_waits(ended, other, passed).items():
            found[cause] = min(theirs, cycles - found.total())
    found[Cause(side, fifo)] = cycles - found.total()
    return +found


def _other_end(ended: Ended, side: str, fifo: str) -> Loop | None:
    """The loop that fills a FIFO which is waited for, or empties one which is full."""
    for loop in ended.task.loops:
        accesses = loop.gives if side == "input" else loop.takes
        if any(access.fifo == fifo for access in accesses):
            return loop
    return None


def _cause_of_the_end(ended: Ended, main: Loop) -> Cause:
    """What the rest of a task is for after a loop has ended: later loops, or the memory's answers to writes."""
    later = [loop for loop in ended.task.loops if ended.loops[loop.name] > ended.loops[main.name]]
    if later and ended.loops[later[-1].name] == ended.cycles:
        return Cause("output", later[-1].name)
    writes = [transfer.port for transfer in ended.task.transfers if transfer.write]
    return Cause("memory", f"{writes[-1]} answers" if writes else "reads")
