"""Where counts of cells come from, in a word for the row of a table, and in full below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator


def origin_words(origins: Iterable[str]) -> dict[str, str]:
    """A word for each origin: its first one (`synthesis`, `estimate`), numbered where several begin alike."""
    listed = list(dict.fromkeys(origins))
    alike = Counter(_first(origin) for origin in listed)
    seen: Counter[str] = Counter()
    found = {}
    for origin in listed:
        word = _first(origin)
        seen[word] += 1
        found[origin] = word if alike[word] == 1 else f"{word} {seen[word]}"
    return found


def origin_notes(origins: Iterable[str]) -> Iterator[str]:
    """A line for each origin in full."""
    for origin, word in origin_words(origins).items():
        yield f"from {origin}" if word == _first(origin) else f"{word}: from {origin}"


def _first(origin: str) -> str:
    return origin.split(maxsplit=1)[0]
