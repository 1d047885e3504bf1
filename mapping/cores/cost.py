"""How long passes take, to choose among plans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwsim.mapping.cores.plan import CorePass
from hwsim.mapping.cores.prologue import AFTERWARDS, hide_prologue
from hwsim.mapping.cores.target import CoreTarget


def plan_cost(passes: Sequence[CorePass], target: CoreTarget) -> tuple[float, int, int]:
    """Time in rows' intervals; where that is equal, loads and then the number of passes decide.

    A row takes one interval, or as many as its LOAD stage needs, with what it loads for the next pass. Between two
    passes the pipeline runs empty, and then what could not be loaded earlier is loaded. Heads follow one another, so
    the pass after the last is the first.
    """
    time = 0.0
    for current, following in zip(passes, [*passes[1:], *passes[:1]]):
        rows = hide_prologue(current, following, target)
        ahead = np.bincount(rows[rows != AFTERWARDS], minlength=len(current.rows))
        time += float(np.maximum(1.0, (current.loads + ahead) / target.loads).sum())
        time += target.drain + int(np.count_nonzero(rows == AFTERWARDS)) / target.loads
    return time, sum(len(each.residencies) for each in passes), len(passes)
