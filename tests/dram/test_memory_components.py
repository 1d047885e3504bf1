"""The energy of a board's memory as components of a machine's energy."""

import pytest

from hwsim.dram.currents.components import memory_components, memory_energy
from hwsim.dram.currents.energy import PlayCounts, play_energy
from hwsim.dram.currents.sourced import find_currents
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.dram.random_access.parameters import load_parameters
from hwsim.dram.standards.load import load_standard


def test_parts_of_a_play_become_components_that_add_up() -> None:
    standard = load_standard("ddr4", bin="2133P", device="4Gb_x8")
    currents = find_currents("ddr4", bin="2133P", device="4Gb_x8")
    counts = PlayCounts(
        activates=10, reads=80, writes=0, refreshes_all=1, refreshes_fine=0, rank_ns=9e3, open_ns=6e3, open_bank_ns=6e3
    )
    energy = play_energy(counts, standard, currents, seconds=9e-6)
    found = memory_components(energy)
    assert [(part.name, part.standing) for part in found] == [
        ("dram_activate_precharge", False),
        ("dram_read", False),
        ("dram_refresh_all_bank", True),
        ("dram_active_standby", True),
        ("dram_precharge_standby", True),
    ]
    assert sum(part.joules for part in found) == pytest.approx(energy.total)
    # 80 bursts of 4 cycles of 0.9375 ns in 8 chips, at 1.2 V x (135 - 55) mA
    assert found[1].joules == pytest.approx(80 * 8 * 96e-3 * 3.75e-9, rel=1e-3)
    assert {part.grade for part in found} == {"S"}


def test_a_run_that_goes_on_after_its_last_access_costs_standby() -> None:
    standard = load_standard("ddr4", bin="2133P", device="4Gb_x8")
    currents = find_currents("ddr4", bin="2133P", device="4Gb_x8")
    memory = MemoryPort(load_mapping(None, standard, 1), load_parameters(), [Master(name="core")])
    memory.offer("core", Run(write=False, address=0, stride=64, count=256))
    memory.advance(4_000)
    counted = memory.served()
    short = memory_energy(counted, standard, currents, seconds=counted.until / float(standard.clock_hz))
    long = memory_energy(counted, standard, currents, seconds=1e-3)
    assert short.bits == 256 * 64 * 8
    assert long.joules["read"] == short.joules["read"]
    # VDD x IDD2N of eight chips for the rest of the millisecond
    rest = 1e-3 - counted.until / float(standard.clock_hz)
    assert long.total - short.total == pytest.approx(8 * 1.2 * 42e-3 * rest, rel=1e-6)
