"""How many accesses of a row go at once: up to the first that another stream may hold back, or after which one may go.

Everywhere `s` is the channels' state, `r` the rules, `c` a channel and `f` the flow of its program.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import FOREVER, Fact
from hwsim.dram.in_order.overlap.flow import At
from hwsim.dram.in_order.overlap.plan import Segment


@inlined
def burst_length(s, r, c, f, choice):
    """How many accesses follow each other at their smallest spacing before anything else may go."""
    segment = f.plan.segments[f.at[At.SEGMENT]]
    command = segment[Segment.COMMAND]
    facts = r.tables.commands[command]
    if command != f.streams.compute or facts[Fact.WINDOWED] or facts[Fact.AUTO]:
        return 1
    spacing = facts[Fact.SPACING]
    most = min(segment[Segment.ISSUES] - f.at[At.POSITION], (s.due[c] - choice.cycle + spacing - 1) // spacing)
    most = min(most, _before_fill(f, choice, spacing), _before_drain(f))
    burst = 1
    while burst < most and _has_data(f, f.at[At.ACCESS] + burst, choice.cycle + burst * spacing):
        burst += 1
    return burst


@inlined
def _before_fill(f, choice, spacing):
    """Accesses up to the one in the cycle of the next fill, before which that goes, or up to the one it waits for."""
    fill, access = f.at[At.FILL], f.at[At.ACCESS]
    if choice.fill < FOREVER:
        return (choice.fill - choice.cycle) // spacing + 1
    if fill < f.fill_at.size and f.plan.fill_access[fill] >= access:
        return f.plan.fill_access[fill] - access + 1
    return FOREVER


@inlined
def _before_drain(f):
    """Accesses up to the one that completes the result of the next drain; one, if that is complete."""
    drain, access = f.at[At.DRAIN], f.at[At.ACCESS]
    if drain == f.plan.drain_access.size or f.streams.keeps_drains_out:
        return FOREVER
    return max(1, f.plan.drain_access[drain] - access + 1)


@inlined
def _has_data(f, access, cycle):
    """Whether a later access can go in a cycle, as far as its data and accumulator are concerned."""
    fill = f.plan.access_fill[access]
    if fill >= f.at[At.FILL] or f.plan.access_drain[access] >= f.at[At.DRAIN]:
        return False
    return fill < 0 or f.fill_at[fill] + f.streams.fill_to_compute <= cycle
