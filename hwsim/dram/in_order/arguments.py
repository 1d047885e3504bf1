"""Named tuples as arguments of a call from Python to a compiled function.

numba takes half a microsecond for each named tuple of such a call, and next to nothing for plain ones. So the caller
passes `plain` tuples, and the compiled function names their parts again.
"""

from __future__ import annotations

from typing import Any

from hwsim.dram.device.compiled import inlined
from hwsim.dram.device.state import BankState
from hwsim.dram.device.tables import Tables
from hwsim.dram.in_order.channels import Channels
from hwsim.dram.in_order.ledger import Ledger, Page
from hwsim.dram.in_order.rules import Rules


def plain(value: Any) -> Any:
    """Named tuples, also within each other, as plain ones."""
    return tuple(plain(part) for part in value) if isinstance(value, tuple) else value


@inlined
def player_of(plain):
    """Channels, rules and ledger."""
    channels, rules, ledger = plain
    return _channels_of(channels), _rules_of(rules), _ledger_of(ledger)


@inlined
def _channels_of(plain):
    class_of, banks, due, data_issues = plain
    return Channels(class_of, BankState(*banks), due, data_issues)


@inlined
def _rules_of(plain):
    tables, cause, columns, refresh, refresh_precharge, interval = plain
    return Rules(Tables(*tables), cause, columns, refresh, refresh_precharge, interval)


@inlined
def _ledger_of(plain):
    issues, counts, slowest, page = plain
    return Ledger(issues, counts, slowest, Page(*page))
