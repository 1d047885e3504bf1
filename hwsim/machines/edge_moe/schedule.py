"""When instructions may begin: the source's order, or as early as data, banks and units allow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from hwsim.machines.edge_moe.hazards import hazards_of
from hwsim.machines.edge_moe.instructions import Instruction

# What the source starts at once; it goes on when all of these have ended.
Stage = tuple[Instruction, ...]


def in_stages(stages: Sequence[Stage]) -> tuple[Instruction, ...]:
    """The source's schedule: stage after stage."""
    ordered: list[Instruction] = []
    before: tuple[int, ...] = ()
    for stage in filter(None, stages):
        first = len(ordered)
        ordered += [instruction.depending(before) for instruction in stage]
        before = tuple(range(first, len(ordered)))
    return tuple(ordered)


def overlapped(stages: Sequence[Stage], there: Sequence[str], images: Sequence[int]) -> tuple[Instruction, ...]:
    """Ours: an instruction begins when its data lie there, its results have room and its unit is free.

    Images follow each other even so: what an image waits for besides is the end of the image before.

    Parameters
    ----------
    there : what was written before the first instruction
    images : the number of each stage's image, ascending
    """
    flat = [instruction for stage in stages for instruction in stage]
    image_of = [image for stage, image in zip(stages, images) for _ in stage]
    ordered: list[Instruction] = []
    ends: tuple[int, ...] = ()  # of the image before: what nothing else in it waits for
    waited: set[int] = set()
    ended: list[int] = []  # what has ended when an instruction begins, as bits
    first = 0
    for number, needed in enumerate(hazards_of(flat, there)):
        if number and image_of[number] != image_of[number - 1]:
            ends = tuple(other for other in range(first, number) if other not in waited)
            first = number
        after = _needed_most([other for other in needed if other >= first], ended) or ends
        ended.append(reduce(or_, (ended[other] | 1 << other for other in after), 0))
        waited.update(after)
        ordered.append(flat[number].depending(after))
    return tuple(ordered)


def _needed_most(needed: Sequence[int], ended: Sequence[int]) -> tuple[int, ...]:
    """Those that are left when each drops what it waits for itself."""
    implied = reduce(or_, (ended[other] for other in needed), 0)
    return tuple(sorted(other for other in needed if not implied >> other & 1))
