"""The time of a run by kind of work, where several units work side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hwsim.fabric.slots import Ended
from hwsim.fabric.waits import unit_waits
from hwsim.machines.edge_moe.instructions import Instruction
from hwsim.mapping.fpga.target import ATTENTION_ROLES
from hwsim.mapping.operators import ExpertFfn, LayerNorm, Operator, PatchEmbed, Route

# Work that goes on beside other work counts only where nothing else does.
BESIDE = ("load", "fill")
NOTHING, NO_IMAGE = "between calls", "no image"


def kind_of(instruction: Instruction, op: Operator) -> str:
    """The kind of an instruction's work as reports show it: with what a matrix or a load belongs to."""
    if instruction.kind not in ("linear", "load"):
        return instruction.kind
    return f"{instruction.kind}.{part_of(op)}"


def part_of(op: Operator) -> str:
    """The part of a model that an operator belongs to."""
    match op:
        case PatchEmbed():
            return "patch_embed"
        case LayerNorm():
            return "norm"
        case Route():
            return "route"
        case ExpertFfn():
            return "experts"
        case _ if op.role in ATTENTION_ROLES:
            return "attention"
        case _:
            return "ffn" if op.layer is not None else "head"


@dataclass
class KindShares:
    """Ticks by kind, which add up to the time of the run, and of these the ticks in which ports were waited for.

    Where tasks overlap, the time is that of the one which does not go on beside others, of two such of the one that
    began first.

    Attributes
    ----------
    waits : kind -> ticks in which the called unit waited for its ports, as far as they are in `ticks`
    beats : kind -> beats at the ports
    """

    ticks: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    beats: Counter[str] = field(default_factory=Counter)

    def add(self, begun: int, end: int, done: Sequence[tuple[str, Ended]], period: int) -> None:
        """Count the time between two ticks, in which some tasks were played."""
        edges = sorted({begun, end, *(at * period for _, each in done for at in (each.begun, each.ended))})
        waiting = sorted(done, key=lambda entry: entry[1].begun, reverse=True)
        playing: list[tuple[str, Ended]] = []
        shown: Counter[int] = Counter()
        for left, right in pairwise(edges):
            while waiting and waiting[-1][1].begun * period <= left:
                playing.append(waiting.pop())
            playing = [entry for entry in playing if entry[1].ended * period > left]
            first = min(playing, key=_precedence, default=None)
            self.ticks[first[0] if first else NOTHING] += right - left
            if first:
                shown[id(first[1])] += right - left
        for kind, each in done:
            self.waits[kind] += min(waits_for_ports(each) * period, shown[id(each)])
            self.beats[kind] += sum(transfer.total for transfer in each.task.transfers)


def _precedence(entry: tuple[str, Ended]) -> tuple[bool, int]:
    kind, each = entry
    return kind.split(".")[0] in BESIDE, each.begun


def waits_for_ports(ended: Ended) -> int:
    """Cycles in which the called unit waited for its ports."""
    return sum(cycles for cause, cycles in unit_waits(ended, ended.task.unit).items() if cause.kind == "memory")
