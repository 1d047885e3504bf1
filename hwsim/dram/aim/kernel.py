"""The fast player: the reference's rules compiled by numba, an instruction at a time instead of a cycle.

Three shortcuts, all exact. AiM requests are served in order, so their times follow from earlier requests and are known
when the host decodes them. The columns of an instruction after the first have constant spacing and advance in closed
form. Channels that every instruction so far has treated alike are one class, played once; an instruction that treats
them differently splits the class by copying its state. Only ordinary reads and writes, which are scheduled out of
order, are played event by event.
"""

from __future__ import annotations

from numba import njit

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, CODES
from hwsim.dram.aim.layout import (
    ACCOUNTED,
    ACTIVATE,
    ALL_BANKS,
    AUTO,
    BANKS,
    BARRIER,
    BLOCKING,
    BUSY,
    BUSY_UNTIL,
    CLASSES,
    CLOCK,
    CLOSE,
    COMMAND,
    COMMANDS,
    COUNTS_AT,
    DEPTH,
    DUE,
    DURATION,
    ENTRY,
    FIRST,
    FOREVER,
    FUNCTION,
    GAPS_AT,
    GROUP,
    INTERVAL,
    KIND,
    KIND_ACTIVATE,
    KIND_COLUMN,
    KIND_PRECHARGE,
    LAST,
    LAST_ANSWER,
    LAST_COMMAND,
    LAST_FINISH,
    LAST_ISSUE,
    LAST_LEFT,
    LATENCY,
    LOG_MARGIN,
    MEMBERS,
    NEVER,
    NEXT,
    NODE_BANKS,
    OPEN_BANKS,
    OPEN_CYCLES,
    OPEN_SINCE,
    OPENED,
    OPENED_AT,
    ORDINARY,
    PLACE,
    PRECHARGE,
    PREPARES,
    READ_AT,
    READS,
    REFRESH,
    REFRESHES,
    REGISTER,
    REGISTER_MODE,
    RING_AT,
    RING_BASE,
    ROWS,
    ROWS_AT,
    SPACING,
    TMOD,
    TURNS,
    WRITE_AT,
    WRITE_FIRST,
    WRITES,
)
from hwsim.dram.device.kernel_cache import find_cache_folder

find_cache_folder()

CODE_CFR = CODES["WR_CFR"]
CODE_AF = CODES["AF"]
CODE_READ = CODES["RD_SBK"]
CODE_WRITE = CODES["WR_SBK"]


@njit(cache=True, error_model="numpy")
def play(program, begin, states, host, log, tables):
    """Play instructions from `begin` on; return the next one to play (not the end if the log must be emptied first).

    `log[0, 0]` counts the entries, also those for which the log has no room; a log of one row records nothing.
    """
    for index in range(begin, program.shape[0]):
        if log.shape[0] > 1 and log[0, 0] + LOG_MARGIN > log.shape[0]:
            return index
        code, opsize, mask, bank, row = program[index]
        if code == CODE_CFR and bank == ACTIVATION_FUNCTION:
            host[FUNCTION] = row
        operation = tables.operations[code]
        now = host[CLOCK]
        done = now
        for c in range(host[CLASSES]):  # now and then, so that no instruction finds many overdue refreshes
            if not states[c, READS] + states[c, WRITES] + states[c, OPENED]:
                _catch_up(states[c], now - 1, log, tables)
        if operation[BARRIER]:
            for c in range(host[CLASSES]):
                done = max(done, _barrier(states[c], now, log, tables))
            for c in range(host[CLASSES]):
                _catch_up(states[c], done, log, tables)
                _settle(states[c], done, tables)
        elif operation[COMMAND] >= 0:
            if code == CODE_AF:
                row = tables.layout[ROWS] + host[FUNCTION]
            _split(states, host, mask)
            for c in range(host[CLASSES]):
                state = states[c]
                if not state[MEMBERS] & mask:
                    continue
                if operation[ORDINARY]:
                    accepted = _ordinary(state, now, operation[COMMAND], bank, row, log, tables)
                else:
                    accepted = _aim(state, now, operation, opsize, bank, row, log, tables)
                done = max(done, state[LAST_ANSWER] if operation[BLOCKING] else accepted)
        host[CLOCK] = done + 1
    return program.shape[0]


