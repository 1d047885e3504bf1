"""Rows of attention through the stages, compiled: every row's times from those of the rows before it.

A burst is asked for when earlier rows have left room in its buffer, which is known when these are loaded. So one pass
over the rows, in order, gives all times, those of the memory too.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, part
from hwsim.machines.swat.rows.memory import fetch, fetch_carried, room, store
from hwsim.machines.swat.rows.state import NONE, At, Channel, Count, Scalar, Stream, Time


@compiled
def play(timing, head, last, state, jobs, start):
    """Play `jobs` heads, all like `head` but for the last one.

    Parameters
    ----------
    start : tick in which the first rows may be loaded; `state` says what the buffers hold by then

    Returns
    -------
    Tick in which the last row has passed the last stage; the memory holds it once the engine of the results is free.
    """
    now = start
    fetch(timing, head, last, state, jobs, Stream.KEYS, now)
    fetch(timing, head, last, state, jobs, Stream.QUERIES, now)
    state.clock[Time.ROWS] = 0
    for job in range(jobs):
        rows = head
        if job == jobs - 1:
            rows = last
        passes = len(rows.first) - 1
        for number in range(passes):
            # the memory holds the partial rows of the pass before when their last burst is answered
            held = max(now, state.channels[Stream.RESULTS, Channel.FREE])
            state.clock[Time.SWAPPED] = (passes - 1 - number) & 1
            fetch_carried(timing, rows, state, number, held)
            if rows.before[number]:
                now = _load_before(timing, head, last, state, jobs, job, rows.before[number], now)
            if timing.scalars[Scalar.LOCKSTEP]:
                now = _lockstep(timing, head, last, state, jobs, job, number, now)
            else:
                now = _elastic(timing, head, last, state, jobs, job, number, now)
            state.clock[Time.ROWS] += rows.first[number + 1] - rows.first[number]
        if rows.before[passes]:
            now = _load_before(timing, head, last, state, jobs, job, rows.before[passes], now)
    return now


@part
def _lockstep(timing, head, last, state, jobs, job, number, now):
    """The rows of a pass: all stages advance together, at the slowest one's interval or when all that work are done."""
    rows = head
    if job == jobs - 1:
        rows = last
    first = rows.first[number]
    count = rows.first[number + 1] - first
    stages = len(timing.stages)
    loaded = now
    for step in range(count + timing.depth[stages - 1]):
        done = now + timing.scalars[Scalar.INTERVAL]
        for stage in range(stages):
            row = step - timing.depth[stage]
            if row < 0 or row >= count:
                continue
            if stage == 0:
                finish = loaded = _load_row(timing, head, last, state, jobs, job, first + row, now)
            elif stage == stages - 1:
                finish = _leave(timing, rows, state, first + row, now)
            else:
                finish = now + timing.stages[stage]
                state.busy[stage] += timing.stages[stage]
            _note(state, row, stage, now, finish)
            done = max(done, finish)
        now = done
    state.counts[Count.DRAIN] += now - loaded
    return now


@part
def _elastic(timing, head, last, state, jobs, job, number, now):
    """The rows of a pass: a stage begins a row when the row is there, and a bank behind it is free."""
    rows = head
    if job == jobs - 1:
        rows = last
    first = rows.first[number]
    stages = len(timing.stages)
    for stage in range(stages):
        state.ends[stage, 0] = state.ends[stage, 1] = now
    finish = now
    for row in range(first, rows.first[number + 1]):
        for stage in range(stages):
            begin = state.ends[stage, 1]  # of the row before
            for i in range(2):
                before, after = timing.before[stage, i], timing.after[stage, i]
                if before != NONE:
                    begin = max(begin, state.ends[before, 1])  # of this row
                if after != NONE:
                    begin = max(begin, state.ends[after, 0])  # of the row two before, which leaves its bank
            if stage == 0:
                finish = _load_row(timing, head, last, state, jobs, job, row, begin)
            elif stage == stages - 1:
                finish = _leave(timing, rows, state, row, begin)
            else:
                finish = begin + timing.stages[stage]
                state.busy[stage] += timing.stages[stage]
            _note(state, row - first, stage, begin, finish)
            state.ends[stage, 0] = state.ends[stage, 1]
            state.ends[stage, 1] = finish
    state.counts[Count.DRAIN] += finish - state.ends[0, 1]
    return finish


