"""Which of the three streams goes next.

The stream whose next command can be issued earliest goes; in a tie accesses go before drains and drains before fills.
While an access waits for transfers in one direction, the other direction yields, so that the pins do not turn between.

Everywhere `s` is the channels' state, `r` the rules, `c` a channel and `f` the flow of its program.
"""

from __future__ import annotations

from typing import NamedTuple

from hwsim.dram.device.bank_state import earliest, needed
from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.tables import FOREVER, NO_COMMAND
from hwsim.dram.in_order.overlap.flow import At
from hwsim.dram.in_order.overlap.plan import Segment
from hwsim.dram.in_order.overlap.streams import Data, Stream


class Choice(NamedTuple):
    """The stream that goes next.

    Attributes
    ----------
    cycle : when
    step : what the access stream issues next: an access, or the activate or precharge that it needs first
    late : whether an access waits for data longer than for anything else
    fill : the first cycle in which the next fill could go, FOREVER if it must wait for others
    """

    stream: int
    cycle: int
    step: int
    late: bool
    fill: int


@inlined
def choose(s, r, c, f):
    """Choose the next stream.

    Raises
    ------
    ValueError : none can go on
    """
    yielding = _yielding(f)
    cycle, step, late = _access_cycle(s, r, c, f)
    stream = Stream.ACCESS if cycle < FOREVER else Stream.NOTHING
    drain = FOREVER if yielding == Stream.DRAIN else _drain_cycle(s, r, c, f)
    if drain < cycle:
        stream, cycle = Stream.DRAIN, drain
    fill = FOREVER if yielding == Stream.FILL else _fill_cycle(s, r, c, f)
    if fill < cycle:
        stream, cycle = Stream.FILL, fill
    if stream == Stream.NOTHING:
        raise ValueError("no stream can go on")
    return Choice(stream, cycle, step, late, fill)


@inlined
def _yielding(f):
    """The stream of transfers that has to let the other direction go first, or NOTHING."""
    access, fill, drain = f.at[At.ACCESS], f.at[At.FILL], f.at[At.DRAIN]
    fills_left, accesses_left = fill < f.fill_at.size, access < f.access_at.size
    if fills_left and f.plan.fill_access[fill] < access and not f.plan.fill_begins[fill]:
        return Stream.DRAIN  # a request's fills go on without drains between them
    if fills_left and f.plan.fill_begins[fill] and f.plan.fill_drain[fill] >= drain:
        return Stream.FILL
    if accesses_left and f.plan.access_drain[access] >= drain:
        return Stream.FILL
    if accesses_left and f.plan.access_fill[access] >= fill:
        return Stream.DRAIN
    return Stream.NOTHING


@inlined
def _access_cycle(s, r, c, f):
    """When the access stream can go on, with which command, and whether that waits longest for its data."""
    if f.at[At.ACCESS] == f.access_at.size:
        return FOREVER, NO_COMMAND, False
    segment = f.plan.segments[f.at[At.SEGMENT]]
    command, bank = segment[Segment.COMMAND], segment[Segment.BANK]
    step = needed(s.banks, r.tables, c, command, bank, segment[Segment.ROW] + f.row_base)
    cycle = max(f.start, earliest(s.banks, r.tables, c, step, bank))
    if step != command:
        return cycle, step, False
    data = _data_cycle(s, c, f) if command == f.streams.compute else f.ready
    return max(cycle, data), step, data > cycle


@inlined
def _data_cycle(s, c, f):
    """The first cycle in which the next access finds its data and a free accumulator, FOREVER if not known yet."""
    access = f.at[At.ACCESS]
    fill, drain = f.plan.access_fill[access], f.plan.access_drain[access]
    if fill >= f.at[At.FILL] or drain >= f.at[At.DRAIN]:
        return FOREVER
    filled = f.fill_at[fill] if fill >= 0 else s.data_issues[c, Data.FILL]
    return filled + f.streams.fill_to_compute


@inlined
def _drain_cycle(s, r, c, f):
    """When the next drain can go, FOREVER if its result is not complete."""
    drain = f.at[At.DRAIN]
    if drain == f.plan.drain_access.size or f.plan.drain_access[drain] >= f.at[At.ACCESS]:
        return FOREVER
    return max(f.start, earliest(s.banks, r.tables, c, f.streams.drain, 0))


@inlined
def _fill_cycle(s, r, c, f):
    """When the next fill can go, FOREVER if what it overwrites is still needed."""
    fill = f.at[At.FILL]
    if fill == f.fill_at.size or f.plan.fill_access[fill] >= f.at[At.ACCESS]:
        return FOREVER
    access = f.plan.fill_access[fill]
    read = f.access_at[access] if access >= 0 else s.data_issues[c, Data.COMPUTE]
    return max(f.ready, read + f.streams.compute_to_fill, earliest(s.banks, r.tables, c, f.streams.fill, 0))
