"""A plan walked row by row and stage by stage, with both banks of each core: what the cores compute, slowly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.cores.plan import BEFORE, CorePass, CorePlan
from hwsim.mapping.cores.prologue import AFTERWARDS, hide_prologue
from hwsim.mapping.cores.target import CoreTarget


def lags(target: CoreTarget) -> tuple[int, int]:
    """Rows that SV is behind LOAD: with all stages in lockstep, and the most that two banks between stages allow."""
    return target.sv_stage, 2 * target.sv_stage - 1


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


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A stage that works for a row of a pass: the key that each core computes it with."""

    stage: str
    number: int
    row: int
    keys: dict[int, int]


def walk(passes: Sequence[CorePass], behind: int, target: CoreTarget) -> Iterator[Slot]:
    """Passes one after the other on the same cores; while LOAD works for row r, QK works for r - 1, SV for r - behind.

    What a pass needs before its first row is loaded where `hide_prologue` says.
    """
    cores = dict[int, Core]()
    begins = np.cumsum([0, *(len(one.rows) + target.drain for one in passes)]).tolist()
    due = _loads_by_slot(passes, begins, target)
    number = 0
    for slot in range(BEFORE, begins[-1]):
        for core in cores.values():
            core.loading.clear()
        for core_number, key in due.get(slot, []):
            cores.setdefault(core_number, Core()).load(key)
        if number + 1 < len(passes) and slot == begins[number + 1]:
            number += 1
        if slot == BEFORE:
            continue
        held = passes[number].residencies
        for stage, row in (("QK", slot - begins[number] - 1), ("SV", slot - begins[number] - behind)):
            if 0 <= row < len(passes[number].rows):
                active = np.flatnonzero((held.first <= row) & (row <= held.last)).tolist()
                keys = {int(held.core[i]): cores[int(held.core[i])].read(stage, held.first[i] == row) for i in active}
                assert len(keys) == len(active), "a core computes with two keys"
                yield Slot(stage=stage, number=number, row=row, keys=keys)


def _loads_by_slot(
    passes: Sequence[CorePass], begins: list[int], target: CoreTarget
) -> dict[int, list[tuple[int, int]]]:
    """Core and key of the loads in each slot."""
    due: dict[int, list[tuple[int, int]]] = {}
    for number, one in enumerate(passes):
        held = one.residencies
        slots = begins[number] + held.loaded
        if number:
            rows = hide_prologue(passes[number - 1], one, target)
            ahead = begins[number - 1] + rows
            slots[held.loaded == BEFORE] = np.where(rows == AFTERWARDS, begins[number] - 1, ahead)
        for index in np.argsort(held.first, kind="stable").tolist():
            due.setdefault(int(slots[index]), []).append((int(held.core[index]), int(held.key[index])))
    return due


def pairs(plan: CorePlan, behind: int, target: CoreTarget) -> NDArray[np.int64]:
    """(queries, keys) how often each pair is computed; QK and SV must compute the same ones, head after head."""
    heads = 2
    found = {"QK": Counter[tuple[int, int]](), "SV": Counter[tuple[int, int]]()}
    passes = heads * plan.passes
    for slot in walk(passes, behind, target):
        assert all(0 <= core < plan.cores for core in slot.keys)
        assert slot.keys, "a row without work"
        query = int(passes[slot.number].rows[slot.row]) - (plan.keys - plan.queries)
        found[slot.stage].update((query, key) for key in slot.keys.values())
    assert found["QK"] == found["SV"]
    computed = np.zeros((plan.queries, plan.keys), dtype=np.int64)
    for pair, times in found["QK"].items():
        assert times % heads == 0, "heads differ"
        computed[pair] = times // heads
    return computed
