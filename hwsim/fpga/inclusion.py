"""Which units are counted with others, and which not at all, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


def included_notes(included: Mapping[str, str], uncounted: Iterable[str]) -> Iterator[str]:
    """A line for each unit that holds others, and one for those that nobody counted."""
    for holder in dict.fromkeys(included.values()):
        yield f"{holder} includes {', '.join(unit for unit, within in included.items() if within == holder)}"
    if names := ", ".join(uncounted):
        yield f"not counted, since no contract says what they take: {names}"
