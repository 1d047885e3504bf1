"""What a pass needs before its first row, loaded while the pass before still runs."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.cores.plan import BEFORE, CorePass, Ints
from hwsim.mapping.cores.target import CoreTarget

AFTERWARDS = -1  # loaded when the last row of the pass before has passed the stages that read banks


def hide_prologue(before: CorePass, after: CorePass, target: CoreTarget) -> Ints:
    """For each key that `after` has BEFORE its first row, the row of `before` in whose LOAD stage it is loaded.

    A key goes into the bank that the last key of its core does not use, once that is free: as late as can be with
    `target.loads` a row, those of `before` itself among them, or with as few more as all keys need. Keys whose bank
    is not free before the last row come afterwards. Between passes the pipeline runs empty, so that `after` begins
    with the other bank of each core free.

    Returns
    -------
    (after.prologue,) in the order of its residencies: rows of `before`, or AFTERWARDS
    """
    held = after.residencies
    free = _bank_free(before, held.core[held.loaded == BEFORE], target.bank_free_after)
    rows = len(before.rows)
    found = np.full(len(free), AFTERWARDS, dtype=np.int64)
    order = np.argsort(free, kind="stable")
    order = order[free[order] < rows]
    room = _room(before.loads, free[order], target.loads).tolist()
    left, row = len(order), rows
    while left:
        row -= 1
        begin = max(0, left - room[row])
        found[order[begin:left]] = row
        left = begin
    return found


def _bank_free(before: CorePass, cores: Ints, bank_free_after: int) -> Ints:
    """(cores,) the first row in whose LOAD stage the bank that a core's last key does not use may be written.

    Keys come to a core in the order in which they are needed: the last one has come by then.
    """
    held = before.residencies
    order = np.lexsort((held.first, held.core))
    core, last = held.core[order], held.last[order]
    begin, end = np.searchsorted(core, cores), np.searchsorted(core, cores, side="right")
    free = np.zeros(len(cores), dtype=np.int64)
    free[end > begin] = held.loaded[order[end[end > begin] - 1]]
    several = end > begin + 1
    free[several] = np.maximum(free[several], last[end[several] - 2] + bank_free_after)
    return np.maximum(0, free)


def _room(own: Ints, free: Ints, loads: int) -> Ints:
    """(rows,) how many more each row may load: up to `loads` with its own, or up to the next number that suffices.

    It suffices if from each row on there is room for all keys whose bank is free from that row on or later.

    Parameters
    ----------
    own : (rows,) loads that are fixed
    free : (keys,) rows from which they can be loaded, ascending
    """
    waiting = len(free) - np.searchsorted(free, np.arange(len(own)))
    least, most = loads, loads + int(own.max(initial=0)) + len(free)
    while least < most:
        middle = (least + most) // 2
        room = np.maximum(0, middle - own)
        if (np.cumsum(room[::-1])[::-1] >= waiting).all():
            most = middle
        else:
            least = middle + 1
    return np.maximum(0, least - own)
