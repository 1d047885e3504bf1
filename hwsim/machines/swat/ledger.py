"""What a run has done, operator by operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hwsim.machines.swat.companion.player import Played as CompanionPlayed
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.machines.swat.lower import AttentionWork
from hwsim.machines.swat.rows.player import Played
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True)
class AttentionDone:
    """An operator of attention that has ended.

    Attributes
    ----------
    played : of each pipeline, in order, by group of heads; a pipeline without heads has none
    """

    work: AttentionWork
    step: Step
    begun: int
    ended: int
    played: tuple[tuple[Played, ...], ...]

    @property
    def all_played(self) -> Iterator[Played]:
        """Of all pipelines."""
        for each in self.played:
            yield from each


@dataclass(kw_only=True)
class Ledger:
    """Sums over the operators that have ended, and those of attention themselves.

    Attributes
    ----------
    kinds : kind of operator -> ticks
    beside : operators of the companion
    """

    kinds: Counter[str] = field(default_factory=Counter)
    beside: list[tuple[CompanionWork, CompanionPlayed]] = field(default_factory=list)
    attention: list[AttentionDone] = field(default_factory=list)
    operators: int = 0

    def note(self, done: AttentionDone) -> None:
        """Add an operator of attention."""
        self.kinds[done.work.kind] += done.ended - done.begun
        self.attention.append(done)
        self.operators += 1

    def note_beside(self, work: CompanionWork, begun: int, played: CompanionPlayed) -> None:
        """Add an operator of the companion, which had to wait for the memory from tick `begun` on."""
        self.kinds[work.kind] += played.ended - begun
        self.beside.append((work, played))
        self.operators += 1

    @property
    def busy(self) -> Counter[str]:
        """Stage -> ticks in which it worked, over all pipelines."""
        found: Counter[str] = Counter()
        for done in self.attention:
            for played in done.all_played:
                found.update(played.busy)
        return found

    def total(self, name: str) -> int:
        """Sum of a number of `Played`."""
        return sum(getattr(played, name) for done in self.attention for played in done.all_played)
