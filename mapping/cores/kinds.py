"""Which kind of pattern each core of a pass serves."""

from __future__ import annotations

import numpy as np

from hwsim.mapping.cores.parts import split_parts
from hwsim.mapping.cores.plan import CorePass
from hwsim.mapping.patterns import Pattern


def core_kinds(each: CorePass, pattern: Pattern, n_k: int) -> dict[int, str]:
    """Core -> kind, as `CorePass.kinds` counts them: a part of the pattern has cores of its own.

    Parameters
    ----------
    pattern : what the plan computes, windows as published where they are taken so
    """
    held = each.residencies
    cores, places = np.unique(held.core, return_index=True)
    if len(each.kinds) == 1:
        return dict.fromkeys(cores.tolist(), next(iter(each.kinds)))
    parts = split_parts(pattern, n_k)

    def kind(query: int, key: int) -> str:
        return next(part.kind for part in parts if part.keys >> key & 1 and part.pattern.sees(query, key, n_k))

    queries, keys = each.rows[held.first[places]], held.key[places]
    return {core: kind(query, key) for core, query, key in zip(cores.tolist(), queries.tolist(), keys.tolist())}
