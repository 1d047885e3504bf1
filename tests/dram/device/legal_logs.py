"""Generated logs: random commands, each as early as the slow checker allows, and such logs with mistakes put in."""

from __future__ import annotations

import random
from dataclasses import replace

from hwsim.dram.device.checker import ChannelChecker
from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard

ROWS = 3
COLUMNS = 4


def legal_log(
    standard: Standard, draw: random.Random, length: int, *, check_modes: bool = False
) -> list[LoggedCommand]:
    """Up to `length` commands of all kinds on one channel; what the open rows forbid is left out."""
    checker = ChannelChecker(standard, check_modes=check_modes)
    log: list[LoggedCommand] = []
    now = 0
    for _ in range(6 * length):
        entry = replace(_any_command(standard, draw, checker), cycle=now + draw.choice((0, 0, 0, 1, 7)))
        broken = checker.broken_rule(entry)
        if broken and broken[1] is not None:
            entry = replace(entry, cycle=broken[1])
            broken = checker.broken_rule(entry)
        if broken is None:
            checker.enter(entry)
            log.append(entry)
            now = entry.cycle + 1
        if len(log) == length:
            break
    return log


def with_mistakes(
    log: list[LoggedCommand], standard: Standard, draw: random.Random, mistakes: int
) -> list[LoggedCommand]:
    """The log with some of its commands changed, doubled, lost, or exchanged."""
    log = list(log)
    for _ in range(mistakes):
        if not log:
            break
        at = draw.randrange(len(log))
        entry = log[at]
        match draw.randrange(8):
            case 0 | 1:
                log[at] = replace(entry, cycle=entry.cycle - draw.choice((1, 1, 2, 20)))
            case 2:
                log[at] = replace(entry, command=draw.choice(list(standard.commands)))
            case 3:
                log[at] = replace(entry, bank=draw.choice((-1, 0, 1, standard.banks - 1, standard.banks)))
            case 4:
                last = standard.rows + standard.reserved_rows
                log[at] = replace(entry, row=draw.choice((-1, 0, 1, standard.rows, last - 1, last)))
            case 5:
                log[at] = replace(entry, column=draw.choice((-1, 0, standard.columns)))
            case 6:
                del log[at]
            case 7:
                log.insert(at, replace(entry, cycle=entry.cycle - draw.choice((0, 1))))
    return log


def _any_command(standard: Standard, draw: random.Random, checker: ChannelChecker) -> LoggedCommand:
    """Any command, more often one whose banks have the row open that it needs."""
    name = draw.choice(list(standard.commands))
    command = standard.commands[name]
    bank = (
        -1 if name in checker.all_banks else draw.choice((0, 1, 4, standard.banks - 1, draw.randrange(standard.banks)))
    )
    row = draw.randrange(ROWS)
    if command.kind == "column" and draw.random() < 0.8:
        row = max(checker.open[max(bank, 0)], 0)
    return LoggedCommand(
        cycle=0,
        command=name,
        bank=bank,
        row=row if command.kind in ("activate", "column") else -1,
        column=draw.randrange(COLUMNS) if command.kind == "column" else -1,
    )
