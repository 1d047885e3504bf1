"""Generated DRAM programs."""

from __future__ import annotations

from hypothesis import strategies as st

from hwsim.dram.device.standard import Command, Standard
from hwsim.dram.in_order.program import ALL_BANKS, Request

# Few banks and rows, so that accesses hit, conflict and share bank groups.
BANKS = (0, 1, 5, 15)
LAST_ROW = 3


def requests(standard: Standard) -> st.SearchStrategy[Request]:
    """One request that the standard can hold: a run in a bank, a run in all banks, or commands without address."""
    issuable = [c for c in standard.commands.values() if c.kind in ("column", "register", "other")]
    return st.sampled_from(issuable).flatmap(lambda command: _requests_of(command, standard))


def programs(standard: Standard) -> st.SearchStrategy[list[Request]]:
    return st.lists(requests(standard), max_size=6)


def plays(standard: Standard) -> st.SearchStrategy[list[tuple[list[Request], int]]]:
    """Programs one after the other, each with the cycles that the channel idles before it."""
    interval = standard.refresh.interval if standard.refresh else 1
    gap = st.one_of(st.integers(0, 40), st.integers(0, 3 * interval))
    return st.lists(st.tuples(programs(standard), gap), max_size=4)


def _requests_of(command: Command, standard: Standard) -> st.SearchStrategy[Request]:
    name = st.just(command.name)
    if command.kind != "column":
        return st.builds(Request, command=name, count=st.integers(0, 6), repeat=st.integers(1, 2))
    last = standard.columns - 1
    return st.builds(
        Request,
        command=name,
        bank=st.sampled_from([bank for bank in BANKS if bank < standard.banks])
        if command.scope == "bank"
        else st.just(ALL_BANKS),
        row=st.integers(0, LAST_ROW),
        column=st.one_of(st.integers(0, last), st.integers(last - 4, last)),  # the latter run into the next row
        count=st.one_of(st.integers(0, 12), st.integers(0, 12), st.integers(last, last + 8)),
        repeat=st.integers(1, 3),
    )
