"""How long passes take, to choose among plans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.mapping.cores.plan import CorePass

DRAIN = 5  # rows' time from the last row of a pass to the first of the next: six stages run empty and fill again


def plan_cost(passes: Sequence[CorePass], loads: int) -> tuple[float, int, int]:
    """Time in rows' intervals; where that is equal, loads and then the number of passes decide.

    A row takes an interval, or as many as its LOAD stage needs. What a pass needs before its first row is loaded in
    the LOAD stages of the pass before, where these have room: a pass takes no less time than its loads and those
    before the next pass take together. Heads follow one another, so the pass after the last is the first.

    Parameters
    ----------
    loads : rows of K and V that are loaded in an interval
    """
    time = 0.0
    for current, following in zip(passes, [*passes[1:], *passes[:1]]):
        rows = float(np.maximum(1.0, current.loads / loads).sum()) if len(current.rows) else 0.0
        time += DRAIN + max(rows, (int(current.loads.sum()) + following.prologue) / loads)
    return time, sum(len(each.residencies.key) for each in passes), len(passes)
