"""Generated DRAM programs."""

from __future__ import annotations

from hypothesis import strategies as st

from hwsim.dram.program import ALL_BANKS, Request
from hwsim.dram.standard import Standard

ROWS = 4  # few, so that accesses hit as well as miss


@st.composite
def requests(draw: st.DrawFn, standard: Standard) -> Request:
    """One request that the standard can hold: a run in a bank, a run in all banks, or register transfers."""
    issuable = [c for c in standard.commands.values() if c.kind in ("column", "register")]
    command = draw(st.sampled_from(issuable))
    if command.kind == "register":
        return Request(command=command.name, count=draw(st.integers(0, 6)), repeat=draw(st.integers(1, 2)))
    single = command.scope == "bank"
    return Request(
        command=command.name,
        bank=draw(st.integers(0, standard.banks - 1)) if single else ALL_BANKS,
        row=draw(st.integers(0, ROWS)),
        column=draw(st.integers(0, standard.columns - 1)),
        count=draw(st.one_of(st.integers(0, 12), st.integers(0, 2 * standard.columns))),
        repeat=draw(st.integers(1, 3)),
    )


def programs(standard: Standard) -> st.SearchStrategy[list[Request]]:
    return st.lists(requests(standard), max_size=8)


def plays(standard: Standard) -> st.SearchStrategy[list[tuple[list[Request], int]]]:
    """Programs one after the other, each with the cycles that the channel idles before it."""
    gap = st.one_of(st.integers(0, 40), st.integers(0, 3 * (standard.refresh.interval if standard.refresh else 1)))
    return st.lists(st.tuples(programs(standard), gap), max_size=4)
