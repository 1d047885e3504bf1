"""Work that depends on data, as a run met it."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from hwsim.mapping.workload.loads import Load
from hwsim.report.schema import LoadUse


def load_use(name: str, load: Load, met: Sequence[int], *, unit: str, dealt: bool = False) -> LoadUse:
    """Where a run's load came from, and how much of it there was.

    Parameters
    ----------
    met : the load each time that it came up, such as the tokens of each expert in each layer and step
    unit : of these
    dealt : whether it mattered which tokens an expert gets, and not how many alone

    Raises
    ------
    ValueError : a load that never came up
    """
    if not met:
        raise ValueError(f"load {name}: never came up")
    ranked = sorted(met)
    return LoadUse(
        name=name,
        source=load.load,
        seed=load.seed if load.load == "zipf" or dealt else None,
        unit=unit,
        mean=sum(ranked) / len(ranked),
        p99=ranked[ceil(0.99 * len(ranked)) - 1],  # the least that 99 of 100 do not exceed
    )
