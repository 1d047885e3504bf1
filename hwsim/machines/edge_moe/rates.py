"""How fast the units of Edge-MoE multiply and accumulate."""

from __future__ import annotations

from hwsim.machines.edge_moe.model import Execution


def macs_a_cycle(run: Execution) -> dict[str, int]:
    """Multiply-accumulates a cycle of each unit with multipliers for matrices."""
    design = run.program.design
    rates = {unit: c.in_lanes * c.out_lanes for unit, c in design.linears.items()}
    rates |= {"qk": design.qk.slots * design.qk.channels, "mv": design.mv.slots * design.mv.channels}
    patch = design.patch_embed
    rates["patch_embed"] = patch.in_lanes * patch.out_lanes
    if design.gate:
        rates["gate"] = design.gate.lanes * design.gate.experts
    return rates


def peak_macs_per_s(run: Execution) -> float:
    """Of all of them at once."""
    return sum(macs_a_cycle(run).values()) * float(run.program.spec.clock_hz)
