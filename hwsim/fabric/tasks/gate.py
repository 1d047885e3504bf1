"""The gate: logits, softmax and choice, queues."""

from __future__ import annotations

from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.topk_gate.contract import TopkGateContract


def gate_task(c: TopkGateContract, tokens: int, *, name: str, x: Walk) -> Task:
    """Tokens until the last one stands in its queues.

    A gate that overlaps its stages begins a token's products while the softmax works on the token before. One that does
    not has a single `turn`, which a token takes with its first beat and gives back when it stands in its queues.
    """
    takes = [Take("x")]
    gives = [Give("logits", when=Pattern(first=c.tiles - 1, period=c.tiles), after=c.mac.latency)]
    fifos = [port_fifo("x"), Fifo("logits", 1), Fifo("choices", 1)]
    queue_gives = []
    if c.serial:
        takes.append(Take("turn", when=Pattern(period=c.tiles)))
        queue_gives.append(Give("turn"))
        fifos.append(Fifo("turn", 1, filled=1))
    logits = Loop(name="logits", unit="gate", trips=tokens * c.tiles, start=1, takes=takes, gives=gives)
    softmax = Loop(
        name="softmax", unit="gate", trips=tokens, interval=c.softmax_cycles, takes=(Take("logits"),),
        gives=(Give("choices", after=c.softmax_cycles + c.latency - 1 - c.serial),),
    )  # fmt: skip
    queues = Loop(name="queues", unit="gate", trips=tokens, takes=(Take("choices"),), gives=queue_gives)
    return Task(
        unit="gate", kind="route", name=name, fifos=fifos, loops=(logits, softmax, queues), transfers=(x.read("x"),)
    )
