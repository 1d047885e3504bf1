"""The fast player of overlapped programs: the rules of `overlap_reference.py` compiled by numba.

Before a program is played, `_plan` computes which commands must precede which. Accesses of one row advance in closed
form up to the first access that another stream may hold back, or after which another stream may go.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwsim.dram.device.kernel_cache import find_cache_folder
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.dataflow import StreamCommands
from hwsim.dram.in_order.kernel import (
    ACCESSES,
    AUTO,
    BANKS,
    BLOCK,
    CAUSE,
    CAUSES,
    COLUMNS,
    COMMANDS,
    DUE,
    DURATION,
    HITS,
    IO_CAUSE,
    LAST_ISSUE,
    REACH,
    REFRESH_CAUSE,
    RING,
    ROW_CAUSE,
    SPACING,
    STEPS,
    Tables,
    _charge,
    _earliest,
    _log,
    _move_rows,
    _needed,
    _note,
    _open_or_close,
    _refresh,
    _regroup,
    compile_tables,
)

find_cache_folder()

Ints = NDArray[np.int64]

FOREVER = 1 << 60
# Streams, in the order in which they win ties.
ACCESS, DRAIN, FILL, NOTHING = range(4)
# Places of Rules.
(
    FILL_COMMAND,
    DRAIN_COMMAND,
    COMPUTE,
    FILL_TO_COMPUTE,
    COMPUTE_TO_FILL,
    ACCUMULATORS,
    KEEPS_DRAINS_OUT,
    NODE,
    TURNAROUND,
) = range(9)
# Columns of a segment, which is accesses of one command in one row.
SEGMENT = 6
S_COMMAND, S_BANK, S_ROW, S_COLUMN, S_COLUMNS, S_TOTAL = range(SEGMENT)


class OverlapTables(NamedTuple):
    """A standard's tables without the waits that hold per column, and the rules that replace these.

    Attributes
    ----------
    tables : the waits that do not depend on data
    rules : (9,) places `FILL_COMMAND` to `TURNAROUND`
    """

    tables: Tables
    rules: Ints


def compile_overlap_tables(standard: Standard, accumulators: int) -> OverlapTables:
    """Flatten a standard with hazards for the kernel.

    Raises
    ------
    DramError : the standard has no streams that could overlap
    """
    names = StreamCommands.of(standard)
    tables = compile_tables(standard.without_hazards())
    ids = standard.command_ids
    fill, drain, compute = ids[names.fill], ids[names.drain], ids[names.compute]
    waits = [c.latency for c in standard.constraints if (c.preceding, c.following) == (names.compute, names.drain)]
    spacing = int(tables.commands[compute, SPACING])
    # accesses at their smallest spacing leave no cycle in which a drain would go first
    keeps_out = int(max(waits, default=0) >= spacing)
    tables.scalars[REACH] = max(int(tables.scalars[REACH]), names.fill_to_compute, names.compute_to_fill)
    rules = [
        fill,
        drain,
        compute,
        names.fill_to_compute,
        names.compute_to_fill,
        accumulators,
        keeps_out,
        int(tables.nodes[0, 0]),
        names.turnaround,
    ]
    return OverlapTables(tables, np.array(rules, dtype=np.int64))


@njit(cache=True, error_model="numpy")
def _sizes(t, rules, requests):
    """Accesses, fills, drains, segments and the longest fill of a program."""
    accesses = fills = drains = segments = longest = 0
    for r in range(requests.shape[0]):
        issues = requests[r, 4] * requests[r, 5]
        if requests[r, 0] == rules[FILL_COMMAND]:
            fills += issues
            longest = max(longest, issues)
        elif requests[r, 0] == rules[DRAIN_COMMAND]:
            drains += issues
        elif requests[r, 4] > 0:
            accesses += issues
            segments += (requests[r, 3] + requests[r, 4] - 1) // t.scalars[COLUMNS] + 1
    return accesses, fills, drains, segments, longest


@njit(cache=True, error_model="numpy")
def _groups(rules, requests):
    """For each request that computes: its first access in its group; the group's accesses, results, first result.

    The last column says whether the group's results become complete together. A group lies between two drain requests.
    """
    count = requests.shape[0]
    groups = np.zeros((count + 1, 5), dtype=np.int64)
    begin = base = 0
    for r in range(count + 1):
        closes = r == count or (requests[r, 0] == rules[DRAIN_COMMAND] and requests[r, 4] > 0)
        if not closes:
            continue
        total = shared = 0
        for i in range(begin, r):
            if requests[i, 0] == rules[COMPUTE]:
                groups[i, 0] = total
                total += requests[i, 4] * requests[i, 5]
                shared |= requests[i, 5] > 1
        results = 1 if r == count else requests[r, 4]
        for i in range(begin, r + 1):
            groups[i, 1], groups[i, 2], groups[i, 3], groups[i, 4] = total, results, base, shared
        base += results
        begin = r + 1
    return groups, base


@njit(cache=True, error_model="numpy")
def _plan(t, rules, requests, row_base):
    """Segments of the accesses, and for each issue the issue of another stream that must precede it, or -1."""
    accesses, fills, drains, segments, longest = _sizes(t, rules, requests)
    groups, results = _groups(rules, requests)
    segment = np.empty((segments, SEGMENT), dtype=np.int64)
    access_fill = np.full(accesses, -1, dtype=np.int64)
    access_drain = np.full(accesses, -1, dtype=np.int64)
    fill_access = np.empty(fills, dtype=np.int64)
    fill_drain = np.full(fills, -1, dtype=np.int64)
    fill_begins = np.zeros(fills, dtype=np.bool_)
    batch = np.empty((requests.shape[0], 2), dtype=np.int64)
    drain_access = np.empty(drains, dtype=np.int64)
    writer = np.full(max(longest, 1), -1, dtype=np.int64)
    reader = np.full(max(longest, 1), -1, dtype=np.int64)
    drained = np.empty(results, dtype=np.int64)
    a = w = d = g = batches = 0
    period = position = group_begin = 0
    known = 0
    any_reader = last_compute = -1
    for r in range(requests.shape[0]):
        command, bank, row, column, count, repeat = requests[r]
        issues = count * repeat
        if command == rules[FILL_COMMAND]:
            if issues == 0:
                continue
            batch[batches, 0], batch[batches, 1] = a, issues
            batches += 1
            for c in range(issues):
                fill_access[w] = max(reader[c], any_reader)
                writer[c] = w
                w += 1
            period, position = issues, 0
            continue
        if command == rules[DRAIN_COMMAND]:
            made, shared = groups[r, 1], groups[r, 4]
            for q in range(count):
                complete = last_compute
                if made > 0 and shared == 0:
                    complete = group_begin + (((q + 1) * made + count - 1) // count) - 1
                    complete = _nth_compute(complete, group_begin, a, access_fill)
                for _ in range(repeat):
                    drain_access[d] = complete
                    d += 1
                drained[known] = d - 1
                known += 1
            continue
        left, line, place = count, row + row_base, column
        while left > 0:
            columns = min(left, t.scalars[COLUMNS] - place)
            segment[g, S_COMMAND], segment[g, S_BANK], segment[g, S_ROW] = command, bank, line
            segment[g, S_COLUMN], segment[g, S_COLUMNS], segment[g, S_TOTAL] = place, columns, columns * repeat
            g += 1
            left -= columns
            place = 0
            line += 1
        if command != rules[COMPUTE]:
            for _ in range(issues):
                access_fill[a] = -2  # needs data from outside
                a += 1
            continue
        first, made, own, base, shared = groups[r]
        if first == 0:
            group_begin = a
        for i in range(issues):
            if repeat > 1:
                any_reader = a
                access_fill[a] = w - 1
            elif period > 0:
                access_fill[a] = writer[position % period]
                reader[position % period] = a
            position += 1
            result = own - 1 if shared != 0 else (first + i) * own // made
            held = base + result - rules[ACCUMULATORS]
            if held >= 0:
                access_drain[a] = drained[held]
            last_compute = a
            a += 1
    w = 0
    for b in range(batches):
        begin, count = batch[b]
        first = -1
        for i in range(begin, min(begin + count + rules[TURNAROUND], accesses)):
            if access_drain[i] >= 0 and drain_access[access_drain[i]] < begin:
                first = max(first, access_drain[i])
        fill_drain[w : w + count] = first
        fill_begins[w] = True
        w += count
    return segment, access_fill, access_drain, fill_access, fill_drain, fill_begins, drain_access


@njit(cache=True, error_model="numpy", inline="always")
def _nth_compute(wanted, begin, end, access_fill):
    """The (wanted - begin)-th computing access from `begin` on; writes in between do not count."""
    number = begin - 1
    for i in range(begin, end):
        number += access_fill[i] != -2
        if number == wanted:
            return i
    return end - 1


@njit(cache=True, error_model="numpy")
def _play_channel(
    s, t, rules, requests, row_base, start, ready, since, members, tally, causes, drains, log, klass, record
):
    """Play one program on one state row; return the finish cycle. `causes` counts from cycle `since` on."""
    segment, access_fill, access_drain, fill_access, fill_drain, fill_begins, drain_access = _plan(
        t, rules, requests, row_base
    )
    accesses, fills, drain_count = access_fill.size, fill_access.size, drain_access.size
    access_at = np.empty(accesses, dtype=np.int64)
    fill_at = np.empty(fills, dtype=np.int64)
    fill_command, drain_command, compute = rules[FILL_COMMAND], rules[DRAIN_COMMAND], rules[COMPUTE]
    fill_before, compute_before = s[rules[NODE] + fill_command], s[rules[NODE] + compute]
    ready = max(ready, start)
    statistics = t.scalars[COMMANDS]
    finish = start
    cursor = np.array([since, 0, IO_CAUSE])
    last_cause = IO_CAUSE
    opened = refreshed = transferred = False
    steps = 0
    a = w = d = g = position = 0
    while a < accesses or w < fills or d < drain_count:
        best, stream = FOREVER, NOTHING
        step = -1
        late = False  # the access waits for data longer than for anything else
        drain_needed = a < accesses and access_drain[a] >= d
        fill_yields = drain_yields = False
        if w < fills and fill_access[w] < a and not fill_begins[w]:
            drain_yields = True
        elif drain_needed or (w < fills and fill_begins[w] and fill_drain[w] >= d):
            fill_yields = True
        elif a < accesses:
            drain_yields = access_fill[a] >= w
        fill_cycle = FOREVER
        if a < accesses:
            command, at = segment[g, S_COMMAND], max(segment[g, S_BANK], 0)
            step = _needed(s, t, command, at, segment[g, S_ROW])
            cycle = max(start, _earliest(s, t, step, at))
            if step == command:
                data = ready
                if command == compute:
                    if drain_needed or access_fill[a] >= w:
                        data = FOREVER
                    else:
                        data = (fill_at[access_fill[a]] if access_fill[a] >= 0 else fill_before) + rules[
                            FILL_TO_COMPUTE
                        ]
                late = data > cycle
                cycle = max(cycle, data)
            if cycle < FOREVER:
                best, stream = cycle, ACCESS
        if d < drain_count and not drain_yields and drain_access[d] < a:
            cycle = max(start, _earliest(s, t, drain_command, 0))
            if cycle < best:
                best, stream = cycle, DRAIN
        if w < fills and not fill_yields and fill_access[w] < a:
            reader = access_at[fill_access[w]] if fill_access[w] >= 0 else compute_before
            fill_cycle = max(ready, reader + rules[COMPUTE_TO_FILL], _earliest(s, t, fill_command, 0))
            if fill_cycle < best:
                best, stream = fill_cycle, FILL
        if stream == NOTHING:
            raise ValueError("no stream can go on")
        if best >= s[DUE]:
            steps += _refresh(s, t, tally, members, causes, cursor, log, klass, record)
            refreshed = True
            continue
        steps += 1
        if stream != ACCESS:
            command = drain_command if stream == DRAIN else fill_command
            _note(s, t, command, 0, best)
            tally[command] += members
            finish = max(finish, best + t.commands[command, DURATION])
            transferred = True
            if stream == DRAIN:
                drains[d] = best + t.commands[command, DURATION]
                d += 1
            else:
                fill_at[w] = best
                w += 1
            if record:
                _log(log, klass, best, command, -1, -1, -1, 1, 0, 1, 1)
            continue
        command, row = segment[g, S_COMMAND], segment[g, S_ROW]
        if step != command:
            _charge(causes, cursor, best, REFRESH_CAUSE if refreshed else ROW_CAUSE)
            _open_or_close(s, t, step, at, row, best, tally, members, log, klass, record)
            opened = True
            continue
        spacing, cause = t.commands[command, SPACING], t.commands[command, CAUSE]
        burst = 1
        if command == compute and t.commands[command, RING] < 0 and t.commands[command, AUTO] == 0:
            most = min(segment[g, S_TOTAL] - position, (s[DUE] - best + spacing - 1) // spacing)
            if w < fills:
                if fill_cycle < FOREVER:  # accesses up to the one in the fill's cycle, which goes first
                    most = min(most, (fill_cycle - best) // spacing + 1)
                elif fill_access[w] >= a:  # accesses up to the one for which the fill waits
                    most = min(most, fill_access[w] - a + 1)
            if d < drain_count and rules[KEEPS_DRAINS_OUT] == 0:
                most = min(most, 1 if drain_access[d] < a else drain_access[d] - a + 1)
            while burst < most:
                i = a + burst
                if access_fill[i] >= w or access_drain[i] >= d:
                    break
                if access_fill[i] >= 0 and fill_at[access_fill[i]] + rules[FILL_TO_COMPUTE] > best + burst * spacing:
                    break
                burst += 1
        final = best + (burst - 1) * spacing
        why = cause
        if refreshed:
            why = REFRESH_CAUSE
        elif late or (transferred and not opened):
            why = IO_CAUSE
        elif opened:
            why = ROW_CAUSE
        _charge(causes, cursor, best, why)
        causes[cause] += max(0, final - max(best, since))
        if final >= since:
            cursor[0], cursor[1], cursor[2] = final, spacing, cause
        last_cause = cause
        _note(s, t, command, at, final)
        if t.commands[command, AUTO]:
            _move_rows(s, t, command, at, -1, final, tally, members)
        block = t.commands[command, BLOCK]
        tally[command] += burst * members
        tally[statistics + ACCESSES] += burst * block * members
        tally[statistics + HITS] += (burst - 1 if opened else burst) * block * members
        finish = max(finish, final + t.commands[command, DURATION])
        if record:
            named = at if block < t.scalars[BANKS] else -1
            columns = segment[g, S_COLUMNS]
            _log(log, klass, best, command, named, row, segment[g, S_COLUMN], columns, position, burst, spacing)
        for i in range(burst):
            access_at[a + i] = best + i * spacing
        opened = refreshed = transferred = False
        a += burst
        position += burst
        if position == segment[g, S_TOTAL]:
            position = 0
            g += 1
    tally[statistics + STEPS] += steps
    _charge(causes, cursor, finish, IO_CAUSE if transferred else last_cause)
    return finish


@njit(cache=True, error_model="numpy")
def play_overlapped(
    states,
    class_of,
    t,
    rules,
    requests,
    offsets,
    program_of,
    row_base,
    start,
    ready,
    since,
    tally,
    causes,
    drains,
    log,
    record,
):
    """Play one program a channel; return the finish cycle of the last and the first cycle after every issue.

    `causes` receives the cycles from `since` to the finish of the channel that finishes last. `drains` receives the
    completion of each drain, one row per channel.
    """
    channels = class_of.size
    _regroup(states, class_of, t, program_of, start)
    finish, behind = start - 1, start
    scratch = np.zeros(len(CAUSES), dtype=np.int64)
    critical = np.zeros(len(CAUSES), dtype=np.int64)
    for c in range(channels):
        if class_of[c] != c:
            continue
        members = np.count_nonzero(class_of == c)
        scratch[:] = 0
        program = program_of[c]
        part = requests[offsets[program] : offsets[program + 1]]
        done = _play_channel(
            states[c], t, rules, part, row_base, start, ready, since, members, tally, scratch, drains[c], log, c, record
        )
        for other in range(c + 1, channels):
            if class_of[other] == c:
                drains[other] = drains[c]
        behind = max(behind, states[c, LAST_ISSUE] + 1)
        if done > finish:
            finish = done
            critical[:] = scratch
    causes += critical
    return finish, behind
