"""Opening and closing rows, compiled, with what is counted of it, and the log of commands."""

from __future__ import annotations

from hwsim.dram.device.compiled import inlined
from hwsim.dram.random_access.fields import Bank, Entry, Host, Logged, Rank
from hwsim.dram.random_access.queues import find_hits, forget_hits, mark_opened


@inlined
def open_row(m, c, bank, e, cycle):
    rank = bank // banks_per_rank(m)
    if m.ranks[c, rank, Rank.OPEN_BANKS] == 0 and cycle > m.ranks[c, rank, Rank.OPEN_UNTIL]:
        m.ranks[c, rank, Rank.OPEN_CYCLES] += m.ranks[c, rank, Rank.OPEN_UNTIL] - m.ranks[c, rank, Rank.OPEN_SINCE]
        m.ranks[c, rank, Rank.OPEN_SINCE] = cycle
    m.ranks[c, rank, Rank.OPEN_BANKS] += 1
    m.ranks[c, rank, Rank.BANK_CYCLES] -= cycle
    m.banks[c, bank, Bank.OPENED_AT] = cycle
    m.device.open_rows[c, bank] = m.entries[c, e, Entry.ROW]
    m.banks[c, bank, Bank.USED] = 0
    m.banks[c, bank, Bank.ACTIVATES] += 1
    m.entries[c, e, Entry.KIND] = max(m.entries[c, e, Entry.KIND], 1)
    find_hits(m, c, bank, m.entries[c, e, Entry.ROW])
    mark_opened(m, c, e)


@inlined
def close_row(m, c, bank, end):
    """A row is closed, at once or by an access that closes it in a later cycle."""
    if m.device.open_rows[c, bank] < 0:
        return
    m.device.open_rows[c, bank] = -1
    forget_hits(m, c, bank)
    rank = bank // banks_per_rank(m)
    m.ranks[c, rank, Rank.OPEN_BANKS] -= 1
    m.ranks[c, rank, Rank.BANK_CYCLES] += end
    m.ranks[c, rank, Rank.OPEN_UNTIL] = max(m.ranks[c, rank, Rank.OPEN_UNTIL], end)


@inlined
def banks_per_rank(m):
    return m.banks.shape[1] // m.ranks.shape[1]


@inlined
def log_command(m, log, c, cycle, command, bank, row, column):
    entry = log[m.host[Host.LOGGED]]
    m.host[Host.LOGGED] += 1
    entry[Logged.CHANNEL], entry[Logged.CYCLE], entry[Logged.COMMAND] = c, cycle, command
    entry[Logged.BANK], entry[Logged.ROW], entry[Logged.COLUMN] = bank, row, column
