"""Attention in the skewed order of `hwsim.rtl.skew`: scores with the single-pass softmax, then values.

An iteration is a beat of a key's (or value's) channels against all slots. Rows in which a query comes or leaves follow
each other, `slots` of them in each pass over the keys, so a `Pattern` says when.
"""

from __future__ import annotations

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.qk_reorder.contract import QkReorderContract
from hwsim.rtl.skew import row_count
from hwsim.rtl.skewed_contract import SkewedContract


def scores_task(
    qk: QkReorderContract,
    softmax: OnlineSoftmaxContract,
    tokens: int,
    *,
    name: str,
    q: Walk,
    k: Walk,
    scores: Walk,
    info: Walk,
    row_beats: int,
    info_beats: int,
    stream_depth: int,
    depth: int,
) -> Task:
    """Scores of all pairs go to memory as they are; the softmax takes them beside that, and leaves a row a query.

    Parameters
    ----------
    row_beats : beats in memory of a row of scores, of all slots and heads
    info_beats : beats in memory of the maximum and the inverse sum of a query's heads
    stream_depth : heads of a row that wait between the two units
    """
    loops = (scores_loop(qk, tokens, row_beats), *softmax_loops(softmax, tokens, info_beats))
    fifos = (
        Fifo("q", depth), Fifo("k", depth), Fifo("raw", depth), Fifo("scores", stream_depth), Fifo("info", depth),
        *softmax_fifos(softmax),
    )  # fmt: skip
    transfers = (q.read("q"), k.read("k"), scores.write("raw"), info.write("info"))
    return Task(unit="qk", kind="attention_scores", name=name, fifos=fifos, loops=loops, transfers=transfers)


def values_task(
    c: MvContract,
    tokens: int,
    *,
    name: str,
    v: Walk,
    scores: Walk,
    info: Walk,
    y: Walk,
    row_beats: int,
    info_beats: int,
    depth: int,
) -> Task:
    """Probabilities of raw scores, times values. A query's info is held in a register while its row begins."""
    held = Fifo("held", 2 * c.token_beats)
    fetch = Loop(
        name="info", unit="mv", trips=tokens, takes=(Take("info", info_beats),), gives=(Give("held", c.token_beats),)
    )
    multiply = Loop(
        name="values", unit="mv", trips=row_count(tokens, c.slots) * c.token_beats, start=2,
        takes=(
            Take("v"), Take("scores", row_beats, Pattern(period=c.token_beats)), Take("held", when=refills(c, tokens)),
        ),
        gives=(Give("y", when=leavings(tokens, c.slots, c.token_beats), after=c.latency - 1),),
    )  # fmt: skip
    fifos = (Fifo("v", depth), Fifo("scores", depth), Fifo("info", depth), held, Fifo("y", depth))
    transfers = (v.read("v"), scores.read("scores"), info.read("info"), y.write("y"))
    return Task(
        unit="mv", kind="attention_values", name=name, fifos=fifos, loops=(fetch, multiply), transfers=transfers
    )


def scores_loop(c: QkReorderContract, tokens: int, row_beats: int) -> Loop:
    """A beat of a key a cycle; in rows that refill a slot, a beat of a query too."""
    each_head = Pattern(first=c.head_beats - 1, period=c.head_beats)
    each_row = Pattern(first=c.token_beats - 1, period=c.token_beats)
    return Loop(
        name="scores", unit="qk", trips=row_count(tokens, c.slots) * c.token_beats, start=1,
        takes=(Take("k"), Take("q", when=refills(c, tokens))),
        gives=(Give("scores", when=each_head, after=c.latency), Give("raw", row_beats, each_row, after=c.latency)),
    )  # fmt: skip


def softmax_loops(c: OnlineSoftmaxContract, tokens: int, info_beats: int) -> tuple[Loop, ...]:
    """A head of all slots in each iteration, then the heads of a query that has seen all keys together.

    A head needs its sum of the row before; where a row has fewer iterations than that takes, `sums` makes it wait.
    """
    takes, gives = [Take("scores")], []
    if _waits(c):
        takes.append(Take("sums"))
        gives.append(Give("sums", after=c.recurrence.interval - 1))
    gives.append(Give("heads", when=leavings(tokens, c.slots, c.heads), after=c.latency - 2))
    running = Loop(
        name="softmax", unit="softmax", trips=c.rows(tokens) * c.heads, interval=c.initiation_interval, start=1,
        takes=takes, gives=gives,
    )  # fmt: skip
    gather = Loop(
        name="info", unit="softmax", trips=tokens, takes=(Take("heads", c.heads),), gives=(Give("info", info_beats),)
    )
    return running, gather


def softmax_fifos(c: OnlineSoftmaxContract) -> tuple[Fifo, ...]:
    """Those within the softmax."""
    heads = Fifo("heads", 2 * c.heads)
    return (heads, Fifo("sums", c.heads, filled=c.heads)) if _waits(c) else (heads,)


def refills(c: SkewedContract, tokens: int) -> Pattern:
    """Iterations in which a query's channels come: the first `slots` rows of each pass, until there are no more."""
    beats = c.token_beats
    return Pattern(period=tokens * beats, length=min(c.slots, tokens) * beats, limit=tokens * beats)


def leavings(tokens: int, slots: int, beats: int) -> Pattern:
    """Iterations of rows in which a query has seen all keys: from the last row of a pass on, `slots` of them."""
    first, length = (tokens - 1) * beats, min(slots, tokens) * beats
    return Pattern(first=first, period=tokens * beats, length=length, limit=tokens * beats)


def _waits(c: OnlineSoftmaxContract) -> bool:
    return c.recurrence.interval > c.heads * c.initiation_interval
