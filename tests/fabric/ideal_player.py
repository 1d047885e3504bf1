"""Plays a task cycle by cycle on ideal ports: every beat to read is there, every beat to write is taken.

Written from the rules in `hwsim/fabric/task.py` alone, slow and obvious.
"""

from dataclasses import dataclass, field

from hwsim.fabric.task import Loop, Pattern, Task


@dataclass
class Played:
    """When things happened; the task's first cycle is 0.

    Attributes
    ----------
    cycles : from the task's first cycle to the last one in which anything happened, both counted
    begun, put : by loop and by FIFO, the cycles in which an iteration began and in which items were put in
    """

    cycles: int = 0
    begun: dict[str, list[int]] = field(default_factory=dict)
    put: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class _State:
    loop: Loop
    clock: int = 0  # cycles in which its pipeline moved
    next_clock: int = 0
    iteration: int = 0
    coming: list[tuple[int, str, int]] = field(default_factory=list)  # at which clock what is put where

    @property
    def ended(self) -> bool:
        return self.iteration == self.loop.trips and not self.coming


def holds(pattern: Pattern, iteration: int) -> bool:
    return pattern.count(iteration + 1) > pattern.count(iteration)


def play(task: Task, *, ideal: tuple[str, ...] = ()) -> Played:
    """Play a task; `ideal` names FIFOs that count as ports too."""
    read = {t.fifo for t in task.transfers if not t.write}
    written = {t.fifo for t in task.transfers if t.write}
    depth = {fifo.name: fifo.depth for fifo in task.fifos}
    items = {fifo.name: fifo.filled for fifo in task.fifos}
    free = {*read, *written, *ideal}
    played, states = Played(), [_State(loop) for loop in task.loops]
    cycle = still = 0
    while not all(state.ended for state in states):
        seen, moved = dict(items), False
        for state in states:
            moved |= _step(state, cycle, seen, items, depth, free, played)
        still = 0 if moved else still + 1
        assert still < 10_000, f"{task.name} stands still: {items}"
        cycle += 1
    return played


def _step(state, cycle, seen, items, depth, free, played) -> bool:  # type: ignore[no-untyped-def]
    """One cycle of a loop; whether anything happened."""
    loop = state.loop
    due = [entry for entry in state.coming if entry[0] == state.clock]
    if any(fifo not in free and seen[fifo] + amount > depth[fifo] for _, fifo, amount in due):
        return False
    state.coming = [entry for entry in state.coming if entry[0] != state.clock]
    for _, fifo, amount in due:
        items[fifo] += amount
        played.put.setdefault(fifo, []).append(cycle)
        played.cycles = max(played.cycles, cycle + 1)
    begins = state.iteration < loop.trips and state.clock >= state.next_clock and cycle >= loop.start
    takes = [take for take in loop.takes if holds(take.when, state.iteration)] if begins else []
    if begins and all(take.fifo in free or seen[take.fifo] >= take.amount for take in takes):
        for take in takes:
            items[take.fifo] -= take.amount
        for give in loop.gives:
            if holds(give.when, state.iteration):
                state.coming.append((state.clock + give.after, give.fifo, give.amount))
        played.begun.setdefault(loop.name, []).append(cycle)
        played.cycles = max(played.cycles, cycle + 1)
        state.iteration += 1
        state.next_clock = state.clock + loop.interval
        due = [()]
    state.clock += 1
    return bool(due) or bool(state.coming) or cycle < loop.start
