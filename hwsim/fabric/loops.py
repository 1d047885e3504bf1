"""Loops of a fabric, compiled: one cycle of one loop."""

from __future__ import annotations

from hwsim.dram.device.compiled import part
from hwsim.fabric.state import DUES, Access, FifoField, LoopField, Time


@part
def step_loop(f, loop):
    """Play a cycle of a loop; whether anything happened."""
    f.loops[loop, LoopField.BLOCKED] = -1
    if f.loops[loop, LoopField.START] > 0:
        f.loops[loop, LoopField.START] -= 1
        return True
    if _stands_still(f, loop):
        return False
    given = _give(f, loop)
    begun = f.loops[loop, LoopField.LEFT] > 0 and _begin(f, loop)
    if f.loops[loop, LoopField.LEFT] == 0 and f.loops[loop, LoopField.PENDING] == 0:
        _end(f, loop)
        return True
    if begun or f.loops[loop, LoopField.PENDING] > 0 or f.loops[loop, LoopField.OWN] < f.loops[loop, LoopField.NEXT]:
        f.loops[loop, LoopField.OWN] += 1
        return True
    return given  # it only waits, but what it has just given others can take


@part
def _stands_still(f, loop):
    """Whether something falls due for which there is no room."""
    own = f.loops[loop, LoopField.OWN]
    for g in range(f.loops[loop, LoopField.GIVE], f.loops[loop, LoopField.GIVES]):
        if f.gives[g, Access.COUNT] > 0 and f.dues[g, f.gives[g, Access.HEAD]] == own:
            fifo = f.gives[g, Access.FIFO]
            if f.fifos[fifo, FifoField.COUNT] + f.gives[g, Access.AMOUNT] > f.fifos[fifo, FifoField.DEPTH]:
                f.fifos[fifo, FifoField.WAITED_FOR_ROOM] += 1
                f.loops[loop, LoopField.BLOCKED] = fifo
                f.loops[loop, LoopField.OUTWARD] = 1
                return True
    return False


@part
def _give(f, loop):
    """Put what falls due into its FIFOs; whether there was anything."""
    own, given = f.loops[loop, LoopField.OWN], False
    for g in range(f.loops[loop, LoopField.GIVE], f.loops[loop, LoopField.GIVES]):
        head = f.gives[g, Access.HEAD]
        if f.gives[g, Access.COUNT] > 0 and f.dues[g, head] == own:
            f.fifos[f.gives[g, Access.FIFO], FifoField.PUT] += f.gives[g, Access.AMOUNT]
            f.gives[g, Access.HEAD] = (head + 1) & (DUES - 1)
            f.gives[g, Access.COUNT] -= 1
            f.loops[loop, LoopField.PENDING] -= 1
            given = True
    return given


@part
def _begin(f, loop):
    """Begin an iteration, if it is time for one and all that it takes is there."""
    own = f.loops[loop, LoopField.OWN]
    if own < f.loops[loop, LoopField.NEXT]:
        return False
    first, end = f.loops[loop, LoopField.TAKE], f.loops[loop, LoopField.TAKES]
    for t in range(first, end):
        fifo = f.takes[t, Access.FIFO]
        if _holds(f.takes, t) and f.fifos[fifo, FifoField.COUNT] < f.takes[t, Access.AMOUNT]:
            f.fifos[fifo, FifoField.WAITED_FOR_ITEMS] += 1
            f.loops[loop, LoopField.BLOCKED] = fifo
            f.loops[loop, LoopField.OUTWARD] = 0
            return False
    for t in range(first, end):
        if _move_on(f.takes, t):
            f.fifos[f.takes[t, Access.FIFO], FifoField.TAKEN] += f.takes[t, Access.AMOUNT]
    for g in range(f.loops[loop, LoopField.GIVE], f.loops[loop, LoopField.GIVES]):
        if _move_on(f.gives, g):
            place = (f.gives[g, Access.HEAD] + f.gives[g, Access.COUNT]) & (DUES - 1)
            f.dues[g, place] = own + f.gives[g, Access.AFTER]
            f.gives[g, Access.COUNT] += 1
            f.loops[loop, LoopField.PENDING] += 1
    f.loops[loop, LoopField.LEFT] -= 1
    f.loops[loop, LoopField.NEXT] = own + f.loops[loop, LoopField.INTERVAL]
    return True


@part
def _holds(accesses, a):
    """Whether a pattern holds for the next iteration."""
    return (
        accesses[a, Access.SKIP] == 0
        and accesses[a, Access.PHASE] < accesses[a, Access.LENGTH]
        and accesses[a, Access.LEFT] > 0
    )


@part
def _move_on(accesses, a):
    """Move a pattern past an iteration; whether it held for it."""
    if accesses[a, Access.SKIP] > 0:
        accesses[a, Access.SKIP] -= 1
        return False
    held = accesses[a, Access.PHASE] < accesses[a, Access.LENGTH] and accesses[a, Access.LEFT] > 0
    if held:
        accesses[a, Access.LEFT] -= 1
    accesses[a, Access.PHASE] += 1
    if accesses[a, Access.PHASE] == accesses[a, Access.PERIOD]:
        accesses[a, Access.PHASE] = 0
    return held


@part
def _end(f, loop):
    f.loops[loop, LoopField.ACTIVE] = 2
    f.loops[loop, LoopField.ENDED] = f.time[Time.CYCLE] + 1
    end_part_of(f, f.loops[loop, LoopField.TASK])


@part
def end_part_of(f, task):
    """A loop or transfer of a task has ended, and perhaps the task with it."""
    f.time[Time.CHANGED] = 1
    f.tasks[task] -= 1
    if f.tasks[task] == 0:
        done = f.time[Time.DONE]
        f.done[done, 0] = task
        f.done[done, 1] = f.time[Time.CYCLE] + 1
        f.time[Time.DONE] = done + 1
