"""M3ViT's accelerator: vision transformers with experts, tokens queued by expert, experts' weights in two buffers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hwsim.data_file import read_data
from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.m3vit import parts
from hwsim.machines.m3vit.mapping import UNIT_OF, map_graph
from hwsim.machines.m3vit.programs import M3vitMapped, Program
from hwsim.machines.m3vit.spec import M3vitSpec
from hwsim.machines.machine import Machine, Progress
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.machines.m3vit.model import Execution


class M3vit(Machine[M3vitSpec, M3vitMapped, Program, "Execution"]):
    """The machine's stages, in the order of the pipeline; those that play load SimPy and the compiled player."""

    name = "m3vit"
    families = ("vit", "moe_vit")
    kinds = frozenset(UNIT_OF)

    @property
    def spec_file(self) -> SpecFile[M3vitSpec]:
        return _spec_file()

    def check(self, spec: M3vitSpec) -> None:
        _ = spec.memory_system, spec.time_base, spec.head_engine, spec.exp, spec.gelu_lanes, spec.energies
        parts.units(spec)

    def units(self, spec: M3vitSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec)

    def units_for(self, program: Program, spec: M3vitSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec, program.sizes)

    def board(self, spec: M3vitSpec) -> str | None:
        return spec.board

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: M3vitSpec) -> M3vitMapped:
        return map_graph(graph, workload, spec)

    def lower(self, mapped: M3vitMapped, workload: Workload[Any, Any], spec: M3vitSpec) -> Program:
        from hwsim.machines.m3vit.lower import lower

        return lower(mapped, workload, spec)

    def simulate(self, program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
        from hwsim.machines.m3vit.model import simulate

        return simulate(program, progress=progress, trace_tokens=trace_tokens)

    def summarize(self, run: Execution) -> Report:
        from hwsim.machines.m3vit.summarize import summarize

        return summarize(run, self.spec_file)

    def timeline(self, run: Execution) -> Timeline:
        program = run.program
        return run.diagram.timeline(f"{program.workload.name} on {program.spec.name}")

    def details(self, run: Execution) -> Details:
        from hwsim.machines.m3vit.details import details

        return details(run, self.spec_file)


@cache
def _spec_file() -> SpecFile[M3vitSpec]:
    document = dict(read_data("hwsim.machines.m3vit", "spec.yaml"))
    provenance = document.pop("provenance")
    del document["summary"]
    return SpecFile(
        model=M3vitSpec, defaults=document, provenance=provenance, open_fields=("energy_table", "memory.timing")
    )


MACHINE = M3vit()
