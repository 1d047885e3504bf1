"""The instructions of a layer's experts, in the three ways to have their weights at hand.

reorder : tokens are queued by expert while they pass the gate; then experts are computed one after the other, each over
    its queue, while the weights of the next come into the buffers
resident : the same, with room for all experts of a layer
cache : tokens in their order, each through its own experts, which a cache holds or fetches
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from hwsim.errors import MachineError
from hwsim.fabric.task import Task
from hwsim.machines.m3vit.expert_cache import ExpertCache, Miss
from hwsim.machines.m3vit.instructions import Instruction, Load, Work
from hwsim.machines.m3vit.maker import Maker
from hwsim.machines.m3vit.parts import weight_memories
from hwsim.machines.m3vit.pipelines import ExpertTiles, Rows, expert_queue, expert_visits
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.machines.m3vit.weights import Part
from hwsim.mapping.operators import ExpertFfn

# Makes the work in which tokens pass the gate, given the loads that nobody needs any more once this is done.
Routing = Callable[[Sequence[str]], Iterator[Instruction]]


def expert_instructions(maker: Maker, op: ExpertFfn, routing: Routing) -> Iterator[Instruction]:
    """The instructions of a layer from the projection on.

    Raises
    ------
    MachineError : a cache that holds no expert, an expert in passes that a cache would have to hold
    """
    yield from (_through_cache if maker.spec.mode == "cache" else _by_queue)(maker, op, routing)
    if maker.spec.activations == "memory":  # the sums of experts, which added up on the chip
        yield maker.work(op, [maker.added_to(op.width)], maker.tokens, name=f"{op.name}.add")


def _by_queue(maker: Maker, op: ExpertFfn, routing: Routing) -> Iterator[Instruction]:
    """Expert by expert."""
    chosen, experts = op.token_experts(maker.step), maker.weights.experts[op.name]
    queues = [np.flatnonzero((chosen == expert).any(axis=1)) for expert in range(op.experts)]
    early = _preloaded(maker, op)
    for expert in range(early):
        yield from map(maker.load, experts[expert])
    empty = [maker.loaded(part) for n in range(early) if not len(queues[n]) for part in experts[n]]
    routed = ""
    for instruction in routing(empty):
        routed = instruction.name if isinstance(instruction, Work) else routed
        yield instruction
    for expert, queue in enumerate(queues):
        if len(queue):
            late = None if expert < early else (routed,)
            yield from _expert(maker, op, experts[expert], queue.tolist(), late)


def _preloaded(maker: Maker, op: ExpertFfn) -> int:
    """How many experts, the first ones, come before it is known which have tokens: as many as there is room for."""
    if maker.spec.mode == "resident":
        return op.experts
    if not maker.spec.preload or len(maker.weights.experts[op.name][0]) > 1:
        return 0
    room = weight_memories(maker.spec, maker.sizes)["experts"]
    return min(op.experts, room // maker.weights.expert_bytes)


def _expert(
    maker: Maker, op: ExpertFfn, passes: Sequence[Part], queue: list[int], late: Sequence[str] | None
) -> Iterator[Instruction]:
    """An expert over its queue.

    Parameters
    ----------
    late : what its loads wait for; None if they were given already
    """
    if len(passes) > 1:
        yield from _in_passes(maker, op, passes, queue, late)
        return
    if late is not None:
        yield maker.load(passes[0], late)
    (part,), tiles = passes, expert_tiles(maker, op)
    name, reads = maker.label(part.name), maker.activations.gathered("normed", queue, op.width)
    task = _queue_task(len(queue), tiles, reads).renamed(name)
    own = (maker.loaded(part),)
    yield _expert_work(op, name, task, len(queue), tiles, needs=own, frees=own)


def _in_passes(
    maker: Maker, op: ExpertFfn, passes: Sequence[Part], queue: list[int], late: Sequence[str] | None
) -> Iterator[Instruction]:
    """An expert that is larger than a buffer: all parts of its first matrix, then those of its second."""
    for part in passes:
        if late is not None:
            yield maker.load(part, late)
        rows = maker.activations.gathered("normed", queue, op.width)
        engine = maker.matrix(part.d_in, part.d_out, reads=None if part.second else rows)
        behind = maker.adder(part.d_out) if part.second else maker.gelu(part.d_out)
        own, count = (maker.loaded(part),), len(queue)
        yield maker.work(
            op, [engine, behind], count, name=part.name, needs=own, frees=own,
            tiles=count * engine.interval, macs=count * part.d_in * part.d_out,
        )  # fmt: skip


def _through_cache(maker: Maker, op: ExpertFfn, routing: Routing) -> Iterator[Instruction]:
    """Token by token. The cache begins empty: the layer before used its room."""
    capacity = cache_places(maker, op)
    last = ""
    for instruction in routing(()):
        last = instruction.name if isinstance(instruction, Work) else last
        yield instruction
    room = Load(
        name=maker.label(f"{op.name}.cache"),
        region="experts",
        room_bytes=weight_memories(maker.spec, maker.sizes)["experts"],
        part_bytes=0,
        task=None,
    )
    yield room
    chosen = op.token_experts(maker.step)
    misses = list(new_cache(maker.spec, capacity).misses(chosen))
    yield from _stretches(maker, op, misses, chosen.size, last, room.name)


def _stretches(
    maker: Maker, op: ExpertFfn, misses: Sequence[Miss], accesses: int, before: str, room: str
) -> Iterator[Instruction]:
    """Accesses from a miss to the next, each such stretch after the fetch of its first expert.

    A fetch waits for the stretch in which the expert that gives way was used last, and for the one that lies
    `fetch_ahead` stretches before its own.
    """
    tiles, experts = expert_tiles(maker, op), maker.weights.experts[op.name]
    begins = [miss.access for miss in misses] + [accesses]
    names = [maker.label(f"{op.name}.stretch{number}") for number in range(len(misses))]
    for number, miss in enumerate(misses):
        (part,) = experts[miss.expert]
        after = (
            [names[number - 1 - maker.spec.cache.fetch_ahead]] if number > maker.spec.cache.fetch_ahead else [before]
        )
        if miss.victim_used >= 0:
            after.append(names[int(np.searchsorted(begins, miss.victim_used, side="right")) - 1])
        fetch = maker.load(part, (room, *dict.fromkeys(after)), name=f"{part.name}.fetch{number}", room=False)
        yield fetch
        visits = begins[number + 1] - begins[number]
        tokens = [access // op.top_k for access in range(begins[number], begins[number + 1])]
        reads = maker.activations.gathered("normed", tokens, op.width)
        task = _visit_task(visits, tiles, reads).renamed(names[number])
        frees = (fetch.name, *((room,) if number == len(misses) - 1 else ()))
        work = _expert_work(op, names[number], task, visits, tiles, needs=(fetch.name,), frees=frees)
        yield replace(work, visits=visits)


def _expert_work(
    op: ExpertFfn, name: str, task: Task, tokens: int, tiles: ExpertTiles, *, needs: Sequence[str], frees: Sequence[str]
) -> Work:
    return Work(
        name=name, kind=op.kind, operator=op.name, task=task, needs=tuple(needs), frees=tuple(frees),
        tiles=tokens * (tiles.up + tiles.down), macs=tokens * 2 * op.width * op.hidden,
    )  # fmt: skip


def new_cache(spec: M3vitSpec, capacity: int) -> ExpertCache:
    """The cache of the spec, empty."""
    cache = spec.cache
    return ExpertCache(capacity=capacity, policy=cache.policy, seed=cache.seed, held_first=cache.held_first)


def cache_places(maker: Maker, op: ExpertFfn) -> int:
    """Experts that the cache holds.

    Raises
    ------
    MachineError : none
    """
    size, capacity = maker.weights.expert_bytes, maker.spec.cache.capacity_bytes
    if size > capacity:
        raise MachineError(f"{maker.spec.name}: cache.capacity_bytes {capacity} holds no expert of {size} B")
    if len(maker.weights.experts[op.name][0]) > 1:
        buffer = maker.spec.buffers.expert_buffer_bytes
        raise MachineError(f"{maker.spec.name}: mode cache needs whole experts, of {size} B; a buffer holds {buffer} B")
    return capacity // size


def expert_tiles(maker: Maker, op: ExpertFfn) -> ExpertTiles:
    """Cycles of a token in an expert."""
    engine = maker.spec.head_engine
    return ExpertTiles(
        up=engine.matrix_tiles(op.width, op.hidden),
        down=engine.matrix_tiles(op.hidden, op.width),
        gelu=maker.gelu(op.hidden),
        adder=maker.adder(op.width),
        latency=engine.latency,
    )


@lru_cache(maxsize=1024)
def _queue_task(tokens: int, tiles: ExpertTiles, reads: Rows | None) -> Task:
    return expert_queue("queue", tokens, tiles, reads=reads)


@lru_cache(maxsize=1024)
def _visit_task(visits: int, tiles: ExpertTiles, reads: Rows | None) -> Task:
    return expert_visits("stretch", visits, tiles, reads=reads)
