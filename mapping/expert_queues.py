"""How long the queues of experts are over a run: what a report says of a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class ExpertQueues:
    """Queue lengths in tokens, over all steps, layers and experts.

    Attributes
    ----------
    p99 : the least length that at least 99 of 100 queues do not exceed
    used : experts that get a token, on average over steps and layers
    """

    mean: float
    p99: int
    longest: int
    used: float


def expert_queues(graph: OperatorGraph, steps: Iterable[Step]) -> ExpertQueues | None:
    """What the load of the steps gives the experts of a graph; None where it has none.

    Raises
    ------
    WorkloadError : a load that is still to be computed, or a trace that does not have a step
    """
    operators = [op for op in graph.operators if isinstance(op, ExpertFfn)]
    lengths: Counter[int] = Counter()
    choices = 0
    for step in steps:
        for op in operators:
            lengths.update(op.queue_lengths(step))
            choices += 1
    if not lengths:
        return None
    queues = lengths.total()
    return ExpertQueues(
        mean=sum(length * count for length, count in lengths.items()) / queues,
        p99=_at_rank(lengths, -(-99 * queues // 100)),
        longest=max(lengths),
        used=(queues - lengths[0]) / choices,
    )


def _at_rank(lengths: Counter[int], rank: int) -> int:
    """The length at a rank, counted from 1, of all in ascending order."""
    seen = 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= rank:
            return length
    raise ValueError(f"rank {rank} of {seen}")
