"""Which tokens an expert gets in a step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.step import Step

Queues = tuple[tuple[int, ...], ...]


def experts_of_tokens(op: ExpertFfn, step: Step, image: int) -> NDArray[np.int64]:
    """The experts of each token of one image of a step: (tokens, top_k)."""
    first = image * step.queries
    return op.token_experts(step)[first : first + step.queries]


def tokens_of_experts(op: ExpertFfn, step: Step, image: int) -> Queues:
    """The tokens in each expert's queue for one image of a step, by their numbers within the image.

    Tokens pass the gate in order, so they stand in queues in that order.
    """
    chosen = experts_of_tokens(op, step, image)
    return tuple(tuple(np.flatnonzero((chosen == expert).any(axis=1)).tolist()) for expert in range(op.experts))
