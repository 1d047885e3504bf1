"""Attention: scores with the single-pass softmax, and values.

An iteration is a beat of a key's (or value's) channels against all slots. In the skewed order of `hwsim.rtl.skew` rows
in which a query comes or leaves follow each other, `slots` of them in each pass over the keys. Without reordering all
slots' queries come in the first row of a pass and leave in the last one, together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract


class Ordered(Protocol):
    """What the contracts of attention's units say of the order of queries."""

    @property
    def slots(self) -> int: ...
    @property
    def reordered(self) -> bool: ...
    def rows(self, tokens: int) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """When queries come and leave, where a row has `beats` iterations.

    Attributes
    ----------
    together : queries that come or leave in one row
    comes, leaves : iterations of the rows in which queries come and leave
    ends : of the latter those that say that a query has ended, each `parts` times for a query; where all slots'
        queries leave in one row, its last iteration says so of all of them
    """

    rows: int
    queries: int
    together: int
    comes: Pattern
    leaves: Pattern
    ends: Pattern
    parts: int

    @staticmethod
    def of(c: Ordered, tokens: int, beats: int) -> Order:
        """The order of a unit; without reordering, queries are counted up to whole passes."""
        rows, period, last = c.rows(tokens), tokens * beats, (tokens - 1) * beats
        if c.reordered:
            length, limit = min(c.slots, tokens) * beats, tokens * beats
            comes = Pattern(period=period, length=length, limit=limit)
            leaves = Pattern(first=last, period=period, length=length, limit=limit)
            return Order(rows=rows, queries=tokens, together=1, comes=comes, leaves=leaves, ends=leaves, parts=beats)
        comes, leaves = (Pattern(first=first, period=period, length=beats) for first in (0, last))
        queries = rows // tokens * c.slots
        ends = Pattern(first=period - 1, period=period)
        return Order(rows=rows, queries=queries, together=c.slots, comes=comes, leaves=leaves, ends=ends, parts=1)


def scores_task(
    qk: QkReorderContract,
    softmax: OnlineSoftmaxContract | None,
    tokens: int,
    *,
    name: str,
    q: Walk,
    k: Walk,
    scores: Walk,
    info: Walk | None,
    row_beats: int,
    info_beats: int,
    stream_depth: int,
) -> Task:
    """Scores of all pairs go to memory as they are; the softmax takes them beside that, and leaves a row a query.

    Parameters
    ----------
    softmax, info : None for scores alone
    row_beats : beats in memory of a row of scores, of all slots and heads
    info_beats : beats in memory of the maximum and the inverse sum of a query's heads
    stream_depth : heads of a row that wait between the two units
    """
    loops = [scores_loop(qk, tokens, row_beats, joined=softmax is not None)]
    together = 1 if qk.reordered else qk.slots
    fifos = [port_fifo("q", together), port_fifo("k"), port_fifo("raw", row_beats)]
    transfers = [q.read("q"), k.read("k"), scores.write("raw")]
    if softmax is not None and info is not None:
        loops += softmax_loops(softmax, tokens, info_beats)
        fifos += [Fifo("scores", stream_depth), port_fifo("info", info_beats), *softmax_fifos(softmax)]
        transfers.append(info.write("info"))
    return Task(unit="qk", kind="attention_scores", name=name, fifos=fifos, loops=loops, transfers=transfers)


