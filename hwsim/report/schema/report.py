"""The report: what a run says about itself, in a form that is versioned and stable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hwsim.engine.unit_spec import UnitKind
from hwsim.report.schema.core import (
    Bound,
    Excluded,
    KindShare,
    LinkUse,
    LoadUse,
    MemoryUse,
    Published,
    ResourceUse,
    Throughput,
    UnconfirmedParameter,
    UnitUse,
)
from hwsim.report.schema.energy import EnergyUse
from hwsim.report.schema.part import Part
from hwsim.report.schema.sections import AttentionUse, AxiPortUse, DecodingUse, DevicesUse, DramUse, FpgaUse, PassesUse

PartT = TypeVar("PartT", bound=Part)

SCHEMA_VERSION = "2.2"
# Sections that are absent from the text of a run that has none.
SECTIONS = ("decoding", "dram", "fpga", "devices", "loads", "ports", "passes", "attention")


class Report(Part):
    """Result of a run: a core that every machine fills, then sections that some runs have.

    `cycles` counts `clock_hz`; times are in seconds; `energy_j` is null where energy is off. A field that a later
    minor version adds has a default here, so that older files can be read.
    """

    schema_version: str = SCHEMA_VERSION
    hwsim_version: str
    machine: str
    workload: str
    schedule: str
    cycles: int
    clock_hz: float
    latency_s: float
    throughput: Throughput
    breakdown: list[KindShare]
    units: list[UnitUse]
    bottleneck: str
    bound: Bound
    memories: list[MemoryUse]
    offchip_bytes: int
    offchip: list[LinkUse]
    energy_j: float | None
    energy: EnergyUse | None
    resources: list[ResourceUse]
    instructions: int
    excluded: list[Excluded]
    published: list[Published]
    unconfirmed: list[UnconfirmedParameter]
    parameters: dict[str, Any]
    workload_parameters: dict[str, Any]

    decoding: DecodingUse | None = None
    dram: DramUse | None = None
    fpga: FpgaUse | None = None
    devices: DevicesUse | None = None
    loads: list[LoadUse] | None = None
    ports: list[AxiPortUse] | None = None
    passes: PassesUse | None = None
    attention: list[AttentionUse] | None = None

    def to_json(self) -> str:
        """The report as text; the same run gives the same bytes."""
        absent = {name for name in SECTIONS if getattr(self, name) is None}
        return self.model_dump_json(indent=2, exclude=absent) + "\n"

    def memory(self, name: str) -> MemoryUse:
        """The memory of that name.

        Raises
        ------
        KeyError : there is none
        """
        return _only(self.memories, name, lambda memory: memory.name == name)

    def unit(self, name: str) -> UnitUse:
        """The unit of that name.

        Raises
        ------
        KeyError : there is none
        """
        return _only(self.units, name, lambda unit: unit.name == name)

    def bytes_over(self, link: str) -> int:
        """Bytes that left or entered the chip by one way.

        Raises
        ------
        KeyError : there is no such way
        """
        return _only(self.offchip, link, lambda way: way.link == link).size_bytes

    def resource(self, place: UnitKind, resource: str) -> ResourceUse:
        """What the units at one place take of something.

        Raises
        ------
        KeyError : nothing of that
        """
        what = f"{resource} of {place}"
        return _only(self.resources, what, lambda use: (use.place, use.resource) == (place, resource))


def _only(parts: Iterable[PartT], what: str, is_it: Callable[[PartT], bool]) -> PartT:
    """The part that is meant.

    Raises
    ------
    KeyError : there is none
    """
    for part in parts:
        if is_it(part):
            return part
    raise KeyError(what)
