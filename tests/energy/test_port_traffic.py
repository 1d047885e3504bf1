"""Beats at AXI ports as energy counts them."""

from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard
from hwsim.energy.fpga import PortTraffic
from hwsim.fabric.memory_system import AxiPort, ControllerPort, MemorySystem
from hwsim.fabric.player import PortUse
from hwsim.fabric.traffic import port_traffic

SYSTEM = MemorySystem(
    ports=[AxiPort(name="weights", controller_port="a"), AxiPort(name="out", width_bits=128, controller_port="a")],
    controller_ports=[ControllerPort(name="a", clock_hz=533_333_333)],
    request_ns=70,
    response_ns=70,
    memory_clock_hz=1_066_666_666,
    mapping=load_mapping(None, load_standard("ddr4_2133"), 1),
    parameters=load_parameters(),
)


def use(port: str, beats: int, *, write: bool = False) -> PortUse:
    return PortUse(port=port, write=write, beats=beats, size_bytes=0, transactions=beats, busy_cycles=beats)


def test_beats_count_at_the_width_of_their_master_and_unused_directions_do_not() -> None:
    uses = [use("weights", 100), use("weights", 0, write=True), use("out", 7), use("out", 5, write=True)]
    assert port_traffic(SYSTEM, uses) == (
        PortTraffic(port="weights reads", beats=100, beat_bits=256),
        PortTraffic(port="out reads", beats=7, beat_bits=128),
        PortTraffic(port="out writes", beats=5, beat_bits=128),
    )