def values_task(
    c: MvContract,
    tokens: int,
    *,
    name: str,
    v: Walk,
    scores: Walk,
    info: Walk | None,
    y: Walk,
    row_beats: int,
    info_beats: int,
) -> Task:
    """Probabilities times values. Where they are made of raw scores here, a query's info is held while its row begins.

    A pass's queries come by turns into registers, so an iteration that needs them waits a cycle more than the info
    itself; the loop of values begins as much later and is as much shorter.

    Parameters
    ----------
    info : None where probabilities lie in memory
    """
    order = Order.of(c, tokens, c.token_beats)
    early = 1 if c.takes_info else 0
    takes = [Take("v"), Take("scores", row_beats, Pattern(period=c.token_beats))]
    loops: list[Loop] = []
    fifos = [port_fifo("v"), port_fifo("scores", row_beats), port_fifo("y", order.together)]
    transfers = [v.read("v"), scores.read("scores"), y.write("y")]
    if c.takes_info:
        assert info is not None
        loops.append(info_loop("mv", order, info_beats, c.token_beats))
        takes.append(Take("held", when=order.comes))
        fifos += [port_fifo("info", order.together * info_beats), Fifo("held", 2 * c.token_beats)]
        transfers.append(info.read("info"))
    gives = (Give("y", order.together, order.leaves, after=c.latency - early),)
    loops.append(
        Loop(name="values", unit="mv", trips=order.rows * c.token_beats, start=1 + early, takes=takes, gives=gives)
    )
    return Task(unit="mv", kind="attention_values", name=name, fifos=fifos, loops=loops, transfers=transfers)


def scores_loop(c: QkReorderContract, tokens: int, row_beats: int, *, joined: bool = True) -> Loop:
    """A beat of a key a cycle; in rows in which queries come, a beat of each of them too.

    Parameters
    ----------
    joined : whether another unit takes the scores too, head by head
    """
    order = Order.of(c, tokens, c.token_beats)
    each_head = Pattern(first=c.head_beats - 1, period=c.head_beats)
    each_row = Pattern(first=c.token_beats - 1, period=c.token_beats)
    gives = [Give("raw", row_beats, each_row, after=c.latency)]
    if joined:
        gives.insert(0, Give("scores", when=each_head, after=c.latency))
    takes = (Take("k"), Take("q", order.together, order.comes))
    return Loop(name="scores", unit="qk", trips=order.rows * c.token_beats, start=1, takes=takes, gives=gives)


def softmax_loops(c: OnlineSoftmaxContract, tokens: int, info_beats: int) -> tuple[Loop, ...]:
    """A head of all slots in each iteration, then the heads of a query that has seen all keys together.

    A head needs its sum of the row before; where a row has fewer iterations than that takes, `sums` makes it wait.
    """
    order = Order.of(c, tokens, c.heads)
    takes, gives = [Take("scores")], []
    if _waits(c):
        takes.append(Take("sums"))
        gives.append(Give("sums", after=c.recurrence.interval - 1))
    gives.append(Give("heads", order.together, order.ends, after=c.latency - 2))
    running = Loop(
        name="softmax", unit="softmax", trips=order.rows * c.heads, interval=c.initiation_interval, start=1,
        takes=takes, gives=gives,
    )  # fmt: skip
    return running, gather_loop(c, order, info_beats)


def gather_loop(c: OnlineSoftmaxContract, order: Order, info_beats: int) -> Loop:
    """The heads of a query together; of queries that end together, one a reciprocal a head later than the other."""
    interval = 1 if c.reordered else c.heads
    return Loop(
        name="info", unit="softmax", trips=order.queries, interval=interval, takes=(Take("heads", order.parts),),
        gives=(Give("info", info_beats),),
    )  # fmt: skip


def info_loop(unit: str, order: Order, info_beats: int, beats: int, name: str = "info") -> Loop:
    """Info of the queries that come in a row, into registers that last for all iterations of that row."""
    return Loop(
        name=f"{name} in", unit=unit, trips=order.queries // order.together,
        takes=(Take(name, order.together * info_beats),), gives=(Give("held", beats),),
    )  # fmt: skip


def softmax_fifos(c: OnlineSoftmaxContract) -> tuple[Fifo, ...]:
    """Those within the softmax."""
    heads = Fifo("heads", 2 * max(c.heads, c.slots))
    return (heads, Fifo("sums", c.heads, filled=c.heads)) if _waits(c) else (heads,)


def _waits(c: OnlineSoftmaxContract) -> bool:
    return c.recurrence.interval > c.heads * c.initiation_interval