@njit(cache=True, error_model="numpy")
def _split(states, host, mask):
    """Split the classes of which the mask selects some members but not all."""
    for c in range(host[CLASSES]):
        inside = states[c, MEMBERS] & mask
        outside = states[c, MEMBERS] & ~mask
        if inside and outside:
            new = host[CLASSES]
            for place in range(states.shape[1]):
                states[new, place] = states[c, place]
            states[c, MEMBERS] = inside
            states[new, MEMBERS] = outside
            host[CLASSES] = new + 1


@njit(cache=True, error_model="numpy")
def _first_aim_cycle(state, now, log, tables):
    """When a channel takes AiM requests: once ordinary ones have left it."""
    if state[READS] + state[WRITES] + state[OPENED]:
        _serve(state, now, 0, 0, log, tables)
        if state[READS] + state[WRITES] + state[OPENED]:
            _serve(state, FOREVER, 0, 0, log, tables)
            return state[NEXT]
    _idle(state, now, log, tables)
    return now


@njit(cache=True, error_model="numpy")
def _idle(state, now, log, tables):
    """A cycle without any request switches the channel to writes; refreshes that fall due meanwhile are issued."""
    _catch_up(state, now - 1, log, tables)
    if now > state[NEXT]:
        state[WRITE_FIRST] = 1
        state[NEXT] = now


@njit(cache=True, error_model="numpy")
def _barrier(state, now, log, tables):
    """Send a barrier; return the cycle of its answer."""
    arrival = _first_aim_cycle(state, now, log, tables)
    depth = tables.layout[DEPTH]
    ring = tables.layout[RING_BASE]
    arrival = max(arrival, state[ring + state[RING_AT]] + 1)
    left = max(arrival, state[LAST_LEFT] + 1)
    state[LAST_LEFT] = left
    state[NEXT] = left + 1
    state[ring + state[RING_AT]] = left
    state[RING_AT] = (state[RING_AT] + 1) % depth
    answer = max(left + 1, state[LAST_ANSWER] + 1, state[LAST_FINISH] + 1)
    state[LAST_ANSWER] = answer
    return answer


@njit(cache=True, error_model="numpy")
def _settle(state, now, tables):
    """Account for the time up to a barrier's answer."""
    state[tables.layout[GAPS_AT] + tables.layout[COMMANDS]] += now - state[ACCOUNTED]
    state[ACCOUNTED] = now
    state[LAST_COMMAND] = -1


