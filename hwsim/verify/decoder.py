"""The interface of a model that decodes, in float64 or in a machine's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hwsim.verify.float64 import Values

# Called as observe(function, result, exact): a function's result, and float64's result for the same inputs.
Observe = Callable[[str, Values, Values], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class DecoderStep:
    """One token's path through the layers.

    Attributes
    ----------
    streams : (d_model,) each: the residual stream before the first block and after each block
    logits : (vocab,), or None if the step does not emit a token
    """

    streams: tuple[Values, ...]
    logits: Values | None

    @property
    def choice(self) -> int:
        """The token with the largest logit, the first of equal ones; NaN is never the largest."""
        assert self.logits is not None
        return int(np.argmax(np.where(np.isnan(self.logits), -np.inf, self.logits)))


class Decoder(Protocol):
    """A model with the keys and values of the tokens that it has seen."""

    def step(self, token: int, *, emit: bool = True) -> DecoderStep:
        """Process one token after those seen so far; return logits if asked to."""

    def rewind(self, length: int) -> None:
        """Forget all tokens but the first `length`."""
