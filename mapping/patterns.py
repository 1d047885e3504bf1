"""Which keys a query attends to: an algebra of patterns with closed forms for the number of pairs.

Queries are the last `n_q` of `n_k` positions: query i stands at position n_k - n_q + i and a causal query sees
the keys up to its own position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

PatternName = Literal["full", "causal", "window"]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A set of (query, key) pairs, given for each query as one range of keys."""

    @property
    def causal(self) -> bool:
        """Whether no query sees a key behind its own position."""
        raise NotImplementedError

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        """Range [first, last) of the keys that the query at `position` sees among `n_k`."""
        raise NotImplementedError

    def pairs(self, n_q: int, n_k: int) -> int:
        """Number of (query, key) pairs, in closed form."""
        raise NotImplementedError

    def check(self, n_q: int, n_k: int) -> None:
        """Check that the queries have positions among the keys.

        Raises
        ------
        ValueError : more queries than positions
        """
        if not 0 <= n_q <= n_k:
            raise ValueError(f"{n_q} queries need at least as many positions, got {n_k}")

    def union_keys(self, n_q: int, n_k: int) -> int:
        """Number of keys that at least one query sees; the ranges of neighbouring queries overlap or touch."""
        self.check(n_q, n_k)
        if n_q == 0:
            return 0
        first = self.keys(n_k - n_q, n_k)[0]
        last = self.keys(n_k - 1, n_k)[1]
        return last - first

    def mask(self, n_q: int, n_k: int) -> NDArray[np.bool_]:
        """(n_q, n_k) the pairs written out: the slow oracle of the closed forms."""
        self.check(n_q, n_k)
        mask = np.zeros((n_q, n_k), dtype=np.bool_)
        for query in range(n_q):
            first, last = self.keys(n_k - n_q + query, n_k)
            mask[query, first:last] = True
        return mask


@dataclass(frozen=True, kw_only=True)
class Full(Pattern):
    """Every query sees every key, be they of its own sequence or of another one."""

    @property
    def causal(self) -> bool:
        return False

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        return 0, n_k

    def check(self, n_q: int, n_k: int) -> None:
        """Nothing to check: positions do not matter, so that queries may be more than the keys of another sequence."""

    def pairs(self, n_q: int, n_k: int) -> int:
        return n_q * n_k

    def __str__(self) -> str:
        return "full"


@dataclass(frozen=True, kw_only=True)
class Causal(Pattern):
    """A query sees the keys up to its own position."""

    @property
    def causal(self) -> bool:
        return True

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        return 0, min(position + 1, n_k)

    def pairs(self, n_q: int, n_k: int) -> int:
        self.check(n_q, n_k)
        return n_q * (n_k - n_q) + n_q * (n_q + 1) // 2

    def __str__(self) -> str:
        return "causal"


@dataclass(frozen=True, kw_only=True)
class Window(Pattern):
    """A query sees `left` keys before its position, its own, and `right` keys behind it."""

    left: int
    right: int = 0

    def __post_init__(self) -> None:
        if self.left < 0 or self.right < 0:
            raise ValueError(f"window: left {self.left} and right {self.right} must not be negative")

    @property
    def causal(self) -> bool:
        return self.right == 0

    def keys(self, position: int, n_k: int) -> tuple[int, int]:
        return max(0, position - self.left), min(n_k, position + self.right + 1)

    def pairs(self, n_q: int, n_k: int) -> int:
        self.check(n_q, n_k)
        first = n_k - n_q
        cut_left = _triangle(self.left - first) - _triangle(self.left - n_k)
        cut_right = _triangle(self.right) - _triangle(self.right - n_q)
        return n_q * (self.left + self.right + 1) - cut_left - cut_right

    def __str__(self) -> str:
        return f"window({self.left}, {self.right})"


def _triangle(n: int) -> int:
    """1 + 2 + ... + n, the pairs that an edge cuts off n queries in a row; none for n < 1."""
    return n * (n + 1) // 2 if n > 0 else 0
