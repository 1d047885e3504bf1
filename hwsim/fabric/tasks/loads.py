"""Loads of what stays on the chip for a while: weights with their biases, norms, the gate's weights, patch weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.errors import WiringError
from hwsim.fabric.task import Fifo, Give, Loop, Pattern, Take, Task
from hwsim.fabric.tasks.walk import Walk, port_fifo
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.patch_embed.contract import PatchEmbedContract
from hwsim.rtl.topk_gate.contract import TopkGateContract
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of several loops that follow each other.

    Attributes
    ----------
    trips, interval : iterations, and cycles from one to the next
    share : iterations that a beat serves
    """

    name: str
    trips: int
    walk: Walk
    interval: int = 1
    share: int = 1


def weights_task(
    c: WeightLoaderContract, group: Group, *, name: str, unit: str, weights: Walk, bias: Walk | None
) -> Task:
    """The weights of a group, then its biases, which lie elsewhere; then the registers before the bank."""
    c.check(group)
    words, tiles = group.words * c.word_beats, group.out_tiles * c.bias_beats if bias is not None else 0
    trips = words + tiles + c.load_stages  # the last ones take nothing: the way through the registers
    takes = [Take("weights", when=Pattern(period=trips, length=words))]
    fifos, transfers = [port_fifo("weights")], [weights.read("weights")]
    if bias is not None:
        takes.append(Take("biases", when=Pattern(first=words, period=trips, length=tiles)))
        fifos.append(port_fifo("biases"))
        transfers.append(bias.read("biases"))
    load = Loop(name="load", unit=unit, trips=trips, start=1, takes=takes)
    return Task(unit=unit, kind="load", name=name, fifos=fifos, loops=(load,), transfers=transfers)


def norms_task(
    c: NormLoaderContract,
    vectors: Sequence[tuple[str, Walk]],
    *,
    name: str,
    first: bool,
    last: bool,
) -> Task:
    """Vectors of weights and biases of norms, in turn.

    The rows of a beat of biases leave one after the other, each with weights that came before. Where each vector waits
    for the memory anew, it is a task of its own, after a pause.

    Parameters
    ----------
    vectors : `weight` or `bias`, and where it lies
    first, last : whether the command, and the way out of the last row, belong to these vectors
    """
    if c.pause and len(vectors) > 1:
        raise WiringError(f"{name}: with a pause of {c.pause} cycles expected one vector a task, got {len(vectors)}")
    parts = [
        Part(
            name=f"{place}.{which}", trips=c.vector_beats, walk=walk, interval=c.beat_rows if which == "bias" else 1,
            share=c.vector_beats // walk.total,
        )
        for place, (which, walk) in enumerate(vectors)
    ]  # fmt: skip
    drain = c.beat_rows if last else 0
    return _sequence(parts, name=name, unit="norm_loader", start=first + c.pause, drain=drain)


def gate_weights_task(c: TopkGateContract, *, name: str, weights: Walk) -> Task:
    """The weights of a gate, a beat at a time."""
    parts = [Part(name="weights", trips=c.experts * c.tiles, walk=weights)]
    return _sequence(parts, name=name, unit="gate", start=1, drain=0)


def patch_weights_task(c: PatchEmbedContract, *, name: str, weights: Walk, bias: Walk | None) -> Task:
    """The weights of the patches, and beside them the biases.

    A beat of the memory brings several rows of a tile, or a part of one.
    """
    beats, rows = max(1, weights.total // c.weight_beats), max(1, c.weight_beats // weights.total)
    take = Take("weights", beats, Pattern(period=rows))
    loops = [Loop(name="weights", unit="patch_embed", trips=c.weight_beats, start=1, takes=(take,))]
    fifos, transfers = [port_fifo("weights", beats)], [weights.read("weights")]
    if bias is not None:
        loops.append(Loop(name="biases", unit="patch_embed", trips=bias.total, start=1, takes=(Take("biases"),)))
        fifos.append(port_fifo("biases"))
        transfers.append(bias.read("biases"))
    return Task(unit="patch_embed", kind="load", name=name, fifos=fifos, loops=loops, transfers=transfers)


def _sequence(parts: Sequence[Part], *, name: str, unit: str, start: int, drain: int) -> Task:
    """One loop after the other without a gap, and `drain` cycles after the last beat, in iterations that take nothing.

    The next loop may begin when the one before has begun its last iteration: that one's last but one says so, since
    what it puts into a FIFO can be taken in the cycle after.
    """
    if drain % parts[-1].interval:
        raise WiringError(f"{name}: {drain} cycles after the last beat are no intervals of {parts[-1].interval}")
    loops: list[Loop] = []
    fifos, transfers = [], []
    for part, following in zip(parts, (*parts[1:], None)):
        takes = [Take(part.name, when=Pattern(period=part.share, limit=part.walk.total))]
        gives = []
        if loops:
            takes.append(Take(f"{part.name}.turn", when=_only(0)))
        if following:
            if part.trips < 2:
                raise WiringError(f"{name}: expected at least 2 beats before {following.name}, got {part.trips}")
            turn = f"{following.name}.turn"
            gives.append(Give(turn, when=_only(part.trips - 2), after=part.interval))
            fifos.append(Fifo(turn, 1))
        trips = part.trips if following else part.trips + drain // part.interval
        loops.append(Loop(
            name=part.name, unit=unit, trips=trips, interval=part.interval, start=0 if loops else start,
            takes=takes, gives=gives,
        ))  # fmt: skip
        fifos.append(port_fifo(part.name))
        transfers.append(part.walk.read(part.name))
    return Task(unit=unit, kind="load", name=name, fifos=fifos, loops=loops, transfers=transfers)


def _only(iteration: int) -> Pattern:
    return Pattern(first=iteration, limit=1)
