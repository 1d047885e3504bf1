"""The DMA engines of a pipeline, compiled: a burst at a time on each channel, by tables of its time."""

from __future__ import annotations

from hwsim.dram.device.compiled import part
from hwsim.machines.swat.rows.state import NONE, At, Channel, Scalar, Stream, Time


@part
def fetch(timing, head, last, state, jobs, stream, now):
    """Ask for bursts of keys or queries that have room in the buffer by tick `now`, also those of the next head."""
    streams = state.streams
    while streams[stream, At.JOB] < jobs:
        job, burst = streams[stream, At.JOB], streams[stream, At.BURST]
        rows = head
        if job == jobs - 1:
            rows = last
        kinds = rows.key_kind if stream == Stream.KEYS else rows.query_kind
        if burst == len(kinds):
            streams[stream, At.JOB] = job + 1
            streams[stream, At.BURST] = 0
            continue
        ends = rows.key_ends if stream == Stream.KEYS else rows.query_ends
        whole = len(head.key_burst) if stream == Stream.KEYS else len(head.query_burst)
        if job * whole + ends[burst] - streams[stream, At.ROOM] > streams[stream, At.USED]:
            return
        of_head = len(head.key_kind) if stream == Stream.KEYS else len(head.query_kind)
        done = _transfer(timing, state, stream, kinds[burst], now)
        state.arrivals[stream, (job * of_head + burst) % timing.scalars[Scalar.RING]] = done
        streams[stream, At.BURST] = burst + 1


@part
def fetch_carried(timing, rows, state, number, now):
    """Ask for bursts of partial rows of one pass that have room by tick `now`.

    Parameters
    ----------
    number : the pass that begins, whose partial rows the memory holds by then; NONE within a pass
    """
    streams = state.streams
    carried = Stream.CARRIED
    if number != NONE:
        streams[carried, At.JOB] = number
        streams[carried, At.BURST] = rows.carried_first[number]
        begun = rows.carried_first[number]
        streams[carried, At.USED] = rows.carried_ends[begun - 1] if begun > 0 else 0
    while streams[carried, At.BURST] < rows.carried_first[streams[carried, At.JOB] + 1]:
        burst = streams[carried, At.BURST]
        if rows.carried_ends[burst] - streams[carried, At.ROOM] > streams[carried, At.USED]:
            return
        done = _transfer(timing, state, carried, rows.carried_kind[burst], now)
        state.arrivals[carried, burst % timing.scalars[Scalar.RING]] = done
        streams[carried, At.BURST] = burst + 1


@part
def store(timing, rows, state, row, now):
    """Write the burst whose last row leaves in tick `now`."""
    burst = rows.result_burst[row]
    if row + 1 == len(rows.result_burst) or rows.result_burst[row + 1] != burst:
        done = _transfer(timing, state, Stream.RESULTS, rows.result_kind[burst], now)
        state.arrivals[Stream.RESULTS, state.streams[Stream.RESULTS, At.BURST] & 1] = done
        state.streams[Stream.RESULTS, At.BURST] += 1


@part
def room(state):
    """The tick from which the next burst of results finds a bank: that of the burst before the last is written."""
    return state.arrivals[Stream.RESULTS, state.streams[Stream.RESULTS, At.BURST] & 1]


@part
def _transfer(timing, state, stream, kind, now):
    """The tick in which a burst is answered, if it may be asked for from `now` on; see `BurstDma` and `BurstTimes`."""
    scalars = timing.scalars
    channel = stream ^ state.clock[Time.SWAPPED] if stream >= Stream.CARRIED else stream
    asked = max(now, state.channels[stream, Channel.FREE]) + scalars[Scalar.REQUEST]
    arrival = -(-asked // scalars[Scalar.MEMORY_CYCLE])
    period, quiet = scalars[Scalar.PERIOD], scalars[Scalar.QUIET]
    at = max(arrival, quiet)
    begin = at // period * period
    since = at - max(begin, state.channels[channel, Channel.REFRESHED])
    index = since if since < quiet else at - begin
    if timing.late[kind, index]:
        state.channels[channel, Channel.REFRESHED] = begin + period + timing.late[kind, index]
    state.bursts[stream, kind, timing.variant[kind, index]] += 1
    answered = (arrival + timing.times[kind, index]) * scalars[Scalar.MEMORY_CYCLE] + scalars[Scalar.RESPONSE]
    answered += -answered % scalars[Scalar.CYCLE]
    state.channels[stream, Channel.FREE] = answered
    return answered
