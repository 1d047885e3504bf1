"""Plans of attention on cores, made the plain way: each row takes its keys anew."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.cores.plan import CorePass, CorePlan, Residencies
from hwsim.mapping.patterns import Pattern

Held = list[tuple[int, int, int]]  # place of a row in its pass, core, key


def plain_plan(pattern: Pattern, queries: int, keys: int, cores: int, *, seed: int | None = None) -> CorePlan:
    """Pass by pass as many keys of each row as there are cores.

    Parameters
    ----------
    seed : of a drawn order of rows, and of a drawn core for each key; None for their own order
    """
    rng = np.random.default_rng(seed)
    left = {row: _keys(pattern, row, keys) for row in range(keys - queries, keys)}
    passes: list[CorePass] = []
    while any(left.values()):
        rows = [row for row, of_row in left.items() if of_row]
        if seed is not None:
            rng.shuffle(rows)
        held: Held = []
        for place, row in enumerate(rows):
            taken = left[row][:cores]
            at = range(len(taken)) if seed is None else rng.permutation(cores)[: len(taken)].tolist()
            held += [(place, core, key) for core, key in zip(at, taken)]
        later = {row: of_row[cores:] for row, of_row in left.items()}
        before = [any(row in earlier.rows for earlier in passes) for row in rows]
        passes.append(made_pass(rows, held, before, [bool(later[row]) for row in rows]))
        left = later
    return CorePlan(queries=queries, keys=keys, cores=cores, order="their own", passes=tuple(passes))


def made_pass(rows: list[int], held: Held, carries_in: list[bool], carries_out: list[bool]) -> CorePass:
    place, core, key = (np.array(column, dtype=np.int64) for column in zip(*held))
    return CorePass(
        rows=np.array(rows, dtype=np.int64),
        residencies=Residencies(key=key, core=core, first=place, last=place, loaded=place),
        carries_in=np.array(carries_in, dtype=np.bool_),
        carries_out=np.array(carries_out, dtype=np.bool_),
        kinds={"rest": int(core.max()) + 1},
    )


def _keys(pattern: Pattern, row: int, keys: int) -> list[int]:
    return [key for first, last in pattern.keys_of(row, keys) for key in range(first, last)]
