"""What rows do on their way through the units, and which bursts bring and take them: plain values, for small runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hwsim.machines.swat.rows.bursts import Bursts
from hwsim.machines.swat.rows.head import Head


@dataclass(frozen=True, kw_only=True)
class Burst:
    """One burst.

    Attributes
    ----------
    offset, size : in bytes, within a block
    rows : how many it brings or takes
    swapped : whether Z and carry have changed places, for bursts of these
    """

    offset: int
    size: int
    rows: int
    swapped: bool = False


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """A stream of rows that LOAD takes one after the other.

    Attributes
    ----------
    bursts : in the order in which they are asked for
    burst_of : the burst that each row comes with
    """

    bursts: tuple[Burst, ...]
    burst_of: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A query on its way.

    Attributes
    ----------
    number : counted over all heads and passes
    units : rows of K, and as many of V, that its LOAD stage loads
    carried : a partial row of it comes in
    divided : it leaves divided; otherwise as a partial row
    opens : it is the first of its burst, so that a bank must be free
    closes : the burst that it completes
    """

    number: int
    units: int
    carried: bool
    divided: bool
    opens: bool
    closes: Burst | None


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Rows that follow each other.

    Attributes
    ----------
    before : rows of K that are loaded before the first row
    follows : another pass of the same head follows, which reads what this one writes
    carried : bursts of partial rows that come in
    """

    before: int
    rows: tuple[Row, ...]
    follows: bool
    carried: tuple[Burst, ...]


@dataclass(frozen=True, kw_only=True)
class Itinerary:
    """All that happens to some heads, pass after pass."""

    passes: tuple[Pass, ...]
    queries: Arrivals
    keys: Arrivals
    carried: Arrivals

    @classmethod
    def of(cls, heads: Sequence[Head]) -> Itinerary:
        """Heads one after the other."""
        passes: list[Pass] = []
        rows = left = 0  # left : what the head before leaves to be loaded
        for head in heads:
            for number in range(len(head.first) - 1):
                passes.append(_pass(head, number, rows - int(head.first[number]), left))
                rows += len(passes[-1].rows)
                left = 0
            left = int(head.before[-1])
        return cls(
            passes=tuple(passes),
            queries=_arrivals([head.queries for head in heads]),
            keys=_arrivals([head.keys for head in heads]),
            carried=_arrivals([head.carried for head in heads]),
        )


def list_bursts(bursts: Bursts, *, swapped: bool = False) -> list[Burst]:
    """Each burst of a stream."""
    rows = [end - begin for begin, end in pairwise([0, *bursts.ends.tolist()])]
    return [
        Burst(offset=bursts.kinds[kind][0], size=bursts.kinds[kind][1], rows=count, swapped=swapped)
        for kind, count in zip(bursts.kind.tolist(), rows)
    ]


def _arrivals(parts: Sequence[Bursts]) -> Arrivals:
    bursts: list[Burst] = []
    burst_of: list[int] = []
    for part in parts:
        burst_of += [len(bursts) + burst for burst in part.burst_of.tolist()]
        bursts += list_bursts(part)
    return Arrivals(bursts=tuple(bursts), burst_of=tuple(burst_of))


def _pass(head: Head, number: int, shift: int, left: int) -> Pass:
    """A pass, before which `left` more keys are loaded; its first row has number `shift` + its place in the head."""
    last = len(head.first) - 2
    swapped = (last - number) % 2 == 1
    results = list_bursts(head.results, swapped=swapped)
    burst_of = head.results.burst_of.tolist()

    def row(at: int) -> Row:
        burst = burst_of[at]
        return Row(
            number=shift + at,
            units=int(head.units[at]),
            carried=bool(head.carries[at] >= 0),
            divided=bool(head.divided[at]),
            opens=at == 0 or burst_of[at - 1] != burst,
            closes=results[burst] if at + 1 == len(burst_of) or burst_of[at + 1] != burst else None,
        )

    begin, end = head.carried_first[number : number + 2].tolist()
    return Pass(
        before=int(head.before[number]) + left,
        rows=tuple(map(row, range(*head.first[number : number + 2].tolist()))),
        follows=number < last,
        carried=tuple(list_bursts(head.carried, swapped=swapped)[begin:end]),
    )
