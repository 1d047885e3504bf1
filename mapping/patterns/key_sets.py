"""Sets of positions, in the three forms that patterns count with: ranges, spans and bits.

A *range* is Python's own, with a step: `range(3, 12, 4)` holds 3, 7 and 11. *Spans* are what callers get: pairs
(first, last), last excluded, in order, which neither overlap nor touch. *Bits* are one integer in which bit k stands
for position k: Python's integers have no width, so union, intersection and count of whole rows are one operation each.
"""

from __future__ import annotations

from collections.abc import Iterable

Spans = tuple[tuple[int, int], ...]


def clip(positions: range, low: int, high: int) -> range:
    """The members of an ascending range that lie in [low, high)."""
    start, step = positions.start, positions.step
    return positions[max(0, -((start - low) // step)) : max(0, -((start - high) // step))]


def size(parts: Iterable[range]) -> int:
    """Number of positions in ranges that share none."""
    return sum(map(len, parts))


def join(spans: Iterable[tuple[int, int]]) -> Spans:
    """The union of spans in any order; those that overlap or touch become one, empty ones go."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if first >= last:
            continue
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def meet(one: Spans, other: Spans) -> Spans:
    """The intersection of two sets of spans."""
    common = []
    i = j = 0
    while i < len(one) and j < len(other):
        first, last = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if first < last:
            common.append((first, last))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def spans(parts: Iterable[range]) -> Spans:
    """Ranges as spans: a range with gaps becomes one span a position."""
    found: list[tuple[int, int]] = []
    for part in parts:
        found += [(part.start, part.stop)] if part.step == 1 else [(key, key + 1) for key in part]
    return join(found)


def bits(parts: Iterable[range]) -> int:
    """Ranges as bits."""
    row = 0
    for part in parts:
        if part:
            row |= comb(len(part), part.step) << part.start
    return row


def spans_of_bits(row: int) -> Spans:
    """Bits as spans."""
    found, passed = [], 0
    while row:
        zeros = (row & -row).bit_length() - 1
        row >>= zeros
        ones = (~row & (row + 1)).bit_length() - 1
        row >>= ones
        found.append((passed + zeros, passed + zeros + ones))
        passed += zeros + ones
    return tuple(found)


def comb(count: int, step: int) -> int:
    """Bits 0, step, 2 step, ... of `count` positions."""
    if step == 1 or count <= 1:
        return (1 << count) - 1
    return ((1 << count * step) - 1) // ((1 << step) - 1)  # a geometric series


def pairs_up_to(queries: range, keys: range) -> int:
    """Number of pairs (q, k) of two ascending ranges with k <= q, in closed form."""
    if not queries or not keys:
        return 0
    below = clip(queries, keys[0], keys[-1])
    above = len(clip(queries, keys[-1], max(queries[-1], keys[-1]) + 1))
    if not below:
        return above * len(keys)
    return above * len(keys) + len(below) + floor_sum(len(below), below.step, below[0] - keys[0], keys.step)


def floor_sum(count: int, slope: int, offset: int, divisor: int) -> int:
    """Sum of (slope i + offset) // divisor over i = 0 ... count - 1; nothing is negative.

    The sum counts the lattice points under a line; exchanging the axes shrinks slope and divisor as Euclid's
    algorithm does.
    """
    total = 0
    while True:
        total += (slope // divisor) * (count * (count - 1) // 2) + (offset // divisor) * count
        slope, offset = slope % divisor, offset % divisor
        height = slope * count + offset
        if height < divisor:
            return total
        count, offset = divmod(height, divisor)
        slope, divisor = divisor, slope
