"""A softmax that passes over the scores in memory three times."""

from __future__ import annotations

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task, Transfer
from hwsim.fabric.tasks.attention import Order, gather_loop, info_loop
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.plain.softmax import Pass, SoftmaxPassesContract


def softmax_pass_task(
    c: SoftmaxPassesContract,
    which: Pass,
    tokens: int,
    *,
    name: str,
    scores: Walk,
    info: Walk,
    row_beats: int,
    info_beats: int,
) -> Task:
    """One of the passes. All but the first read what the one before left of each query, and replace the scores.

    Parameters
    ----------
    scores, info : read and, where the pass replaces them, written
    row_beats, info_beats : beats of a row of scores, and of what is left of a query
    """
    order = Order.of(c, tokens, c.heads)
    reads_info, writes_scores = which != "maximum", which != "maximum"
    early = 1 if reads_info else 0
    takes, gives = [Take("scores", row_beats, Pattern(period=c.heads))], []
    loops: list[Loop] = []
    fifos, transfers = [port_fifo("scores", row_beats)], [scores.read("scores")]
    if reads_info:
        loops.append(info_loop("softmax", order, info_beats, c.heads, name="before"))
        takes.append(Take("held", when=order.comes))
        fifos += [port_fifo("before", order.together * info_beats), Fifo("held", 2 * c.heads)]
        transfers.append(info.read("before"))
    if writes_scores:
        last = Pattern(first=c.heads - 1, period=c.heads)
        gives.append(Give("replaced", row_beats, last, after=c.score_latency(which) - early))
        fifos.append(port_fifo("replaced", row_beats))
        transfers.append(scores.write("replaced"))
    if c.leaves_info(which):
        gives.append(Give("heads", order.together, order.ends, after=c.info_latency(which) - 2 - early))
        fifos += [Fifo("heads", 2 * max(c.heads, c.slots)), port_fifo("info", info_beats)]
        transfers.append(info.write("info"))
    loops.append(
        Loop(name=which, unit="softmax", trips=order.rows * c.heads, start=1 + early, takes=takes, gives=gives)
    )
    if c.leaves_info(which):
        loops.append(gather_loop(c, order, info_beats))
    return _task(name, fifos, loops, transfers)


def _task(name: str, fifos: list[Fifo], loops: list[Loop], transfers: list[Transfer]) -> Task:
    return Task(unit="softmax", kind="softmax", name=name, fifos=fifos, loops=loops, transfers=transfers)
