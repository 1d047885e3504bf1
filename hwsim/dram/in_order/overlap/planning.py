"""Makes a plan: walks through the requests of a program once for each question that a plan answers.

Everywhere `p` is the plan of one program and `g` its streams.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.in_order.overlap.plan import NO_ISSUE, OUTSIDE, Group, Part, Plan, Scratch, Segment
from hwsim.dram.in_order.overlap.streams import Streams
from hwsim.dram.in_order.program import Field


@compiled
def make_plan(plan, scratch, streams, columns, requests, offsets):
    """Plan all programs; the arguments are plain tuples, `columns` are those of a row.

    Raises
    ------
    ValueError : more results wait to be read than there are accumulators
    """
    plan, scratch, g = Plan(*plan), Scratch(*scratch), Streams(*streams)
    for k in range(offsets.size - 1):
        own = requests[offsets[k] : offsets[k + 1]]
        p = plan_of(plan, k)
        _cut_into_rows(p, g, columns, own)
        _follow_buffer(p, g, own, scratch.writer, scratch.reader)
        _number_groups(scratch.groups, g, own)
        _follow_results(p, g, own, scratch.groups, scratch.drained)
        _hold_fills_back(p, g, own)


@inlined
def plan_of(plan, program):
    """The part of one program."""
    first, last = plan.offsets[program], plan.offsets[program + 1]
    return Plan(
        plan.offsets,
        plan.segments[first[Part.SEGMENT] : last[Part.SEGMENT]],
        plan.access_fill[first[Part.ACCESS] : last[Part.ACCESS]],
        plan.access_drain[first[Part.ACCESS] : last[Part.ACCESS]],
        plan.fill_access[first[Part.FILL] : last[Part.FILL]],
        plan.fill_drain[first[Part.FILL] : last[Part.FILL]],
        plan.fill_begins[first[Part.FILL] : last[Part.FILL]],
        plan.drain_access[first[Part.DRAIN] : last[Part.DRAIN]],
    )


@inlined
def _issues(request):
    return request[Field.COUNT] * request[Field.REPEAT]


@inlined
def _is_access(g, request):
    return request[Field.COMMAND] != g.fill and request[Field.COMMAND] != g.drain


@compiled
def _cut_into_rows(p, g, columns_per_row, requests):
    """The accesses as segments."""
    n = 0
    for k in range(requests.shape[0]):
        request = requests[k]
        if not _is_access(g, request):
            continue
        row, column, left = request[Field.ROW], request[Field.COLUMN], request[Field.COUNT]
        while left > 0:
            columns = min(left, columns_per_row - column)
            segment = p.segments[n]
            segment[Segment.COMMAND] = request[Field.COMMAND]
            segment[Segment.BANK] = max(request[Field.BANK], 0)
            segment[Segment.ROW] = row
            segment[Segment.COLUMN] = column
            segment[Segment.COLUMNS] = columns
            segment[Segment.ISSUES] = columns * request[Field.REPEAT]
            n += 1
            left -= columns
            row += 1
            column = 0


@compiled
def _follow_buffer(p, g, requests, writer, reader):
    """Which access reads which fill, and which fill overwrites what an access reads."""
    writer[:] = NO_ISSUE
    reader[:] = NO_ISSUE
    access = fill = period = column = 0
    any_reader = NO_ISSUE  # the last access that may have read any column
    for k in range(requests.shape[0]):
        command, issues = requests[k, Field.COMMAND], _issues(requests[k])
        if command == g.fill:
            if issues > 0:
                _overwrite(p, fill, issues, writer, reader, any_reader)
                fill += issues
                period, column = issues, 0
        elif command == g.compute and requests[k, Field.REPEAT] > 1:
            p.access_fill[access : access + issues] = fill - 1
            access += issues
            column = (column + issues) % max(period, 1)
            any_reader = access - 1 if issues > 0 else any_reader
        elif command == g.compute:
            column = _read(p, access, issues, writer, reader, period, column)
            access += issues
        elif command != g.drain:
            p.access_fill[access : access + issues] = OUTSIDE
            access += issues


@inlined
def _overwrite(p, fill, issues, writer, reader, any_reader):
    """Fill the columns of the buffer, beginning with the first."""
    p.fill_begins[fill] = True
    for column in range(issues):
        p.fill_access[fill + column] = max(reader[column], any_reader)
        writer[column] = fill + column


@inlined
def _read(p, access, issues, writer, reader, period, column):
    """Read a column with each access, cyclically; return the column that comes next."""
    if period == 0:
        return column
    for i in range(access, access + issues):
        p.access_fill[i] = writer[column]
        reader[column] = i
        column = column + 1 if column + 1 < period else 0
    return column


@compiled
def _number_groups(groups, g, requests):
    """Note for each request how much its group computes; the last group may have nobody to read it."""
    begin = base = 0
    for k in range(requests.shape[0] + 1):
        results = 1
        if k < requests.shape[0]:
            results = requests[k, Field.COUNT]
            if requests[k, Field.COMMAND] != g.drain or results == 0:
                continue
        _number_group(groups, g, requests, begin, k, results, base)
        base += results
        begin = k + 1


@inlined
def _number_group(groups, g, requests, begin, end, results, base):
    """Note what requests `begin` to `end` compute, of which the last reads the results."""
    accesses = shared = 0
    for k in range(begin, end):
        if requests[k, Field.COMMAND] == g.compute:
            groups[k, Group.FIRST] = accesses
            accesses += _issues(requests[k])
            shared |= requests[k, Field.REPEAT] > 1
    for k in range(begin, end + 1):
        groups[k, Group.ACCESSES] = accesses
        groups[k, Group.RESULTS] = results
        groups[k, Group.BASE] = base
        groups[k, Group.SHARED] = shared


@compiled
def _follow_results(p, g, requests, groups, drained):
    """Which access completes which result, and which drain frees the accumulator that an access needs."""
    access = drain = known = begin = 0
    last = NO_ISSUE  # access that computed
    for k in range(requests.shape[0]):
        command, issues = requests[k, Field.COMMAND], _issues(requests[k])
        if command == g.drain:
            _complete(p, requests[k], groups[k], begin, last, drain, drained, known)
            drain += issues
            known += requests[k, Field.COUNT]
        elif command == g.compute:
            if groups[k, Group.FIRST] == 0:
                begin = access
            _free(p, g, access, issues, groups[k], drained, known)
            access += issues
            last = access - 1 if issues > 0 else last
        elif command != g.fill:
            access += issues


@inlined
def _complete(p, request, group, begin, last, drain, drained, known):
    """For each drain of a request, the access that completes its result; the group computes from `begin` on.

    The group's accesses are divided equally among its results; writes between them do not count.
    """
    results, made = request[Field.COUNT], group[Group.ACCESSES]
    place, seen = begin - 1, 0
    for result in range(results):
        complete = last
        if made > 0 and group[Group.SHARED] == 0:
            while seen < ((result + 1) * made + results - 1) // results:
                place += 1
                seen += p.access_fill[place] != OUTSIDE
            complete = place
        for _ in range(request[Field.REPEAT]):
            p.drain_access[drain] = complete
            drain += 1
        drained[known + result] = drain - 1


@inlined
def _free(p, g, access, issues, group, drained, known):
    """For each access of a request, the drain that must have read its result's accumulator before."""
    for i in range(issues):
        result = group[Group.RESULTS] - 1
        if group[Group.SHARED] == 0:
            result = (group[Group.FIRST] + i) * group[Group.RESULTS] // group[Group.ACCESSES]
        held = group[Group.BASE] + result - g.accumulators
        if held >= known:
            raise ValueError("more results wait to be read than there are accumulators")
        if held >= 0:
            p.access_drain[access + i] = drained[held]


@compiled
def _hold_fills_back(p, g, requests):
    """Which drains go before a request's fills, so that the pins do not turn back at once."""
    access = fill = 0
    for k in range(requests.shape[0]):
        issues = _issues(requests[k])
        if requests[k, Field.COMMAND] == g.fill:
            p.fill_drain[fill : fill + issues] = _last_drain_before(p, access, issues + g.turnaround)
            fill += issues
        elif _is_access(g, requests[k]):
            access += issues


@inlined
def _last_drain_before(p, access, soon):
    """The last drain that any of the next `soon` accesses needs, of results that are complete before `access`."""
    last = NO_ISSUE
    for i in range(access, min(access + soon, p.access_drain.size)):
        drain = p.access_drain[i]
        if drain >= 0 and p.drain_access[drain] < access:
            last = max(last, drain)
    return last
