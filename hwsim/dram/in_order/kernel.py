"""The fast player: the reference's rules compiled by numba over flat integer tables.

Two shortcuts, both exact. The accesses of a run to one open row have constant spacing, so they advance in closed form
(a refresh that falls due splits them). Channels whose programs and states are equal are played once; `members` is the
weight of their counts.

A channel's state is one row of integers, so that states can be copied and compared whole:
[last issue, refresh due, open banks, row open in all banks, open row per bank, last issue per (node, command),
history per (node, windowed command)].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hwsim.dram.device.kernel_cache import find_cache_folder
from hwsim.dram.device.standard import Standard

find_cache_folder()

Ints = NDArray[np.int64]

NEVER = -(1 << 60)
# State.
LAST_ISSUE, DUE, OPEN_BANKS, COMMON_ROW, OPEN_ROWS = range(5)
# Columns of Tables.commands.
KIND, BLOCK, ACTIVATE, PRECHARGE, AUTO, DURATION, CAUSE, SPACING, RING, RING_LENGTH, FIRST, LAST = range(12)
KINDS = {"activate": 0, "precharge": 1, "column": 2, "register": 3, "refresh": 4, "other": 5}
KIND_ACTIVATE, KIND_PRECHARGE, KIND_COLUMN = 0, 1, 2
# Columns of Tables.constraints.
PLACE, LATENCY, LEVEL, PRECEDING, WINDOW = range(5)
# Tables.scalars.
COMMANDS, BANKS, COLUMNS, RING_BASE, RING_STRIDE, FIRST_TIME, REFRESH, REFRESH_PRECHARGE, INTERVAL, REACH = range(10)
# Causes to which the cycles of a play are charged; see `_charge`.
CAUSES = ("compute", "row", "write", "io", "refresh")
COMPUTE_CAUSE, ROW_CAUSE, WRITE_CAUSE, IO_CAUSE, REFRESH_CAUSE = range(5)
# The tally: issues per command, then these.
# `open_channel` gets +cycle when the last row of a channel closes and -cycle when the first opens; `open_banks` does so
# for every row. Adding the current time for what is still open gives the time that rows were open.
STATISTICS = ("column_accesses", "row_hits", "steps", "open_channel", "open_banks")
ACCESSES, HITS, STEPS, OPEN_CHANNEL, OPEN_BANK = range(5)
# Log entries: class, cycle, command, bank, row, first column, columns of the sweep, position, count, spacing.
# Entry 0 holds the number of entries that would have been written.
LOG_FIELDS = 10
LOG_CLASS, LOG_CYCLE, LOG_COMMAND, LOG_BANK = range(4)
LOG_COUNT, LOG_SPACING = 8, 9


class Tables(NamedTuple):
    """A standard as flat arrays.

    Attributes
    ----------
    commands : (commands, 12) properties of a command; FIRST and LAST delimit its constraints
    constraints : (n, 5) grouped by the following command; PLACE is the place of bank 0's past issue in the state, which
        is all that an all-bank command needs
    nodes : (levels, banks) place of a bank's node in the state
    level_banks : (levels,) banks in a node
    scalars : (10,)
    """

    commands: Ints
    constraints: Ints
    nodes: Ints
    level_banks: Ints
    scalars: Ints


def compile_tables(standard: Standard) -> Tables:
    """Flatten a standard for the kernel."""
    index = {name: i for i, name in enumerate(standard.commands)}
    usable = [c for c in standard.constraints if standard.shares_node(c)]
    level_banks = [standard.banks_below(level) for level in standard.level_names]
    first_time = OPEN_ROWS + standard.banks

    nodes, place = [], first_time
    for banks in level_banks:
        nodes.append([place + bank // banks * len(index) for bank in range(standard.banks)])
        place += standard.banks // banks * len(index)

    commands: list[list[int]] = []
    constraints: list[tuple[int, int, int, int]] = []
    stride = 0
    for name, command in standard.commands.items():
        longest = max((c.window for c in usable if c.preceding == name), default=1)
        own = [c.latency for c in usable if c.preceding == c.following == name and c.window == 1]
        waits = [
            (standard.level_names.index(c.level), index[c.preceding], c.latency, c.window)
            for c in usable
            if c.following == name
        ]
        commands.append(
            [
                KINDS[command.kind],
                standard.banks_below(command.scope),
                index.get(command.activate or "", -1),
                index.get(command.precharge or "", -1),
                int(command.auto_precharge),
                command.duration,
                _cause(command.kind, command.access),
                max(own, default=1),
                stride if longest > 1 else -1,
                longest,
                len(constraints),
                len(constraints) + len(waits),
            ]
        )
        constraints += waits
        stride += longest if longest > 1 else 0

    refresh = standard.refresh
    scalars = [
        len(index),
        standard.banks,
        standard.columns,
        place,
        stride,
        first_time,
        index[refresh.command] if refresh else -1,
        index[refresh.precharge] if refresh else -1,
        refresh.interval if refresh else 0,
        max((c.latency for c in usable), default=0),
    ]
    return Tables(
        commands=_ints(commands),
        constraints=_with_places(constraints, commands, nodes, scalars),
        nodes=_ints(nodes),
        level_banks=_ints(level_banks),
        scalars=_ints(scalars),
    )


def _with_places(
    constraints: list[tuple[int, int, int, int]], commands: list[list[int]], nodes: list[list[int]], scalars: list[int]
) -> Ints:
    """Put the place of bank 0's past issue before each (level, preceding, latency, window)."""
    rows = []
    for level, preceding, latency, window in constraints:
        node = nodes[level][0]
        number = (node - scalars[FIRST_TIME]) // scalars[COMMANDS]
        history = scalars[RING_BASE] + number * scalars[RING_STRIDE] + commands[preceding][RING] + window - 1
        rows.append((node + preceding if window == 1 else history, latency, level, preceding, window))
    return _ints(rows).reshape(-1, 5)


