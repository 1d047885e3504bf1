"""Everything that a memory holds, as named arrays for numba."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hwsim.dram.device.standard import Standard
from hwsim.dram.device.state import BankState, new_bank_state
from hwsim.dram.device.tables import FOREVER, Fact, Ints, Tables, compile_tables
from hwsim.dram.random_access.address import AddressMapping, DigitColumn
from hwsim.dram.random_access.fields import (
    CHANNEL_FIELDS,
    LATENCY_BINS,
    NOBODY,
    Arbitration,
    Asking,
    Bank,
    Channel,
    Entry,
    Host,
    Rank,
    RowPolicy,
    RunField,
    Ticket,
    Waiting,
)
from hwsim.dram.random_access.masters import Master, Policy
from hwsim.dram.random_access.parameters import ControllerParameters

BUFFER = 1 << 12  # rows of what is handed over to Python


class Memory(NamedTuple):
    """A port with its masters, and channels with their controllers.

    Attributes
    ----------
    host : (len(Host),) the clock and counters
    limits : (len(Limit),) parameters of controller and port
    masters : (masters, len(Asking))
    runs : (masters, room, len(RunField)) what each master wants, a ring
    tickets, free_tickets : (room, len(Ticket)) and rows of it that are free
    releases : (room, 2) cycle and master of completions that a limit waits for, the next one last
    channels : (channels, CHANNEL_FIELDS)
    entries : (channels, room, len(Entry))
    waiting : (channels, 2, banks, len(Waiting)) reads and writes
    listed : (channels, 2, banks) banks with entries
    opened : (channels, banks) entries whose row was opened for them
    banks : (channels, banks, len(Bank))
    ranks : (channels, ranks, len(Rank))
    refresh : (len(Refreshing),)
    targets : (turns, banks of a refresh) within a rank
    counts : (channels, ranks, commands) issues
    latencies : (4, LATENCY_BINS) requests by cycles: reads and writes since they were taken, and since their arrival
    long_latencies : (rows, 2) row of `latencies` and cycles of longer ones
    recent : (rows, 2) the same since a state was kept (`repeat.py`), as far as there is room
    completions : (rows, 3) cycle, ticket, beat
    digits : (digits, len(DigitColumn) + 1) the address mapping's table and DIGIT_SHIFT
    commands : (6,) numbers of the commands in the standard
    closing : (3,) cycles that a row is open at least, and from an access that closes it to its end: reads, writes
    """

    host: Ints
    limits: Ints
    masters: Ints
    runs: Ints
    tickets: Ints
    free_tickets: Ints
    releases: Ints
    channels: Ints
    entries: Ints
    waiting: Ints
    listed: Ints
    opened: Ints
    banks: Ints
    ranks: Ints
    refresh: Ints
    targets: Ints
    counts: Ints
    latencies: Ints
    long_latencies: Ints
    recent: Ints
    completions: Ints
    digits: Ints
    commands: Ints
    closing: Ints
    device: BankState
    tables: Tables


def new_memory(
    mapping: AddressMapping,
    parameters: ControllerParameters,
    masters: Sequence[Master],
    *,
    policy: Policy,
    width: int,
    room: int,
) -> Memory:
    """Idle channels with all banks closed, at cycle 0.

    Parameters
    ----------
    width : accesses that the port takes in a cycle
    room : runs that can wait at each master
    """
    standard, channels = mapping.standard, mapping.channels
    tables = compile_tables(standard, _issued(standard, parameters))
    entries = parameters.read_queue + parameters.write_queue
    tickets = channels * entries + 2 * len(masters) + 2
    longest = int(tables.commands[:, Fact.DURATION].max())
    rows = BUFFER + channels + width
    host = np.zeros(len(Host), dtype=np.int64)
    host[Host.LAST], host[Host.FREE_TICKETS] = NOBODY, tickets
    refresh, targets = _refresh_tables(standard)
    memory = Memory(
        host=host,
        limits=_limits(parameters, policy, width, standard),
        masters=_masters(masters),
        runs=np.zeros((len(masters), room, len(RunField)), dtype=np.int64),
        tickets=np.zeros((tickets, len(Ticket)), dtype=np.int64),
        free_tickets=np.arange(tickets, dtype=np.int64),
        releases=np.zeros((channels * (longest + 2) + 2 * width + 2, 2), dtype=np.int64),
        channels=_channels(channels, parameters),
        entries=np.zeros((channels, entries, len(Entry)), dtype=np.int64),
        waiting=np.full((channels, 2, standard.banks, len(Waiting)), NOBODY, dtype=np.int64),
        listed=np.zeros((channels, 2, standard.banks), dtype=np.int64),
        opened=np.zeros((channels, standard.banks), dtype=np.int64),
        banks=np.zeros((channels, standard.banks, len(Bank)), dtype=np.int64),
        ranks=np.zeros((channels, standard.ranks, len(Rank)), dtype=np.int64),
        refresh=refresh,
        targets=targets,
        counts=np.zeros((channels, standard.ranks, len(standard.commands)), dtype=np.int64),
        latencies=np.zeros((4, LATENCY_BINS), dtype=np.int64),
        long_latencies=np.zeros((2 * rows, 2), dtype=np.int64),
        recent=np.zeros((BUFFER, 2), dtype=np.int64),
        completions=np.zeros((rows, 3), dtype=np.int64),
        digits=_digits(mapping),
        commands=_commands(standard),
        closing=_closing(standard),
        device=new_bank_state(tables, channels),
        tables=tables,
    )
    memory.waiting[..., Waiting.COUNT] = 0
    memory.banks[..., Bank.OPENED] = NOBODY
    memory.entries[:, :, Entry.NEXT] = np.arange(1, entries + 1)  # free entries are chained
    for rank in range(standard.ranks):
        memory.ranks[:, rank, Rank.DUE] = standard.refresh_due(0, rank) if standard.refresh else FOREVER
    memory.channels[:, Channel.NEXT_DUE] = memory.ranks[:, :, Rank.DUE].min(axis=1)
    return memory


def copy_memory(memory: Memory) -> Memory:
    """A memory of its own in the same state."""
    copies: list[Any] = [array.copy() for array in memory[:-2]]
    return Memory._make([*copies, BankState(*(array.copy() for array in memory.device)), memory.tables])


def _issued(standard: Standard, parameters: ControllerParameters) -> set[str]:
    """The commands that a controller issues."""
    rule, access = standard.refresh, standard.commands["RD"]
    names = {"RD", "WR", access.activate or "", access.precharge or ""}
    names |= {"RDA", "WRA"} if parameters.closes_rows else set()
    return names | ({rule.command, rule.precharge} if rule else set())


def _limits(parameters: ControllerParameters, policy: Policy, width: int, standard: Standard) -> Ints:
    limits = [
        parameters.read_queue,
        parameters.write_queue,
        parameters.write_high,
        parameters.write_low,
        parameters.most_writes_a_drain,
        parameters.least_reads_between,
        parameters.bypass_cap,
        RowPolicy[parameters.row_policy.upper()],
        parameters.row_cap,
        width,
        Arbitration[policy.upper()],
        standard.column_bytes,
    ]
    return np.array(limits, dtype=np.int64)


def _masters(masters: Sequence[Master]) -> Ints:
    rows = np.zeros((len(masters), len(Asking)), dtype=np.int64)
    for row, master in zip(rows, masters, strict=True):
        row[Asking.OUTSTANDING] = FOREVER if master.outstanding is None else master.outstanding
        row[Asking.WIDTH], row[Asking.EVERY] = master.width, master.every
        row[Asking.TICKET] = NOBODY
    return rows


def _channels(channels: int, parameters: ControllerParameters) -> Ints:
    rows = np.zeros((channels, CHANNEL_FIELDS), dtype=np.int64)
    rows[:, Channel.SERVED] = parameters.least_reads_between
    rows[:, Channel.OLDEST : Channel.NEWEST + 2] = NOBODY
    return rows


def _refresh_tables(standard: Standard) -> tuple[Ints, Ints]:
    rule = standard.refresh
    if rule is None:
        return np.array([NOBODY, NOBODY, 0, 1, 0], dtype=np.int64), np.zeros((1, 1), dtype=np.int64)
    whole = standard.banks_below(standard.commands[rule.precharge].scope) > 1
    ids = standard.command_ids
    facts = [ids[rule.command], ids[rule.precharge], rule.interval, rule.turns, whole]
    targets = [standard.refresh_targets(turn) for turn in range(rule.turns)]
    return np.array(facts, dtype=np.int64), np.array(targets, dtype=np.int64)


def _commands(standard: Standard) -> Ints:
    ids, access = standard.command_ids, standard.commands["RD"]
    names = ("RD", "WR", "RDA", "WRA", access.activate, access.precharge)
    return np.array([ids.get(name or "", NOBODY) for name in names], dtype=np.int64)


def _digits(mapping: AddressMapping) -> Ints:
    table = mapping.table()
    sizes = table[:, DigitColumn.SIZE]
    shifts = [int(size).bit_length() - 1 if size & (size - 1) == 0 else NOBODY for size in sizes]
    return np.column_stack([table, np.array(shifts, dtype=np.int64)])


def _closing(standard: Standard) -> Ints:
    """A row ends when a precharge of its own could come: so long before the next activate as a precharge takes."""
    access = standard.commands["RD"]
    activate, precharge = access.activate or "", access.precharge or ""

    def wait(preceding: str, following: str) -> int:
        pairs = [c for c in standard.constraints if (c.preceding, c.following) == (preceding, following)]
        return max((c.latency for c in pairs if c.level == standard.level_names[-1]), default=0)

    closes = wait(precharge, activate)
    after = [max(0, wait(command, activate) - closes) for command in ("RDA", "WRA")]
    return np.array([wait(activate, precharge), *after], dtype=np.int64)
