"""What lies between Edge-MoE's masters and the DRAM, as the fabric plays it."""

from __future__ import annotations

from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.engine.clock import TimeBase
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.machines.edge_moe.spec import EdgeMoeSpec


def time_base(spec: EdgeMoeSpec) -> TimeBase:
    """The clocks of the fabric and of the DRAM."""
    return TimeBase.of({"fabric": spec.clock_hz, "memory": spec.standard.clock_hz})


def memory_system(spec: EdgeMoeSpec) -> MemorySystem:
    """Masters, ports of the processing system, ports of the controller, DRAM.

    Raises
    ------
    MachineError : ports that do not fit each other or the DRAM's clock
    """
    axi, memory = spec.axi, spec.memory
    ports = [
        AxiPort(
            name=name,
            width_bits=axi.width_bits,
            narrow_bits=axi.ps_width_bits,
            outstanding_reads=axi.outstanding_reads,
            outstanding_writes=axi.outstanding_writes,
            burst=axi.burst_beats,
            buffer_beats=axi.buffer_beats,
            narrow_burst=axi.ps_burst_beats,
            controller_port=f"port {memory.ports[ps]}",
        )
        for name, ps in axi.ports.items()
    ]
    controller = [
        ControllerPort(name=f"port {number}", width_bits=memory.controller_bits, clock_hz=memory.controller_hz)
        for number in sorted({memory.ports[ps] for ps in axi.ports.values()})
    ]
    return MemorySystem(
        ports=ports,
        controller_ports=controller,
        request_ns=axi.request_ns,
        response_ns=axi.response_ns,
        memory_clock_hz=spec.standard.clock_hz,
        mapping=load_mapping(memory.mapping, spec.standard, 1),
        parameters=load_parameters(),
    )
