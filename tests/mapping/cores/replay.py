"""A plan walked row by row and stage by stage, with both banks of each core: what the cores compute, slowly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.cores.plan import BEFORE, CorePass, CorePlan

LOCKSTEP = 2  # rows that SV is behind LOAD when all stages advance together
LATEST = 3  # the most that two banks between stages allow


@dataclass(kw_only=True)
class Core:
    """Two banks, each with a row of K and V; a counter says which bank comes next for loading, for QK and for SV."""

    banks: list[int | None] = field(default_factory=lambda: [None, None])
    loads: int = 0
    swaps: dict[str, int] = field(default_factory=lambda: {"QK": -1, "SV": -1})
    loading: set[int] = field(default_factory=set)  # banks that LOAD writes in this slot

    def load(self, key: int) -> None:
        bank = self.loads % 2
        assert bank not in self.loading, "two keys in one bank in one row"
        self.banks[bank] = key
        self.loading.add(bank)
        self.loads += 1

    def read(self, stage: str, begins: bool) -> int:
        """The key that a stage finds; the banks swap for it with the first row of a residency."""
        self.swaps[stage] += begins
        bank = self.swaps[stage] % 2
        assert bank not in self.loading, f"{stage} reads a bank that is being loaded"
        key = self.banks[bank]
        assert key is not None, f"{stage} reads an empty bank"
        return key


def walk(one: CorePass, behind: int) -> Iterator[tuple[str, int, dict[int, int]]]:
    """Stage, row and the key that each core computes it with, slot by slot."""
    held, cores = one.residencies, dict[int, Core]()
    order = np.argsort(held.first, kind="stable").tolist()
    for slot in count(BEFORE):
        for core in cores.values():
            core.loading.clear()
        for index in order:
            if held.loaded[index] == slot:
                cores.setdefault(int(held.core[index]), Core()).load(int(held.key[index]))
        for stage, row in (("QK", slot - 1), ("SV", slot - behind)):
            if 0 <= row < len(one.rows):
                active = [i for i in order if held.first[i] <= row <= held.last[i]]
                found = {int(held.core[i]): cores[int(held.core[i])].read(stage, held.first[i] == row) for i in active}
                assert len(found) == len(active), "a core computes with two keys"
                yield stage, row, found
        if slot - behind == len(one.rows):
            return


def pairs(plan: CorePlan, behind: int) -> NDArray[np.int64]:
    """(queries, keys) how often each pair is computed; QK and SV must compute the same ones."""
    found = {"QK": Counter[tuple[int, int]](), "SV": Counter[tuple[int, int]]()}
    for one in plan.passes:
        for stage, row, cores in walk(one, behind):
            assert all(0 <= core < plan.cores for core in cores)
            assert cores, "a row without work"
            query = int(one.rows[row]) - (plan.keys - plan.queries)
            found[stage].update((query, key) for key in cores.values())
    assert found["QK"] == found["SV"]
    computed = np.zeros((plan.queries, plan.keys), dtype=np.int64)
    for pair, times in found["QK"].items():
        computed[pair] = times
    return computed
