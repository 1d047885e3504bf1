"""SWAT: window attention on an FPGA, row by row through cores that each hold a key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from hwsim.data_file import read_data
from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.machine import Machine, Progress
from hwsim.machines.swat.companion.plan import UNIT_OF
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.mapping import FAMILIES, KINDS, SwatMapped, map_graph
from hwsim.machines.swat.parts import units
from hwsim.machines.swat.spec import FORMATS, SwatSpec
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.parameters.variants import VariantSpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.machines.swat.lower import Program
    from hwsim.machines.swat.model import Execution
    from hwsim.verify.report import VerifyReport
    from hwsim.verify.request import VerifyRequest


class Swat(Machine[SwatSpec, SwatMapped, "Program", "Execution"]):
    """The machine's stages, in the order of the pipeline."""

    name = "swat"
    families = FAMILIES
    kinds = frozenset({*KINDS, *UNIT_OF})

    @property
    def spec_file(self) -> SpecFile[SwatSpec]:
        return _spec_file()

    def check(self, spec: SwatSpec) -> None:
        _ = spec.dma, spec.energies, spec.companion_units, Design.built(spec).layout
        units(Design.built(spec))

    def own_format(self, spec: SwatSpec) -> str:
        return spec.format

    def units(self, spec: SwatSpec) -> tuple[UnitSpec, ...]:
        return units(Design.built(spec))

    def units_for(self, program: Program, spec: SwatSpec) -> tuple[UnitSpec, ...]:
        return units(program.built)

    def board(self, spec: SwatSpec) -> str | None:
        return spec.board

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: SwatSpec) -> SwatMapped:
        return map_graph(graph, workload, spec)

    def lower(self, mapped: SwatMapped, workload: Workload[Any, Any], spec: SwatSpec) -> Program:
        from hwsim.machines.swat.capacity import check_capacity
        from hwsim.machines.swat.lower import lower

        program = lower(mapped, workload, spec)
        check_capacity(program)
        return program

    def simulate(self, program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
        from hwsim.machines.swat.model import simulate

        return simulate(program, progress=progress, trace_tokens=trace_tokens)

    def summarize(self, run: Execution) -> Report:
        from hwsim.machines.swat.summarize import summarize

        return summarize(run, self.spec_file)

    def timeline(self, run: Execution) -> Timeline:
        from hwsim.machines.swat.timeline import timeline

        return timeline(run)

    def verify(self, request: VerifyRequest, spec: SwatSpec) -> VerifyReport:
        from hwsim.machines.swat.verify import verify

        return verify(request, spec, self.spec_file)

    def details(self, run: Execution) -> Details:
        from hwsim.machines.swat.details import details

        return details(run, self.spec_file)


@cache
def _spec_file() -> SpecFile[SwatSpec]:
    changes = read_data("hwsim.machines.swat", "formats.yaml")
    files = {fmt: _spec_file_of(fmt, changes.get(fmt, {})) for fmt in FORMATS}
    first = files[FORMATS[0]]
    return VariantSpecFile(
        model=first.model,
        defaults=first.defaults,
        provenance=first.provenance,
        open_fields=first.open_fields,
        field="format",
        variants=files,
    )


def _spec_file_of(fmt: str, changes: Mapping[str, Mapping[str, Any]]) -> SpecFile[SwatSpec]:
    """The shipped parameters with what goes with a number format."""
    document = dict(read_data("hwsim.machines.swat", "spec.yaml"))
    provenance = document.pop("provenance")
    del document["summary"]
    return SpecFile(
        model=SwatSpec,
        defaults={**document, **changes.get("values", {}), "format": fmt},
        provenance={**provenance, **changes.get("provenance", {})},
        open_fields=("hbm.timing", "energy_table"),
    )


MACHINE = Swat()
