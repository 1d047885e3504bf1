"""The fast player: the rules of `reference.py` compiled by numba.

Two shortcuts, both exact. The accesses of a run to one open row have constant spacing, so they advance in closed form
(a refresh that falls due splits them). Channels whose programs and states are equal are played once.

Everywhere `s` is the channels' state, `r` the rules, `c` a channel and `page` its ledger.
"""

from __future__ import annotations

from hwsim.dram.device.bank_state import earliest, needed
from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import Fact, Kind
from hwsim.dram.in_order.arguments import player_of
from hwsim.dram.in_order.causes import Cause, Cursor, charge_wait
from hwsim.dram.in_order.classes import members, regroup
from hwsim.dram.in_order.issue import issue_run, name_bank, open_or_close, refresh_all
from hwsim.dram.in_order.ledger import NOT_NAMED, Run, add_page, begin_page, keep_slowest
from hwsim.dram.in_order.program import Field


@compiled
def play_package(player, requests, offsets, program_of, row_base, start):
    """Play one program a channel, all from cycle `start`; return the finish cycle of the last.

    `player` holds channels, rules and ledger (`arguments.plain`). The cycles by cause of the slowest channel add up to
    finish - start.
    """
    s, r, ledger = player_of(player)
    regroup(s, r.tables.reach, program_of, start)
    finish = start - 1
    for c in range(s.class_of.size):
        if s.class_of[c] != c:
            continue
        program = program_of[c]
        begin_page(ledger.page, start, Cause.ROW)
        done = _play_channel(s, r, c, requests[offsets[program] : offsets[program + 1]], row_base, start, ledger.page)
        add_page(ledger, members(s, c))
        if done > finish:
            finish = done
            keep_slowest(ledger)
    return finish


@compiled
def _play_channel(s, r, c, requests, row_base, start, page):
    finish = start
    for k in range(requests.shape[0]):
        finish = max(finish, _play_request(s, r, c, requests[k], row_base, start, page))
    charge_wait(page.causes, page.cursor, finish, page.cursor[Cursor.CAUSE])
    return finish


@inlined
def _play_request(s, r, c, request, row_base, start, page):
    """Play a request row by row; return the cycle in which it completes."""
    row, column, left = request[Field.ROW] + row_base, request[Field.COLUMN], request[Field.COUNT]
    finish = start
    while left > 0:
        columns = left
        if _has_row(r, request[Field.COMMAND]):
            columns = min(left, r.columns - column)
        finish = _sweep(s, r, c, request, row, column, columns, start, page)
        left -= columns
        column = 0
        row += 1
    return finish


@inlined
def _sweep(s, r, c, request, row, column, columns, start, page):
    """Play the accesses of a request to one row, `repeat` times over its columns."""
    command, bank = request[Field.COMMAND], max(request[Field.BANK], 0)
    total = columns * request[Field.REPEAT]
    named = name_bank(s, r, command, bank)
    if not _has_row(r, command):
        row, column = NOT_NAMED, NOT_NAMED
    spacing = r.tables.commands[command, Fact.SPACING]
    position, finish = 0, start
    while position < total:
        cycle, opened, refreshed = _prepare(s, r, c, command, bank, row, start, page)
        burst = _burst_length(s, r, c, command, cycle, total - position)
        run = Run(command, named, row, column, columns, position, burst, spacing)
        why = Cause.REFRESH if refreshed else Cause.ROW if opened else r.cause[command]
        charge_wait(page.causes, page.cursor, cycle, why)
        finish = issue_run(s, r, c, bank, cycle, run, opened, page)
        position += burst
    return finish


@inlined
def _has_row(r, command):
    return r.tables.commands[command, Fact.KIND] == Kind.COLUMN


@compiled
def _prepare(s, r, c, command, bank, row, start, page):
    """Issue what must come before a command.

    Returns
    -------
    The cycle in which the command can go, whether a row was opened for it, and whether a refresh came before it.
    """
    opened = refreshed = False
    while True:
        step = needed(s.banks, r.tables, c, command, bank, row) if _has_row(r, command) else command
        cycle = max(start, earliest(s.banks, r.tables, c, step, bank))
        if cycle >= s.due[c]:
            refresh_all(s, r, c, page)
            refreshed = True
            continue
        if step == command:
            return cycle, opened, refreshed
        charge_wait(page.causes, page.cursor, cycle, Cause.REFRESH if refreshed else Cause.ROW)
        open_or_close(s, r, c, step, bank, row, cycle, page)
        opened = True


@inlined
def _burst_length(s, r, c, command, cycle, most):
    """How many equally spaced issues from `cycle` on come before the next refresh falls due."""
    facts = r.tables.commands[command]
    if facts[Fact.WINDOWED] or facts[Fact.AUTO]:
        return 1
    return min(most, (s.due[c] - cycle + facts[Fact.SPACING] - 1) // facts[Fact.SPACING])