@part
def _load_before(timing, head, last, state, jobs, job, units, now):
    """What the cores must hold before the first row of the pass that follows."""
    waited = state.counts[Count.MEMORY]
    done = _load(timing, head, last, state, jobs, job, units, now) + timing.scalars[Scalar.LOAD_LATENCY]
    state.counts[Count.PROLOGUE] += done - now
    state.busy[0] += done - now - (state.counts[Count.MEMORY] - waited)
    return done


@part
def _load_row(timing, head, last, state, jobs, job, row, now):
    """LOAD of a row: its query, and its partial row if it has one, beside rows of K and V."""
    rows = head
    if job == jobs - 1:
        rows = last
    scalars = timing.scalars
    query = job * len(head.query_kind) + rows.query_burst[row]
    begin = max(now, state.arrivals[Stream.QUERIES, query % scalars[Scalar.RING]])
    least = scalars[Scalar.ROW]
    if rows.carries[row] != NONE:
        begin = max(begin, state.arrivals[Stream.CARRIED, rows.carries[row] % scalars[Scalar.RING]])
        least = max(least, scalars[Scalar.CARRIED_ROW])
    state.counts[Count.MEMORY] += begin - now
    waited = state.counts[Count.MEMORY]
    done = max(begin + least, _load(timing, head, last, state, jobs, job, rows.units[row], begin))
    state.streams[Stream.QUERIES, At.USED] += 1
    fetch(timing, head, last, state, jobs, Stream.QUERIES, done)
    if rows.carries[row] != NONE:
        state.streams[Stream.CARRIED, At.USED] += 1
        fetch_carried(timing, rows, state, NONE, done)
    done += scalars[Scalar.LOAD_LATENCY]
    state.busy[0] += done - begin - (state.counts[Count.MEMORY] - waited)
    return done


@part
def _load(timing, head, last, state, jobs, job, units, now):
    """Rows of K and V, some beside each other; the tick in which the last of them is in its core."""
    rows = head
    if job == jobs - 1:
        rows = last
    scalars = timing.scalars
    unit = state.streams[Stream.KEYS, At.USED] - job * len(head.key_burst)
    end = unit + units
    while unit < end:
        beside = min(end - unit, scalars[Scalar.LOADERS])
        begin = now
        for i in range(beside):
            burst = job * len(head.key_kind) + rows.key_burst[unit + i]
            begin = max(begin, state.arrivals[Stream.KEYS, burst % scalars[Scalar.RING]])
        state.counts[Count.MEMORY] += begin - now
        now = begin + scalars[Scalar.ROW]
        unit += beside
        state.streams[Stream.KEYS, At.USED] += beside
        fetch(timing, head, last, state, jobs, Stream.KEYS, now)
    return now


@part
def _leave(timing, rows, state, row, now):
    """DIV&OUT of a row, when the burst before the last has left its buffer."""
    begin = max(now, room(state))
    state.counts[Count.ROOM] += begin - now
    taken = timing.scalars[Scalar.DIVIDED] if rows.divided[row] else timing.scalars[Scalar.PARTIAL]
    state.busy[len(timing.stages) - 1] += taken
    store(timing, rows, state, row, begin + taken)
    return begin + taken


@part
def _note(state, row, stage, begin, finish):
    """Keep the times of the first rows."""
    at = state.clock[Time.ROWS] + row
    if at < state.log.shape[0]:
        state.log[at, stage, 0] = begin
        state.log[at, stage, 1] = finish
