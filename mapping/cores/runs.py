"""How long keys are seen: runs of consecutive rows that all see a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import is_

import numpy as np

from hwsim.mapping.cores.parts import Part
from hwsim.mapping.cores.plan import Ints
from hwsim.mapping.patterns.key_sets import spans_of_bits

Spans = list[tuple[int, int, int]]  # a row, the first of some keys, and the key after the last


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """Runs, a column each, in the order of `first` and then of `part` and `key`.

    Attributes
    ----------
    part : index of the part whose pairs they are
    first, last : rows in the order of their pass, `last` included
    """

    part: Ints
    key: Ints
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.key)

    def where(self, chosen: Ints) -> Runs:
        """Those at some indices."""
        return Runs(part=self.part[chosen], key=self.key[chosen], first=self.first[chosen], last=self.last[chosen])


def find_runs(parts: Sequence[Part], rows: Ints, n_k: int) -> Runs:
    """The runs of all parts; each pair of the parts' union is in one.

    Parameters
    ----------
    rows : positions of the queries, in the order in which they go
    """
    came: list[Spans] = [[] for _ in parts]
    went: list[Spans] = [[] for _ in parts]
    for row, part, new, old in _changes(parts, rows, n_k):
        came[part] += [(row, *span) for span in spans_of_bits(new)]
        went[part] += [(row, *span) for span in spans_of_bits(old)]
    found = [_matched(part, *ends) for part, ends in enumerate(zip(came, went))]
    columns = np.concatenate(found, axis=1) if found else np.zeros((4, 0), dtype=np.int64)
    part, key, first, last = columns[:, np.lexsort((columns[1], columns[0], columns[2]))]
    return Runs(part=part, key=key, first=first, last=last)


def count_runs(parts: Sequence[Part], rows: Ints, n_k: int) -> int:
    """How many runs `find_runs` finds."""
    return sum(new.bit_count() for _, _, new, _ in _changes(parts, rows, n_k))


def stretches(rows: Ints) -> list[range]:
    """Positions as ascending ranges, each as long as it gets, from front to back."""
    steps = np.diff(rows)
    ends = [*(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(rows) - 1]  # the last rows before another step
    found, start = list[range](), 0
    for end in ends:
        if end < start or end == start < len(rows) - 1:  # a single step between two ranges
            continue
        step = int(steps[start]) if end > start else 1
        if step > 0:
            found.append(range(int(rows[start]), int(rows[end]) + 1, step))
        else:
            found += [range(row, row + 1) for row in rows[start : end + 1].tolist()]
        start = end + 1
    return found


def _changes(parts: Sequence[Part], rows: Ints, n_k: int) -> Iterator[tuple[int, int, int, int]]:
    """Row, part, keys that come and keys that go, wherever some do; after the last row all go."""
    before: list[int] = [0] * len(parts)
    unchanged: tuple[int, ...] = ()
    ranges = stretches(rows)
    for row, seen in enumerate(zip(*(part.rows(ranges, n_k) for part in parts))):
        if unchanged and all(map(is_, seen, unchanged)):
            continue
        unchanged, claimed = seen, 0
        for part, keys in enumerate(seen):
            now = keys & ~claimed if claimed else keys
            claimed |= keys
            if changed := now ^ before[part]:
                yield row, part, changed & now, changed & before[part]
                before[part] = now
    for part, keys in enumerate(before):
        yield len(rows), part, 0, keys


def _matched(part: int, came: Spans, went: Spans) -> Ints:
    """(4, runs) part, key, first and last row: of each key the n-th coming and the n-th going belong together."""
    first_key, first = _written_out(came)
    last_key, after = _written_out(went)
    begins, ends = np.lexsort((first, first_key)), np.lexsort((after, last_key))
    return np.stack([np.full(len(first), part), first_key[begins], first[begins], after[ends] - 1])


def _written_out(spans: Spans) -> tuple[Ints, Ints]:
    """Keys of spans and their rows, one by one."""
    row, first, last = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    sizes = last - first
    begins = np.cumsum(sizes) - sizes
    keys = np.repeat(first - begins, sizes) + np.arange(int(sizes.sum()))
    return keys, np.repeat(row, sizes)
