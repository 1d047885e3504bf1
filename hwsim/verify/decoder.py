"""What a model that decodes shows of itself, in float64 or in a machine's arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hwsim.verify.float64 import Values

# Called as observe(function, result, exact) with what a function gave and what float64 gives for the same inputs.
Observe = Callable[[str, Values, Values], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class DecoderStep:
    """One token's way through the layers.

    Attributes
    ----------
    streams : (d_model,) each: the residual stream before the first block and after each block
    logits : (vocab,), or None where the step was not to emit a token
    """

    streams: tuple[Values, ...]
    logits: Values | None

    @property
    def choice(self) -> int:
        """The token with the largest logit, the first of several; NaN is never the largest."""
        assert self.logits is not None
        return int(np.argmax(np.where(np.isnan(self.logits), -np.inf, self.logits)))


class Decoder(Protocol):
    """A model with the keys and values of the tokens that it has seen."""

    def step(self, token: int, *, emit: bool = True) -> DecoderStep:
        """Take in one token after those seen so far, and emit logits or not."""

    def rewind(self, length: int) -> None:
        """Forget all tokens but the first `length`."""
