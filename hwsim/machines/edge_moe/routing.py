"""Which tokens an expert gets in a step."""

from __future__ import annotations

from itertools import accumulate

from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.step import Step


def tokens_of_experts(op: ExpertFfn, step: Step, image: int) -> tuple[tuple[int, ...], ...]:
    """The tokens in each expert's queue for one image of a step, by their numbers within the image, ascending.

    The load says how many tokens an expert gets of the whole step. Experts take them in turn, each as many tokens in a
    row as it gets, from the token after the last one of the expert before: so every token has `top_k` experts, and no
    expert a token twice.
    """
    lengths = op.queue_lengths(step)
    total, first = step.tokens, image * step.queries
    queues = []
    for begin, length in zip(accumulate(lengths, initial=0), lengths):
        chosen = ((begin + place) % total for place in range(length))
        queues.append(tuple(sorted(token - first for token in chosen if first <= token < first + step.queries)))
    return tuple(queues)
