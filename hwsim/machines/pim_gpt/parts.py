"""What PIM-GPT consists of: the units of its block diagram, with the contracts that they charge."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.pim_gpt.spec import PimGptSpec


def units(spec: PimGptSpec) -> tuple[UnitSpec, ...]:
    """The units of one device."""
    return tuple(_units(spec))


def _units(spec: PimGptSpec) -> Iterator[UnitSpec]:
    dram, asic = spec.dram_clock_hz, spec.asic.clock_hz
    yield UnitSpec(
        name="pim",
        kind="memory",
        clock_hz=dram,
        count=spec.channels,
        stated=f"DRAM engine, standard {spec.standard.name}",
        compared="with a slow reference player, command by command: docs/validation.md",
    )
    yield UnitSpec(
        name="pim.mac_units",
        kind="memory",
        clock_hz=spec.mac_clock_hz,
        count=spec.target.all_banks,
        contract=spec.mac_unit,
    )
    yield UnitSpec(name="asic", kind="asic", clock_hz=asic, contract=spec.vector_unit)
    yield UnitSpec(name="asic.sram", kind="asic", clock_hz=asic, contract=spec.sram)
    yield UnitSpec(name="host", kind="host", clock_hz=asic, stated="link and memory bandwidth (assumed)")
    if spec.devices > 1:
        yield UnitSpec(name="link", kind="link", clock_hz=asic, stated="link bandwidth and latency (assumed)")
