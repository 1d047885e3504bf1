"""The units of the machine: a unit a stage of each pipeline, the memory, the companion's."""

from __future__ import annotations

from collections.abc import Iterator

from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.spec import CHANNELS, SwatSpec
from hwsim.rtl.contract import Contract

HBM = "HBM"


def units(design: Design) -> tuple[UnitSpec, ...]:
    """What the machine consists of, with pipelines of a design."""
    spec = design.spec
    beside = spec.companion_units.units() if spec.companion_units else ()
    return (*stage_units(design), *beside, memory(spec))


def stage_units(design: Design) -> Iterator[UnitSpec]:
    """A unit for each stage; SV is in the cores, whose contract stands at QK."""
    spec = design.spec

    def made(name: str, contract: Contract, count: int = 1, within: str = "") -> UnitSpec:
        return UnitSpec(
            name=name, kind="fpga", clock_hz=spec.clock_hz, contract=contract, count=count * spec.pipelines,
            within=within,
        )  # fmt: skip

    yield made("load", design.scheduler)
    yield made("qk", design.core, spec.cores)
    if spec.softmax == "safe":
        yield made("max1", design.maxima.of_level(1))
        yield made("max2", design.maxima.of_level(2))
    yield made("sv", design.core, spec.cores, within="qk")
    yield made("zred1", design.vectors.of_level(1))
    yield made("zred2", design.vectors.of_level(2))
    yield made("rowsum1", design.sums.of_level(1))
    yield made("rowsum2", design.sums.of_level(2))
    yield made("div_out", design.divider)


def memory(spec: SwatSpec) -> UnitSpec:
    """The channels of HBM that the machine uses."""
    return UnitSpec(
        name=HBM,
        kind="memory",
        clock_hz=spec.standard.clock_hz,
        count=channels_in_use(spec),
        stated=f"DRAM standard {spec.standard.name}",
        compared="the same bursts through the memory port",
    )


def channels_in_use(spec: SwatSpec) -> int:
    """Of the pipelines and of the companion."""
    beside = spec.matrix.channels + spec.matrix.weight_channels if spec.companion_units else 0
    return len(CHANNELS) * spec.pipelines + beside
