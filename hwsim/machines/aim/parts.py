"""What the machine aim consists of: channels with a MAC unit a bank, and a host beside them."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.aim.spec import AimSpec


def units(spec: AimSpec) -> tuple[UnitSpec, ...]:
    """The units of one device."""
    return tuple(_units(spec))


def _units(spec: AimSpec) -> Iterator[UnitSpec]:
    standard = spec.standard
    yield UnitSpec(
        name="aim",
        kind="memory",
        clock_hz=standard.clock_hz,
        count=spec.channels,
        stated=f"DRAM engine, standard {standard.name}",
        compared="with the published cycles of the public AiM simulator: docs/aim-trace.md",
    )
    yield UnitSpec(
        name="aim.mac_units",
        kind="memory",
        clock_hz=standard.clock_hz,
        count=spec.target.all_banks,
        stated="a column each nCCDL of the standard",
        compared="with the published cycles of the public AiM simulator: docs/aim-trace.md",
    )
    yield UnitSpec(name="host", kind="host", clock_hz=spec.host.clock_hz, stated="lanes and passes (assumed)")
    if spec.devices > 1:
        yield UnitSpec(
            name="link", kind="link", clock_hz=spec.host.clock_hz, stated="link bandwidth and latency (assumed)"
        )
