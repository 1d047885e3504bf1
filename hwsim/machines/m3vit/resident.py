"""How long it takes to load what stays on the chip, once after start."""

from __future__ import annotations

from hwsim.fabric.player import FabricPlayer
from hwsim.machines.m3vit.pipelines import load_task
from hwsim.machines.m3vit.programs import Program

FOREVER = 1 << 60


def resident_load_cycles(program: Program) -> int:
    """Cycles of that load on an idle memory, over the ports that weights come over."""
    spec, size = program.spec, sum(program.mapped.placement.resident.values())
    player = FabricPlayer(spec.time_base, spec.memory_system)
    beat_bytes, burst = spec.axi.width_bits // 8, spec.axi.burst_beats
    player.start(load_task("resident", 0, size, spec.weight_ports, beat_bytes=beat_bytes, burst=burst))
    ((_, ended),) = player.advance(FOREVER)
    return ended.cycles
