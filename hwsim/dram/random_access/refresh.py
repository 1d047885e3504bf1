"""Refresh of ranks, or of their banks in turns, compiled."""

from __future__ import annotations

from hwsim.dram.device.bank_state import earliest, note
from hwsim.dram.device.compiled import inlined, part
from hwsim.dram.device.tables import FOREVER, Fact
from hwsim.dram.random_access.fields import Bank, Channel, Rank, Refreshing, Waiting
from hwsim.dram.random_access.rows import banks_per_rank, close_row, log_command


@part
def refresh(m, c, cycle, log, record):
    """Issue the next command of a refresh that is due; return the cycle if one was issued, else when one may be."""
    wake = FOREVER
    for rank in range(m.ranks.shape[1]):
        if m.ranks[c, rank, Rank.DUE] > cycle:
            continue
        if not m.ranks[c, rank, Rank.HOLDS]:
            _hold(m, c, rank, 1)
        ready = _refresh_rank(m, c, rank, cycle, log, record)
        if ready == cycle:
            return cycle
        wake = min(wake, ready)
    return wake


@inlined
def _hold(m, c, rank, held):
    """A refresh has fallen due, or is done: its banks serve nothing, or serve again."""
    m.ranks[c, rank, Rank.HOLDS] = held
    m.channels[c, Channel.REFRESHING] += 1 if held else -1
    turn = m.ranks[c, rank, Rank.REFRESHES] % m.refresh[Refreshing.TURNS]
    first = rank * banks_per_rank(m)
    for i in range(m.targets.shape[1]):
        m.banks[c, first + m.targets[turn, i], Bank.HELD] = held
    for bank in range(first, first + banks_per_rank(m)):  # what may be opened has changed
        m.waiting[c, 0, bank, Waiting.READY] = m.waiting[c, 1, bank, Waiting.READY] = 0
    due = FOREVER
    for other in range(m.ranks.shape[1]):
        if not m.ranks[c, other, Rank.HOLDS]:
            due = min(due, m.ranks[c, other, Rank.DUE])
    m.channels[c, Channel.NEXT_DUE] = due


@part
def _refresh_rank(m, c, rank, cycle, log, record):
    """Close a bank of a rank's refresh or refresh; return the cycle, or when one of the two may be issued."""
    first = rank * banks_per_rank(m)
    turn = m.ranks[c, rank, Rank.REFRESHES] % m.refresh[Refreshing.TURNS]
    wake = FOREVER
    any_open = False
    for i in range(m.targets.shape[1]):
        bank = first + m.targets[turn, i]
        if m.device.open_rows[c, bank] < 0 or (any_open and m.refresh[Refreshing.WHOLE]):
            continue
        any_open = True
        ready = earliest(m.device, m.tables, c, m.refresh[Refreshing.CLOSE], bank)
        if ready <= cycle:
            _close_for_refresh(m, c, first, turn, bank, cycle, log, record)
            return cycle
        wake = min(wake, ready)
    if any_open:
        return wake
    command = m.refresh[Refreshing.COMMAND]
    narrow = m.tables.commands[command, Fact.BLOCK] == 1
    named = m.targets.shape[1] if narrow else 1
    ready = cycle
    for i in range(named):
        ready = max(ready, earliest(m.device, m.tables, c, command, first + m.targets[turn, i]))
    if ready > cycle:
        return ready
    for i in range(named):
        note(m.device, m.tables, c, command, first + m.targets[turn, i], cycle)
    m.counts[c, rank, command] += 1
    if record:
        whole = m.tables.commands[command, Fact.BLOCK] == m.banks.shape[1]
        log_command(m, log, c, cycle, command, -1 if whole else first + m.targets[turn, 0], -1, -1)
    turns, interval, ranks = m.refresh[Refreshing.TURNS], m.refresh[Refreshing.INTERVAL], m.ranks.shape[1]
    done = m.ranks[c, rank, Rank.REFRESHES] + 1
    m.ranks[c, rank, Rank.DUE] = ((done + 1) * ranks + rank) * interval // (turns * ranks)
    _hold(m, c, rank, 0)
    m.ranks[c, rank, Rank.REFRESHES] = done
    return cycle


@inlined
def _close_for_refresh(m, c, first, turn, bank, cycle, log, record):
    command = m.refresh[Refreshing.CLOSE]
    note(m.device, m.tables, c, command, bank, cycle)
    m.counts[c, first // banks_per_rank(m), command] += 1
    if m.refresh[Refreshing.WHOLE]:
        for i in range(m.targets.shape[1]):
            close_row(m, c, first + m.targets[turn, i], cycle)
    else:
        close_row(m, c, bank, cycle)
    if record:
        whole = m.tables.commands[command, Fact.BLOCK] == m.banks.shape[1]
        named = first + m.targets[turn, 0] if m.refresh[Refreshing.WHOLE] else bank
        log_command(m, log, c, cycle, command, -1 if whole else named, -1, -1)
