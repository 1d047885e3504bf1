"""What passed the AXI ports, as energy counts it."""

from __future__ import annotations

from collections.abc import Iterable

from hwsim.energy.fpga import PortTraffic
from hwsim.fabric.memory_system import MemorySystem
from hwsim.fabric.player import PortUse


def port_traffic(system: MemorySystem, uses: Iterable[PortUse]) -> tuple[PortTraffic, ...]:
    """Beats of each port and direction that was used, at the master's width: unused bytes of a beat count too."""
    bits = {port.name: port.width_bits for port in system.ports}
    return tuple(
        PortTraffic(port=f"{use.port} {'writes' if use.write else 'reads'}", beats=use.beats, beat_bits=bits[use.port])
        for use in uses
        if use.beats
    )
