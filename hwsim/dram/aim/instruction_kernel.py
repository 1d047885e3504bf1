"""The requests of an AiM instruction in a channel, compiled.

They are served in order, so their times follow from earlier requests. After the first, columns of an open row have
constant spacing and advance in closed form, up to the next refresh.
"""

from __future__ import annotations

from hwsim.dram.aim.issue_kernel import FIRST_COLUMN, complete, issue, issue_run, needed, switch_mode
from hwsim.dram.aim.ledger_kernel import begin_busy
from hwsim.dram.aim.ordinary_kernel import let_leave
from hwsim.dram.aim.refresh_kernel import ANY_TIME, NO_LIMIT, refresh
from hwsim.dram.aim.state import Control
from hwsim.dram.aim.tables import Does
from hwsim.dram.device.bank_state import earliest
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import Fact


@compiled
def serve_instruction(s, t, c, log, now, code, count, bank, row):
    """Serve `count` requests of an instruction; return when the channel accepted the last of them."""
    first = let_leave(s, t, c, log, now)
    arrival = max(first, _place_free(s, t, c, 0))
    begin_busy(s.ledger, c, arrival)
    bound = max(arrival, s.control[c, Control.LAST_LEFT] + 1)
    access, depth = t.operations[code, Does.COMMAND], t.queue_depth
    spacing = t.device.commands[access, Fact.SPACING]
    # there is room for the last request once an earlier one has left, of an earlier instruction or of this one
    accepted = max(first, _place_free(s, t, c, count - 1)) if count <= depth else first
    done = FIRST_COLUMN
    while done < count:
        cycle = _prepare(s, t, c, log, code, bank, row, bound)
        part = min(count - done, max(1, (s.control[c, Control.DUE] - 1 - cycle) // spacing + 1))
        issue_run(s, t, c, log, access, bank, row, done, cycle, part, spacing)
        begin = max(done, count - depth)  # an earlier one's place is taken again by this instruction
        _note_left(s, t, c, begin, done + part, cycle + (begin - done) * spacing, spacing)
        makes_room = count - 1 - depth
        if done <= makes_room < done + part:
            accepted = max(first, cycle + (makes_room - done) * spacing + 1)
        done += part
        bound = cycle
    last = s.banks.last_issue[c]
    s.control[c, Control.OLDEST] = _place(s, t, c, count % depth)
    s.control[c, Control.LAST_LEFT] = last
    s.control[c, Control.NEXT] = last + 1
    complete(s, c, last + t.device.commands[access, Fact.DURATION], t.operations[code, Does.BLOCKING])
    return accepted


@compiled
def pass_barrier(s, t, c, log, now):
    """Send a barrier through a channel; return the cycle of its answer."""
    arrival = max(let_leave(s, t, c, log, now), _place_free(s, t, c, 0))
    left = max(arrival, s.control[c, Control.LAST_LEFT] + 1)
    s.control[c, Control.LAST_LEFT] = left
    s.control[c, Control.NEXT] = left + 1
    _note_left(s, t, c, 0, 1, left, 1)
    s.control[c, Control.OLDEST] = _place(s, t, c, 1 % t.queue_depth)
    answer = max(left + 1, s.control[c, Control.LAST_ANSWER] + 1, s.control[c, Control.LAST_FINISH] + 1)
    s.control[c, Control.LAST_ANSWER] = answer
    return answer


@inlined
def _place(s, t, c, later):
    """The place in `left` that is filled `later` requests after the next, fewer than there are places."""
    place = s.control[c, Control.OLDEST] + later
    return place - t.queue_depth if place >= t.queue_depth else place


@inlined
def _place_free(s, t, c, later):
    """When the place of a request is free: the one that had it before has left."""
    return s.left[c, _place(s, t, c, later)] + 1


@inlined
def _note_left(s, t, c, begin, end, cycle, spacing):
    """Requests `begin` to `end` of an instruction leave, the first at `cycle`."""
    place = _place(s, t, c, begin % t.queue_depth)
    for _ in range(begin, end):
        s.left[c, place] = cycle
        cycle += spacing
        place = place + 1 if place + 1 < t.queue_depth else 0


@inlined
def _prepare(s, t, c, log, code, bank, row, bound):
    """Issue the commands that a request needs first, and refreshes due before it; return its own command's cycle.

    A request for which a command was issued is not interrupted; otherwise refreshes of single banks could starve it.
    """
    access = t.operations[code, Does.COMMAND]
    begun = False
    while True:
        command = needed(s, t, c, access, bank, row)
        cycle = max(bound, earliest(s.banks, t.device, c, command, max(bank, 0)))
        if not begun and s.control[c, Control.DUE] <= cycle:
            refresh(s, t, c, log, ANY_TIME, NO_LIMIT)
            continue
        command = switch_mode(s, t, c, command, t.operations[code, Does.REGISTER])
        if command == access:
            break
        issue(s, t, c, log, command, bank, row, cycle)
        begun = True
    return cycle
