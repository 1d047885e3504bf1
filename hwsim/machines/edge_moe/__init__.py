"""Edge-MoE: a mixture-of-experts vision transformer on an FPGA, unit after unit on buffers in DDR4."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from hwsim.data_file import read_data
from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.edge_moe import parts
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.sizes import PUBLISHED, sizes_of
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.machines.edge_moe.target import UNIT_OF
from hwsim.machines.machine import Machine, Progress
from hwsim.mapping.fpga import FpgaMapped
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.machines.edge_moe.instructions import Program
    from hwsim.machines.edge_moe.model import Execution
    from hwsim.mapping.workload.computed_load import Choices
    from hwsim.verify.report import VerifyReport
    from hwsim.verify.request import VerifyRequest


class EdgeMoe(Machine[EdgeMoeSpec, FpgaMapped, "Program", "Execution"]):
    """The machine's stages, in the order of the pipeline."""

    name = "edge_moe"
    families = ("moe_vit", "vit")
    kinds = frozenset({*UNIT_OF, "attention"})

    @property
    def spec_file(self) -> SpecFile[EdgeMoeSpec]:
        return _spec_file()

    def check(self, spec: EdgeMoeSpec) -> None:
        from hwsim.machines.edge_moe.energy import currents_of

        _ = spec.standard, currents_of(spec)
        Design(spec=spec, sizes=PUBLISHED).check()

    def units(self, spec: EdgeMoeSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec)

    def units_for(self, program: Program, spec: EdgeMoeSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec, program.design.sizes)

    def board(self, spec: EdgeMoeSpec) -> str | None:
        return spec.board

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: EdgeMoeSpec) -> FpgaMapped:
        from hwsim.machines.edge_moe.mapping import map_workload

        return map_workload(graph, Design(spec=spec, sizes=sizes_of(workload)))

    def lower(self, mapped: FpgaMapped, workload: Workload[Any, Any], spec: EdgeMoeSpec) -> Program:
        from hwsim.machines.edge_moe.lower import lower

        return lower(mapped, workload, Design(spec=spec, sizes=sizes_of(workload)))

    def simulate(self, program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
        from hwsim.machines.edge_moe.model import simulate

        return simulate(program, progress=progress, trace_tokens=trace_tokens)

    def summarize(self, run: Execution) -> Report:
        from hwsim.machines.edge_moe.summarize import summarize

        return summarize(run, self.spec_file)

    def details(self, run: Execution) -> Details:
        from hwsim.machines.edge_moe.details import details

        return details(run, self.spec_file)

    def timeline(self, run: Execution) -> Timeline:
        from hwsim.machines.edge_moe.timeline import timeline

        return timeline(run)

    def verify(self, request: VerifyRequest, spec: EdgeMoeSpec) -> VerifyReport:
        from hwsim.machines.edge_moe.numerics import verify  # a run needs no golden models

        return verify(request, spec, self.spec_file)

    def choose_experts(self, workload: Workload[Any, Any], spec: EdgeMoeSpec) -> Choices:
        from hwsim.machines.edge_moe.numerics import choose_experts

        return choose_experts(workload, spec)


@cache
def _spec_file() -> SpecFile[EdgeMoeSpec]:
    document = dict(read_data("hwsim.machines.edge_moe", "spec.yaml"))
    provenance = document.pop("provenance")
    del document["summary"]
    return SpecFile(
        model=EdgeMoeSpec, defaults=document, provenance=provenance, open_fields=("memory.timing", "energy_table")
    )


MACHINE = EdgeMoe()
