"""What Edge-MoE's units did when, over the steps that were kept."""

from __future__ import annotations

from dataclasses import replace

from hwsim.engine.timeline import Timeline
from hwsim.machines.edge_moe.model import Execution


def timeline(run: Execution) -> Timeline:
    """A track a unit that did something."""
    found = run.diagram.timeline(f"{run.program.workload.name} on {run.program.spec.name}")
    return replace(found, tracks=tuple(track for track in found.tracks if track.spans))
