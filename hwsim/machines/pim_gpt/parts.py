"""The parts of PIM-GPT: the units of its block diagram, with the contracts that they charge."""

from __future__ import annotations

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.pim_gpt.spec import PimGptSpec


def units(spec: PimGptSpec) -> tuple[UnitSpec, ...]:
    """The units of one device; several have a link between them."""
    found = (memory(spec), mac_units(spec), asic(spec), sram(spec), host(spec))
    return (*found, link(spec)) if spec.devices > 1 else found


def memory(spec: PimGptSpec) -> UnitSpec:
    """The channels, in which the DRAM engine times every command."""
    return UnitSpec(
        name="pim",
        kind="memory",
        clock_hz=spec.dram_clock_hz,
        count=spec.channels,
        stated=f"DRAM engine, standard {spec.standard.name}",
        compared="with a slow reference player, command by command: docs/validation.md",
    )


def mac_units(spec: PimGptSpec) -> UnitSpec:
    """A MAC unit in each bank. Its contract says how long it needs for a column, the memory when each column comes."""
    count = spec.target.all_banks
    return UnitSpec(
        name="pim.mac_units", kind="memory", clock_hz=spec.mac_clock_hz, count=count, contract=spec.mac_unit
    )


def asic(spec: PimGptSpec) -> UnitSpec:
    """Adders and multipliers."""
    return UnitSpec(name="asic", kind="asic", clock_hz=spec.asic.clock_hz, contract=spec.vector_unit)


def sram(spec: PimGptSpec) -> UnitSpec:
    """The memory that feeds adders and multipliers."""
    return UnitSpec(name="asic.sram", kind="asic", clock_hz=spec.asic.clock_hz, contract=spec.sram)


def host(spec: PimGptSpec) -> UnitSpec:
    """The computer that feeds tokens."""
    stated = "link and memory bandwidth (assumed)"
    return UnitSpec(name="host", kind="host", clock_hz=spec.asic.clock_hz, stated=stated)


def link(spec: PimGptSpec) -> UnitSpec:
    """The link to other devices."""
    stated = "link bandwidth and latency (assumed)"
    return UnitSpec(name="link", kind="link", clock_hz=spec.asic.clock_hz, stated=stated)