def new_states(standard: Standard, tables: Tables, channels: int, first_refresh: int | None) -> Ints:
    """State rows of `channels` idle channels with all banks closed."""
    count = sum(standard.banks // int(banks) for banks in tables.level_banks)
    width = int(tables.scalars[RING_BASE]) + int(tables.scalars[RING_STRIDE]) * count
    states = np.full((channels, width), NEVER, dtype=np.int64)
    states[:, OPEN_BANKS] = 0
    states[:, COMMON_ROW : OPEN_ROWS + standard.banks] = -1
    if standard.refresh:
        states[:, DUE] = standard.refresh.interval if first_refresh is None else first_refresh
    else:
        states[:, DUE] = -NEVER
    return states


def _cause(kind: str, access: str | None) -> int:
    if kind == "refresh":
        return REFRESH_CAUSE
    if kind == "register" or access == "read":
        return IO_CAUSE
    return {"compute": COMPUTE_CAUSE, "write": WRITE_CAUSE}.get(access or "", ROW_CAUSE)


def _ints(values: Iterable[object]) -> Ints:
    return np.array(list(values), dtype=np.int64)


@njit(cache=True, error_model="numpy", inline="always")
def _earliest(s, t, command, bank):
    """First cycle that the bus and every constraint of the table allow."""
    bound = s[LAST_ISSUE] + 1
    if t.commands[command, BLOCK] == t.scalars[BANKS]:
        for k in range(t.commands[command, FIRST], t.commands[command, LAST]):
            bound = max(bound, s[t.constraints[k, PLACE]] + t.constraints[k, LATENCY])
        return bound
    for k in range(t.commands[command, FIRST], t.commands[command, LAST]):
        row = t.constraints[k]
        node = t.nodes[row[LEVEL], bank]
        last = s[node + row[PRECEDING]]
        if row[WINDOW] != 1:
            last = s[_history(t, node, row[PRECEDING]) + row[WINDOW] - 1]
        bound = max(bound, last + row[LATENCY])
    return bound


@njit(cache=True, error_model="numpy", inline="always")
def _history(t, node, command):
    """Place of a windowed command's past issues in a node."""
    number = (node - t.scalars[FIRST_TIME]) // t.scalars[COMMANDS]
    return t.scalars[RING_BASE] + number * t.scalars[RING_STRIDE] + t.commands[command, RING]


@njit(cache=True, error_model="numpy", inline="always")
def _note(s, t, command, bank, cycle):
    """Record an issue in every node of the command's path."""
    block = t.commands[command, BLOCK]
    for level in range(t.level_banks.size):
        if t.level_banks[level] < block:
            break
        node = t.nodes[level, bank]
        s[node + command] = cycle
        if t.commands[command, RING] >= 0:
            past = _history(t, node, command)
            for i in range(t.commands[command, RING_LENGTH] - 1, 0, -1):
                s[past + i] = s[past + i - 1]
            s[past] = cycle
    s[LAST_ISSUE] = cycle


@njit(cache=True, error_model="numpy", inline="always")
def _set_rows(s, t, command, bank, row):
    """Open `row` in the banks that a command covers, or close them (-1)."""
    block = t.commands[command, BLOCK]
    if block == t.scalars[BANKS]:
        for b in range(OPEN_ROWS, OPEN_ROWS + block):
            s[b] = row
        s[COMMON_ROW] = row
        s[OPEN_BANKS] = block if row >= 0 else 0
        return
    first = bank // block * block
    for b in range(OPEN_ROWS + first, OPEN_ROWS + first + block):
        s[OPEN_BANKS] += (row >= 0) - (s[b] >= 0)
        s[b] = row
    common = s[OPEN_ROWS]
    for b in range(OPEN_ROWS + 1, OPEN_ROWS + t.scalars[BANKS]):
        if s[b] != common:
            common = -1
            break
    s[COMMON_ROW] = common


@njit(cache=True, error_model="numpy", inline="always")
def _move_rows(s, t, command, bank, row, cycle, tally, members):
    """`_set_rows` at a cycle, and record in the tally how long rows are open."""
    before = s[OPEN_BANKS]
    _set_rows(s, t, command, bank, row)
    closed = before - s[OPEN_BANKS]
    tally[t.scalars[COMMANDS] + OPEN_BANK] += closed * cycle * members
    if (before > 0) != (s[OPEN_BANKS] > 0):
        tally[t.scalars[COMMANDS] + OPEN_CHANNEL] += cycle * members if closed > 0 else -cycle * members


@njit(cache=True, error_model="numpy", inline="always")
def _needed(s, t, command, bank, row):
    """The next command that a column access needs: its precharge, its activate, or the access itself."""
    block = t.commands[command, BLOCK]
    if block == t.scalars[BANKS]:
        if s[COMMON_ROW] == row:
            return command
        any_open = s[OPEN_BANKS] > 0
    else:
        first = OPEN_ROWS + bank // block * block
        ready = True
        any_open = False
        for b in range(first, first + block):
            ready = ready and s[b] == row
            any_open = any_open or s[b] >= 0
        if ready:
            return command
    return t.commands[command, PRECHARGE] if any_open else t.commands[command, ACTIVATE]


@njit(cache=True, error_model="numpy", inline="always")
def _log(log, klass, cycle, command, bank, row, column, columns, position, count, spacing):
    log[0, 0] += 1
    place = log[0, 0]
    if place < log.shape[0]:
        entry = log[place]
        entry[0], entry[1], entry[2], entry[3], entry[4] = klass, cycle, command, bank, row
        entry[5], entry[6], entry[7], entry[8], entry[9] = column, columns, position, count, spacing


@njit(cache=True, error_model="numpy", inline="always")
def _charge(causes, cursor, cycle, cause):
    """Charge the cycles since the last issue: the slot of that command to its own cause, the wait to `cause`.

    `cursor` holds [last cycle charged, slot still owed, cause of that slot].
    """
    elapsed = cycle - cursor[0]
    if elapsed <= 0:
        return
    own = min(elapsed, cursor[1])
    causes[cursor[2]] += own
    causes[cause] += elapsed - own
    cursor[0] = cycle
    cursor[1] = 0


@njit(cache=True, error_model="numpy", inline="always")
def _open_or_close(s, t, command, bank, row, cycle, tally, members, log, klass, record):
    """Issue the activate or precharge that an access to `row` needs first."""
    row = row if t.commands[command, KIND] == KIND_ACTIVATE else -1
    _note(s, t, command, bank, cycle)
    _move_rows(s, t, command, bank, row, cycle, tally, members)
    tally[command] += members
    if record:
        named = bank if t.commands[command, BLOCK] < t.scalars[BANKS] else -1
        _log(log, klass, cycle, command, named, row, -1, 1, 0, 1, 1)


@njit(cache=True, error_model="numpy")
def _refresh(s, t, tally, members, causes, cursor, log, klass, record):
    """Close all banks and refresh as soon as a refresh is due; return the steps taken."""
    steps = 1
    if s[OPEN_BANKS] > 0:
        pre = t.scalars[REFRESH_PRECHARGE]
        cycle = max(s[DUE], _earliest(s, t, pre, 0))
        _note(s, t, pre, 0, cycle)
        _move_rows(s, t, pre, 0, -1, cycle, tally, members)
        _charge(causes, cursor, cycle, REFRESH_CAUSE)
        tally[pre] += members
        steps = 2
        if record:
            _log(log, klass, cycle, pre, -1, -1, -1, 1, 0, 1, 1)
    refresh = t.scalars[REFRESH]
    cycle = max(s[DUE], _earliest(s, t, refresh, 0))
    _note(s, t, refresh, 0, cycle)
    _charge(causes, cursor, cycle, REFRESH_CAUSE)
    tally[refresh] += members
    if record:
        _log(log, klass, cycle, refresh, -1, -1, -1, 1, 0, 1, 1)
    s[DUE] += t.scalars[INTERVAL]
    return steps


@njit(cache=True, error_model="numpy")
def _play_channel(s, t, requests, row_base, start, members, tally, causes, log, klass, record):
    """Play one program on one state row; return the finish cycle."""
    finish = start
    statistics = t.scalars[COMMANDS]
    columns_per_row = t.scalars[COLUMNS]
    cursor = np.array([start, 0, ROW_CAUSE])
    last_cause = ROW_CAUSE
    refreshed = False
    steps = 0
    for r in range(requests.shape[0]):
        command, bank, row, column, count, repeat = requests[r]
        is_column = t.commands[command, KIND] == KIND_COLUMN
        block = t.commands[command, BLOCK]
        spacing = t.commands[command, SPACING]
        cause = t.commands[command, CAUSE]
        single = t.commands[command, RING] >= 0 or t.commands[command, AUTO] != 0
        at = max(bank, 0)
        row += row_base
        remaining = count
        while remaining > 0:
            columns = min(remaining, columns_per_row - column) if is_column else remaining
            total = columns * repeat
            position = 0
            opened = False
            while position < total:
                step = _needed(s, t, command, at, row) if is_column else command
                cycle = max(start, _earliest(s, t, step, at))
                if cycle >= s[DUE]:
                    steps += _refresh(s, t, tally, members, causes, cursor, log, klass, record)
                    refreshed = True
                    continue
                steps += 1
                if step != command:
                    _charge(causes, cursor, cycle, REFRESH_CAUSE if refreshed else ROW_CAUSE)
                    _open_or_close(s, t, step, at, row, cycle, tally, members, log, klass, record)
                    opened = True
                    continue
                # accesses that would be issued at or after the time of the next refresh wait for it
                burst = 1 if single else min(total - position, (s[DUE] - cycle + spacing - 1) // spacing)
                final = cycle + (burst - 1) * spacing
                _charge(causes, cursor, cycle, REFRESH_CAUSE if refreshed else (ROW_CAUSE if opened else cause))
                causes[cause] += final - cycle
                cursor[0], cursor[1], cursor[2] = final, spacing, cause
                last_cause = cause
                _note(s, t, command, at, final)
                if t.commands[command, AUTO]:
                    _move_rows(s, t, command, at, -1, final, tally, members)
                tally[command] += burst * members
                if is_column:
                    tally[statistics + ACCESSES] += burst * block * members
                    tally[statistics + HITS] += (burst - 1 if opened else burst) * block * members
                finish = max(finish, final + t.commands[command, DURATION])
                if record:
                    place = column if is_column else -1
                    named = bank if block < t.scalars[BANKS] else -1
                    _log(
                        log,
                        klass,
                        cycle,
                        command,
                        named,
                        row if is_column else -1,
                        place,
                        columns,
                        position,
                        burst,
                        spacing,
                    )
                opened = False
                refreshed = False
                position += burst
            remaining -= columns
            column = 0
            row += 1
    tally[statistics + STEPS] += steps
    _charge(causes, cursor, finish, last_cause)
    return finish


@njit(cache=True, error_model="numpy")
def _merge(states, class_of, first_time, horizon):
    """Merge channels whose states can no longer be distinguished into one class."""
    channels = class_of.size
    for a in range(channels):
        if class_of[a] != a:
            continue
        for b in range(a + 1, channels):
            if class_of[b] != b:
                continue
            equal = True
            for i in range(states.shape[1]):
                x, y = states[a, i], states[b, i]
                if x == y:
                    continue
                # an issue that is too long ago for any constraint counts as none
                timed = i >= first_time or i == LAST_ISSUE
                if not (timed and x <= horizon and y <= horizon):
                    equal = False
                    break
            if equal:
                for c in range(channels):
                    if class_of[c] == b:
                        class_of[c] = a


@njit(cache=True, error_model="numpy")
def _split(states, class_of, program_of):
    """Put channels that are about to play different programs into different classes."""
    channels = class_of.size
    old = class_of.copy()
    for c in range(channels):
        class_of[c] = c
        for d in range(c):
            if old[d] == old[c] and program_of[d] == program_of[c]:
                class_of[c] = class_of[d]
                break
    # a class uses the row of its first channel; going backwards, no row is overwritten before it is copied
    for c in range(channels - 1, -1, -1):
        if class_of[c] == c and old[c] != c:
            states[c] = states[old[c]]


@njit(cache=True, error_model="numpy")
def _regroup(states, class_of, t, program_of, start):
    """Before programs are played from cycle `start` on, put channels with equal state and program into one class."""
    for c in range(1, class_of.size):
        if class_of[c] != class_of[0] or program_of[c] != program_of[0]:
            _merge(states, class_of, t.scalars[FIRST_TIME], min(start, states[0, DUE]) - t.scalars[REACH] - 1)
            _split(states, class_of, program_of)
            return


@njit(cache=True, error_model="numpy")
def play_package(states, class_of, t, requests, offsets, program_of, row_base, start, tally, causes, log, record):
    """Play one program a channel, all from cycle `start`; return the finish cycle of the last.

    `causes` receives the cycles of the channel that finishes last; they add up to finish - start.
    """
    channels = class_of.size
    _regroup(states, class_of, t, program_of, start)
    finish = start - 1
    scratch = np.zeros(len(CAUSES), dtype=np.int64)
    critical = np.zeros(len(CAUSES), dtype=np.int64)
    for c in range(channels):
        if class_of[c] != c:
            continue
        members = np.count_nonzero(class_of == c)
        scratch[:] = 0
        program = program_of[c]
        done = _play_channel(
            states[c],
            t,
            requests[offsets[program] : offsets[program + 1]],
            row_base,
            start,
            members,
            tally,
            scratch,
            log,
            c,
            record,
        )
        if done > finish:
            finish = done
            critical[:] = scratch
    causes += critical
    return finish
