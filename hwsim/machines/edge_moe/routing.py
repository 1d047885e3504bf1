"""Which tokens an expert gets in a step."""

from __future__ import annotations

from hwsim.mapping.operators import ExpertFfn
from hwsim.mapping.step import Step


def tokens_of_experts(op: ExpertFfn, step: Step, image: int) -> tuple[tuple[int, ...], ...]:
    """The tokens in each expert's queue for one image of a step, by their numbers within the image, ascending."""
    first = image * step.queries
    chosen_tk = op.token_experts(step)[first : first + step.queries]
    return tuple(
        tuple((chosen_tk == expert).any(axis=1).nonzero()[0].tolist()) for expert in range(op.experts)
    )