@njit(cache=True, error_model="numpy")
def _aim(state, now, operation, count, bank, row, log, tables):
    """Serve the requests of one AiM instruction; return when the channel accepted the last of them."""
    layout = tables.layout
    depth, ring = layout[DEPTH], layout[RING_BASE]
    first = _first_aim_cycle(state, now, log, tables)
    arrival = max(first, state[ring + state[RING_AT]] + 1)
    _begin_busy(state, arrival)
    bound = max(arrival, state[LAST_ISSUE] + 1, state[LAST_LEFT] + 1)
    final = operation[COMMAND]
    spacing = tables.commands[final, SPACING]
    # the channel has room for the last request once an earlier one has left, of an earlier instruction or of this one
    accepted = max(first, state[ring + (state[RING_AT] + count - 1) % depth] + 1) if count <= depth else first
    done = 0
    while done < count:
        cycle = _prepare(state, operation, bank, row, bound, log, tables)
        part = min(count - done, max(1, (state[DUE] - 1 - cycle) // spacing + 1))
        _issue(state, final, bank, row, done, cycle, part, spacing, log, tables)
        for i in range(max(done, count - depth), done + part):
            state[ring + (state[RING_AT] + i) % depth] = cycle + (i - done) * spacing
        if done <= count - 1 - depth < done + part:
            accepted = max(first, cycle + (count - 1 - depth - done) * spacing + 1)
        done += part
        bound = state[LAST_ISSUE] + 1
    last = state[LAST_ISSUE]
    state[RING_AT] = (state[RING_AT] + count) % depth
    state[LAST_LEFT] = last
    state[NEXT] = last + 1
    _finish(state, last + tables.commands[final, DURATION], operation[BLOCKING], count)
    return accepted


@njit(cache=True, error_model="numpy")
def _prepare(state, operation, bank, row, bound, log, tables):
    """Issue the commands that a request needs first, and refreshes due before it; return its own command's cycle.

    A request for which a command was issued is not interrupted; otherwise refreshes of single banks could starve it.
    """
    final = operation[COMMAND]
    begun = False
    while True:
        command = _needed(state, final, bank, row, tables)
        cycle = max(bound, _earliest(state, command, bank, tables))
        if not begun and state[DUE] <= cycle:
            _refresh(state, NEVER, FOREVER, log, tables)
            bound = max(bound, state[LAST_ISSUE] + 1)
            continue
        if operation[REGISTER] != state[REGISTER_MODE]:
            command = tables.layout[TMOD]
            state[REGISTER_MODE] = operation[REGISTER]
        if command == final:
            return cycle
        _issue(state, command, bank, row, 0, cycle, 1, 1, log, tables)
        begun = True
        bound = cycle + 1


@njit(cache=True, error_model="numpy")
def _catch_up(state, until, log, tables):
    """Refresh a channel without requests up to and in cycle `until`."""
    while state[DUE] <= until:
        if not _refresh(state, NEVER, until, log, tables):
            return


@njit(cache=True, error_model="numpy")
def _refresh(state, since, until, log, tables):
    """Issue the next command of the refresh that is due, not before `since`, and not if it would come after `until`."""
    rule = tables.refresh
    command, bank, opened = rule[REFRESH], -1, state[OPEN_BANKS] > 0
    k, group = state[REFRESHES], rule[GROUP]
    if rule[TURNS] > 1:
        bank, opened = k % rule[TURNS], False
        for other in range(k, (k // group + 1) * group):  # all banks due together are closed first
            if not opened and state[tables.layout[ROWS_AT] + other % rule[TURNS]] >= 0:
                bank, opened = other % rule[TURNS], True
    if opened:
        command = rule[CLOSE]
    cycle = max(since, state[DUE], state[LAST_ISSUE] + 1, _earliest(state, command, bank, tables))
    if cycle > until:
        return False
    if state[REGISTER_MODE]:
        command = tables.layout[TMOD]
        state[REGISTER_MODE] = 0
    _issue(state, command, bank, -1, 0, cycle, 1, 1, log, tables)
    if command == rule[REFRESH]:
        state[REFRESHES] = k + 1
        if (k + 1) % group == 0:
            # times may count from any cycle, so only differences are known
            state[DUE] += (k + 1 + group) * rule[INTERVAL] // rule[TURNS] - (k + 1) * rule[INTERVAL] // rule[TURNS]
    return True


@njit(cache=True, error_model="numpy")
def _ordinary(state, now, final, bank, row, log, tables):
    """Hand an ordinary read or write to the channel; return when it was accepted."""
    layout = tables.layout
    reads = final == tables.operations[CODE_READ, COMMAND]
    kind = READS if reads else WRITES
    cycle = max(now, state[LAST_LEFT] + 1)  # AiM requests leave first
    if state[READS] + state[WRITES] + state[OPENED]:
        _serve(state, cycle, 0, 0, log, tables)
        if state[kind] == layout[DEPTH]:
            _serve(state, FOREVER, kind, layout[DEPTH], log, tables)
            cycle = state[NEXT]
    if not state[READS] + state[WRITES] + state[OPENED]:
        _idle(state, cycle, log, tables)
        _begin_busy(state, cycle)  # while requests wait, `_finish` adds the time
    at = (layout[READ_AT] if reads else layout[WRITE_AT]) + state[kind] * ENTRY
    state[at] = bank
    state[at + 1] = row
    state[at + 2] = cycle
    state[at + 3] = reads
    state[kind] += 1
    return cycle


@njit(cache=True, error_model="numpy")
def _serve(state, until, kind, below, log, tables):
    """Play ordinary requests until cycle `until`, or until none is left, or until `kind` has room."""
    layout = tables.layout
    while state[NEXT] < until and state[READS] + state[WRITES] + state[OPENED]:
        if kind and state[kind] < below:
            return
        cycle = state[NEXT]
        refresh = state[DUE] <= cycle
        if refresh and not state[OPENED]:
            done = _refresh(state, cycle, until - 1, log, tables)
            state[NEXT] = state[LAST_ISSUE] + 1 if done else until
            continue
        base, size = layout[OPENED_AT], OPENED
        chosen, ready, soonest = _best(state, base, size, cycle, tables)
        wake = soonest if refresh else min(soonest, state[DUE])
        if not ready and not refresh:
            if state[WRITE_FIRST]:
                state[WRITE_FIRST] = not (10 * state[WRITES] < 2 * layout[DEPTH] and state[READS] > 0)
            else:
                state[WRITE_FIRST] = 10 * state[WRITES] > 8 * layout[DEPTH] or state[READS] == 0
            size = WRITES if state[WRITE_FIRST] else READS
            base = layout[WRITE_AT] if state[WRITE_FIRST] else layout[READ_AT]
            chosen, ready, soonest = _best(state, base, size, cycle, tables)
            wake = min(wake, soonest)
            if ready and _blocked(state, base + chosen * ENTRY, tables):
                ready = False
        if ready:
            _advance(state, base, size, chosen, cycle, log, tables)
            state[NEXT] = cycle + 1
        else:
            state[NEXT] = min(wake, until)


@njit(cache=True, error_model="numpy")
def _best(state, base, size, cycle, tables):
    """The request of a buffer that goes first, whether it is ready, and when another one becomes ready."""
    chosen, chosen_ready, soonest = -1, False, FOREVER
    for i in range(state[size]):
        at = base + i * ENTRY
        command = _needed(state, _final(state[at + 3], tables), state[at], state[at + 1], tables)
        earliest = _earliest(state, command, state[at], tables)
        ready = earliest <= cycle
        if not ready:
            soonest = min(soonest, earliest)
        older = chosen >= 0 and state[at + 2] < state[base + chosen * ENTRY + 2]
        if chosen < 0 or (ready and not chosen_ready) or (ready == chosen_ready and older):
            chosen, chosen_ready = i, ready
    return chosen, chosen_ready, soonest


@njit(cache=True, error_model="numpy")
def _final(reads, tables):
    return tables.operations[CODE_READ if reads else CODE_WRITE, COMMAND]


@njit(cache=True, error_model="numpy")
def _blocked(state, at, tables):
    """Whether a request would close a row that was opened for another."""
    command = _needed(state, _final(state[at + 3], tables), state[at], state[at + 1], tables)
    if tables.commands[command, KIND] != KIND_PRECHARGE:
        return False
    blocked = False
    for i in range(state[OPENED]):
        blocked |= state[tables.layout[OPENED_AT] + i * ENTRY] == state[at]
    return blocked


@njit(cache=True, error_model="numpy")
def _advance(state, base, size, chosen, cycle, log, tables):
    """Issue the next command of an ordinary request."""
    layout = tables.layout
    at = base + chosen * ENTRY
    bank, row, arrival, reads = state[at], state[at + 1], state[at + 2], state[at + 3]
    final = _final(reads, tables)
    command = _needed(state, final, bank, row, tables)
    if state[REGISTER_MODE]:
        command = layout[TMOD]
        state[REGISTER_MODE] = 0
    _issue(state, command, bank, row, 0, cycle, 1, 1, log, tables)
    opens = tables.commands[command, KIND] == KIND_ACTIVATE
    if command != final and not opens:
        return
    for place in range(at, base + (state[size] - 1) * ENTRY):
        state[place] = state[place + ENTRY]
    state[size] -= 1
    if opens:
        to = layout[OPENED_AT] + state[OPENED] * ENTRY
        state[to] = bank
        state[to + 1] = row
        state[to + 2] = arrival
        state[to + 3] = reads
        state[OPENED] += 1
    else:
        _finish(state, cycle + tables.commands[final, DURATION], reads, 1)


@njit(cache=True, error_model="numpy")
def _begin_busy(state, cycle):
    if cycle >= state[BUSY_UNTIL]:
        state[BUSY] += 1
        state[BUSY_UNTIL] = cycle + 1


@njit(cache=True, error_model="numpy")
def _finish(state, end, answers, count):
    """Record the completion of requests: reads are answered in order, one a cycle."""
    if end > state[BUSY_UNTIL]:
        state[BUSY] += end - state[BUSY_UNTIL]
        state[BUSY_UNTIL] = end
    if answers:
        state[LAST_ANSWER] = max(end, state[LAST_ANSWER] + 1)
    else:
        state[LAST_FINISH] = max(end, state[LAST_FINISH])


@njit(cache=True, error_model="numpy")
def _needed(state, final, bank, row, tables):
    """The command that a request needs next."""
    facts = tables.commands[final]
    if facts[KIND] != KIND_COLUMN:
        return final
    rows = tables.layout[ROWS_AT]
    begin, end = rows + bank, rows + bank + 1
    if facts[ALL_BANKS]:
        begin, end = rows, rows + tables.layout[BANKS]
    closed = False
    for at in range(begin, end):
        if state[at] < 0:
            closed = True
        elif state[at] != row:
            return facts[PRECHARGE]
    return facts[ACTIVATE] if closed else final


@njit(cache=True, error_model="numpy")
def _earliest(state, command, bank, tables):
    waits = tables.constraints
    commands = tables.layout[COMMANDS]
    bound = NEVER
    for i in range(tables.commands[command, FIRST], tables.commands[command, LAST]):
        place = waits[i, PLACE]
        if bank > 0:
            place += bank // waits[i, NODE_BANKS] * commands
        bound = max(bound, state[place] + waits[i, LATENCY])
    return bound


@njit(cache=True, error_model="numpy")
def _issue(state, command, bank, row, column, cycle, count, spacing, log, tables):
    """Record `count` issues of a command in the state and the log, the first at `cycle`."""
    layout = tables.layout
    facts = tables.commands[command]
    last = cycle + (count - 1) * spacing
    state[LAST_ISSUE] = last
    state[layout[COUNTS_AT] + command] += count
    behind = state[LAST_COMMAND]
    charged = behind if behind >= 0 and tables.commands[behind, PREPARES] else command
    state[layout[GAPS_AT] + charged] += cycle - state[ACCOUNTED]
    state[layout[GAPS_AT] + command] += last - cycle
    state[ACCOUNTED] = last
    state[LAST_COMMAND] = command
    levels = 1 if facts[ALL_BANKS] else tables.levels.shape[0]
    for i in range(levels):
        node = max(bank, 0) // tables.levels[i, 1]
        state[tables.levels[i, 0] + node * layout[COMMANDS] + command] = last
    if facts[KIND] == KIND_ACTIVATE or facts[KIND] == KIND_PRECHARGE or facts[AUTO]:
        _set_open(state, facts, bank, row if facts[KIND] == KIND_ACTIVATE else -1, last, layout)
    if log.shape[0] > 1:
        log[0, 0] += 1
        if log[0, 0] >= log.shape[0]:
            return
        entry = log[log[0, 0]]
        entry[0] = state[MEMBERS]
        entry[1] = cycle
        entry[2] = command
        entry[3] = -1 if facts[ALL_BANKS] else bank
        entry[4] = row if facts[KIND] == KIND_ACTIVATE or facts[KIND] == KIND_COLUMN else -1
        entry[5] = column if facts[KIND] == KIND_COLUMN else -1
        entry[6] = count
        entry[7] = spacing


@njit(cache=True, error_model="numpy")
def _set_open(state, facts, bank, row, cycle, layout):
    begin, end = (0, layout[BANKS]) if facts[ALL_BANKS] else (bank, bank + 1)
    for b in range(begin, end):
        state[OPEN_BANKS] += (row >= 0) - (state[layout[ROWS_AT] + b] >= 0)
        state[layout[ROWS_AT] + b] = row
    if state[OPEN_BANKS] and state[OPEN_SINCE] < 0:
        state[OPEN_SINCE] = cycle
    elif not state[OPEN_BANKS] and state[OPEN_SINCE] >= 0:
        state[OPEN_CYCLES] += cycle - state[OPEN_SINCE]
        state[OPEN_SINCE] = -1
