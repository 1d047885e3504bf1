"""A cache of experts, walked token by token: which accesses miss, and which expert gives way."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hwsim.machines.m3vit.spec import Policy
from hwsim.mapping.workload.token_experts import Experts

NEVER = 1 << 62  # token of a use that does not come


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
    held_first : whether those of a token's experts that are held when its turn comes are served before the others
    """

    capacity: int
    policy: Policy
    seed: int = 0
    held_first: bool = False
    _held: dict[int, _Held] = field(default_factory=dict)

    def misses(self, experts: Experts) -> Iterator[Miss]:
        """The misses of accesses in the order of tokens.

        Parameters
        ----------
        experts : (tokens, top_k)
        """
        future, access = _Future(experts), -1
        generator = np.random.default_rng(self.seed)
        for token, own in enumerate(experts.tolist()):
            order = sorted(own, key=lambda expert: expert not in self._held) if self.held_first else own
            for place, expert in enumerate(order):
                access += 1
                if expert not in self._held:
                    used = -1
                    if len(self._held) == self.capacity:
                        victim = self._victim(future, token, order[place:], generator)
                        used = self._held.pop(victim).used
                    yield Miss(access=access, expert=expert, victim_used=used)
                    self._held[expert] = _Held(since=access, used=access)
                held = self._held[expert]
                held.used, held.uses = access, held.uses + 1

    def _victim(self, future: _Future, token: int, rest: list[int], generator: np.random.Generator) -> int:
        """Who gives way while a token is served whose experts from here on are `rest`."""
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
                return max(held, key=lambda expert: (future.next_use(expert, token, rest), -expert))


class _Future:
    """Which tokens each expert will serve."""

    def __init__(self, experts: Experts) -> None:
        self._tokens: dict[int, list[int]] = defaultdict(list)
        for token, own in enumerate(experts.tolist()):
            for expert in own:
                self._tokens[expert].append(token)

    def next_use(self, expert: int, token: int, rest: list[int]) -> tuple[int, int]:
        """The next token that an expert serves, and the place among its experts where that is this token."""
        if expert in rest:
            return token, rest.index(expert)
        tokens = self._tokens[expert]
        following = bisect_right(tokens, token)
        return (tokens[following] if following < len(tokens) else NEVER), 0
