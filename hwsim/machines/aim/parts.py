"""The parts of the machine aim: channels with a MAC unit in each bank, and a host."""

from __future__ import annotations

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.aim.spec import AimSpec

COMPARED = "with the published cycles of the public AiM simulator: docs/aim-trace.md"


def units(spec: AimSpec) -> tuple[UnitSpec, ...]:
    """The units of one device; several have a link between them."""
    found = (memory(spec), mac_units(spec), host(spec))
    return (*found, link(spec)) if spec.devices > 1 else found


def memory(spec: AimSpec) -> UnitSpec:
    """The channels with their front end."""
    return UnitSpec(
        name="aim",
        kind="memory",
        clock_hz=spec.standard.clock_hz,
        count=spec.channels,
        stated=f"DRAM engine, standard {spec.standard.name}",
        compared=COMPARED,
    )


def mac_units(spec: AimSpec) -> UnitSpec:
    """A MAC unit in each bank."""
    return UnitSpec(
        name="aim.mac_units",
        kind="memory",
        clock_hz=spec.standard.clock_hz,
        count=spec.target.all_banks,
        stated="a column each nCCDL of the standard",
        compared=COMPARED,
    )


def host(spec: AimSpec) -> UnitSpec:
    """The host's unit for work that the banks cannot do."""
    return UnitSpec(name="host", kind="host", clock_hz=spec.host.clock_hz, stated="lanes and passes (assumed)")


def link(spec: AimSpec) -> UnitSpec:
    """The link to other devices."""
    stated = "link bandwidth and latency (assumed)"
    return UnitSpec(name="link", kind="link", clock_hz=spec.host.clock_hz, stated=stated)
