"""A cache of experts, walked token by token: which accesses miss, and which expert gives way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hwsim.machines.m3vit.spec import Policy
from hwsim.mapping.workload.token_experts import Experts

NEVER = 1 << 62  # place of an access that does not come


@dataclass(frozen=True, kw_only=True)
class Miss:
    """An expert that is fetched.

    Attributes
    ----------
    access : place in the order of accesses for which it is fetched
    victim_used : place of the last access to the expert that gives way; -1 where there is an empty place
    """

    access: int
    expert: int
    victim_used: int


@dataclass
class _Held:
    """What is known of an expert in the cache."""

    since: int
    used: int
    uses: int = 0


@dataclass
class ExpertCache:
    """`capacity` whole experts, any of them in any place; it begins empty.

    Attributes
    ----------
    policy : which expert gives way. lru: the least recently used. fifo: the one that came first. lfu: the least often
        used since it came, of those the least recently used. random: any. optimal: the one that is needed again
        latest, which no policy can know
    """

    capacity: int
    policy: Policy
    seed: int = 0
    _held: dict[int, _Held] = field(default_factory=dict)

    def misses(self, experts: Experts) -> Iterator[Miss]:
        """The misses of accesses in the order of tokens, each token's experts in their own order.

        Parameters
        ----------
        experts : (tokens, top_k)
        """
        order = experts.ravel().tolist()
        again = _next_uses(order) if self.policy == "optimal" else []
        generator = np.random.default_rng(self.seed)
        for access, expert in enumerate(order):
            if expert not in self._held:
                used = -1
                if len(self._held) == self.capacity:
                    victim = self._victim(again, generator)
                    used = self._held.pop(victim).used
                yield Miss(access=access, expert=expert, victim_used=used)
                self._held[expert] = _Held(since=access, used=access)
            held = self._held[expert]
            held.used, held.uses = access, held.uses + 1

    def _victim(self, again: list[int], generator: np.random.Generator) -> int:
        held = self._held
        match self.policy:
            case "lru":
                return min(held, key=lambda expert: held[expert].used)
            case "fifo":
                return min(held, key=lambda expert: held[expert].since)
            case "lfu":
                return min(held, key=lambda expert: (held[expert].uses, held[expert].used))
            case "random":
                return sorted(held)[int(generator.integers(len(held)))]
            case "optimal":
                return max(held, key=lambda expert: (again[held[expert].used], -expert))


def _next_uses(order: list[int]) -> list[int]:
    """For each access the place of the next one to the same expert."""
    found, following = [NEVER] * len(order), dict[int, int]()
    for access in range(len(order) - 1, -1, -1):
        found[access] = following.get(order[access], NEVER)
        following[order[access]] = access
    return found
