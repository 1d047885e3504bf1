"""Plans made by hand: what cores load when, of the shapes that the compiler makes and of others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from hwsim.data_file import read_data
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.rows.head import make_head
from hwsim.machines.swat.rows.player import Heads
from hwsim.machines.swat.spec import SwatSpec
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.cores.plan import BEFORE, CorePass, CorePlan, Residencies


def spec_of(**changes: Any) -> SwatSpec:
    """The shipped machine with some parameters changed; those of the memory are `hbm={...}`."""
    values = dict(read_data("hwsim.machines.swat", "spec.yaml"))
    del values["provenance"], values["summary"]
    if changes.get("format") == "fp32":
        values |= read_data("hwsim.machines.swat", "formats.yaml")["fp32"]["values"]
    hbm = values["hbm"] | changes.pop("hbm", {})
    return SwatSpec.model_validate(values | changes | {"hbm": hbm})


def heads_of(plan: CorePlan, design: Design, count: int = 1) -> Heads:
    free = design.scheduler.free_loads(interval_of(stages_of(design)))
    each, last = (
        make_head(
            plan,
            design.layout,
            prologue=design.spec.prologue,
            free_loads=free,
            following=following,
            table_rows=design.table_rows,
        )
        for following in (True, False)
    )
    return Heads(each=each, last=last, count=count)


def window_plan(rows: int, cores: int) -> CorePlan:
    """A window of 2w = `cores` keys, row - w to row + w - 1; a key is loaded in the LOAD stage of its first row."""
    half = cores // 2
    key = np.arange(rows)
    first = np.maximum(key - half + 1, 0)
    held = Residencies(
        key=key,
        core=key % cores,
        first=first,
        last=np.minimum(key + half, rows - 1),
        loaded=np.where(key < half - 1, BEFORE, first),
    )
    return plan_of([pass_of(list(range(rows)), held)], rows, cores)


def loads_plan(
    rows: int, passes: Sequence[tuple[Sequence[int], Sequence[Sequence[int]], Sequence[int]]], cores: int = 1 << 20
) -> CorePlan:
    """Passes of (rows, keys that each row loads, keys that are loaded before); keys go to cores in turn."""
    made = []
    for number, (order, loads, before) in enumerate(passes):
        pairs = [(BEFORE, key) for key in before]
        pairs += [(at, key) for at, keys in enumerate(loads) for key in keys]
        at = np.array([loaded for loaded, _ in pairs], dtype=np.int64)
        first = np.maximum(at, 0)
        held = Residencies(
            key=np.array([key for _, key in pairs], dtype=np.int64),
            core=np.arange(len(pairs)) % cores,
            first=first,
            last=first,
            loaded=at,
        )
        others = [set(rows) for other, (rows, _, _) in enumerate(passes) if other < number]
        later = [set(rows) for other, (rows, _, _) in enumerate(passes) if other > number]
        made.append(pass_of(order, held, set().union(*others), set().union(*later)))
    return plan_of(made, rows, max(1, *(len(each.residencies) for each in made)))


def random_plan(random: Random, *, most_rows: int, most_passes: int, most_loads: int) -> CorePlan:
    """Anything: rows in any order or in their own, keys that follow each other, are scattered, or both at a time."""
    rows = random.randint(1, most_rows)
    order = random.choice((sorted, lambda found: random.sample(found, len(found))))
    passes = []
    chosen = list(range(rows))
    for _ in range(random.randint(1, most_passes)):
        loads = _loads(random, len(chosen), rows, most_loads)
        before = random.sample(range(rows), random.randint(0, min(rows, 2 * most_loads)))
        passes.append((order(chosen), loads, before))
        chosen = random.sample(chosen, random.randint(1, len(chosen)))
    return loads_plan(rows, passes, random.choice((1, 7, 100)))


def _loads(random: Random, count: int, keys: int, most: int) -> list[list[int]]:
    """Keys that each of some rows loads: some that follow those of the row before, and some from anywhere."""
    following, scattered = random.randint(0, most), random.randint(0, most)
    heavy = random.choice((-1, random.randrange(count)))  # a row that loads very many
    at, found = random.randrange(keys), list[list[int]]()
    for row in range(count):
        keys_of = [(at + more) % keys for more in range(following)] if random.random() < 0.8 else []
        at += len(keys_of)
        keys_of += [random.randrange(keys) for _ in range(random.randint(0, scattered))]
        if row == heavy:
            keys_of += [random.randrange(keys) for _ in range(10 * most)]
        found.append(sorted(set(keys_of)))
    return found


def pass_of(
    rows: Sequence[int], held: Residencies, before: set[int] | None = None, after: set[int] | None = None
) -> CorePass:
    return CorePass(
        rows=np.array(rows, dtype=np.int64),
        residencies=held,
        carries_in=np.array([row in (before or set()) for row in rows], dtype=np.bool_),
        carries_out=np.array([row in (after or set()) for row in rows], dtype=np.bool_),
        kinds={"window": 1},
    )


def plan_of(passes: Sequence[CorePass], rows: int, cores: int) -> CorePlan:
    return CorePlan(queries=rows, keys=rows, cores=cores, order="natural", passes=tuple(passes))
