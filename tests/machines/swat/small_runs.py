"""Runs of SWAT that are small enough to be looked at row by row: an encoder of one layer, and a head alone."""

from __future__ import annotations

from typing import Any

from hwsim.machines.swat.model import Execution
from hwsim.mapping.workload.workload import Workload
from hwsim.pipeline import load_workload, prepare

CORES = {"cores": 8, "head_dim": 16, "reduction_group": 4}


def encoder(**fields: Any) -> Workload[Any, Any]:
    """A Longformer of one layer with two heads; its window of 9 keys and a global one need passes on 8 cores."""
    sizes = {"layers": 1, "d_model": 32, "heads": 2, "d_ff": 64, "vocab": 100, "n_ctx": 64, "tokens": 64}
    return load_workload("longformer_base_4096", **{**sizes, "patterns": ["window(4, 4)"], **fields})


def head(**fields: Any) -> Workload[Any, Any]:
    """Heads of 16 elements whose rows see 8 keys each."""
    return load_workload("swat_kernel", **{"pattern": "window(4, 3)", "head_dim": 16, "tokens": 40, **fields})


def executed(workload: Workload[Any, Any], *, rows: int = 0, **settings: Any) -> Execution:
    """A run with the first rows of each operator of attention kept."""
    stages = prepare(workload, settings={**CORES, **settings})
    run: Execution = stages.machine.simulate(stages.program, trace_tokens=rows)
    return run
