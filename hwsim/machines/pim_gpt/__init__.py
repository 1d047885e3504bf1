"""PIM-GPT: GDDR6 processing-in-memory for matrix-vector products, a small ASIC for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hwsim.data_file import read_data
from hwsim.dram.standards.load import timing_provenance
from hwsim.dram.standards.timing_names import timing_meanings
from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.machine import Machine, Progress
from hwsim.machines.pim_gpt import parts
from hwsim.machines.pim_gpt.spec import DRAMS, STANDARD, PimGptSpec, timing_of_standard
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.decoder import decoder_of
from hwsim.mapping.pim import PimMapped, map_graph
from hwsim.mapping.pim.map_graph import UNIT_OF
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.parameters.variants import VariantSpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.machines.pim_gpt.instructions import Program
    from hwsim.machines.pim_gpt.units import Execution
    from hwsim.verify.report import VerifyReport
    from hwsim.verify.request import VerifyRequest


class PimGpt(Machine[PimGptSpec, PimMapped, "Program", "Execution"]):
    """The machine's stages, in the order of the pipeline.

    What needs SimPy or the memory's compiled players is imported by those stages that use it.
    """

    name = "pim_gpt"
    families = ("gpt", "llama")
    kinds = frozenset({*UNIT_OF, "attention"})

    @property
    def spec_file(self) -> SpecFile[PimGptSpec]:
        return _spec_file()

    def check(self, spec: PimGptSpec) -> None:
        _ = spec.mac_unit, spec.standard, spec.time_base, spec.vector_unit, spec.sram, spec.energy_costs

    def units(self, spec: PimGptSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec)

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: PimGptSpec) -> PimMapped:
        run = decoder_of(workload, self.name).run
        on_host = frozenset({"lm_head"} if spec.lm_head == "host" else ())
        return map_graph(graph, spec.target, context=run.context, batch=run.batch, on_host=on_host)

    def lower(self, mapped: PimMapped, workload: Workload[Any, Any], spec: PimGptSpec) -> Program:
        from hwsim.machines.pim_gpt.lower import lower

        return lower(mapped, decoder_of(workload, self.name), spec)

    def simulate(self, program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
        from hwsim.machines.pim_gpt.model import simulate

        return simulate(program, progress=progress, trace_tokens=trace_tokens)

    def summarize(self, run: Execution) -> Report:
        from hwsim.machines.pim_gpt.summarize import summarize

        return summarize(run, self.spec_file)

    def timeline(self, run: Execution) -> Timeline:
        from hwsim.machines.pim_gpt.timeline import timeline

        return timeline(run)

    def verify(self, request: VerifyRequest, spec: PimGptSpec) -> VerifyReport:
        from hwsim.machines.pim_gpt.verify import verify  # a run needs no golden models

        return verify(request, spec, self.spec_file)

    def step_ends(self, run: Execution) -> tuple[Sequence[int], int]:
        return run.ends, run.program.spec.time_base.ticks_per_second

    def details(self, run: Execution) -> Details:
        from hwsim.machines.pim_gpt.details import details

        return details(run, self.spec_file)


@cache
def _spec_file() -> SpecFile[PimGptSpec]:
    changes = read_data("hwsim.machines.pim_gpt", "drams.yaml")
    files = {name: _spec_file_of(name, changes.get(name, {})) for name in DRAMS}
    first = files[STANDARD]
    return VariantSpecFile(
        model=first.model,
        defaults=first.defaults,
        provenance=first.provenance,
        open_fields=first.open_fields,
        field="dram",
        variants=files,
    )


def _spec_file_of(dram: str, changes: Mapping[str, Mapping[str, Any]]) -> SpecFile[PimGptSpec]:
    """The shipped parameters with one DRAM standard and its organisation and pins."""
    document = dict(read_data("hwsim.machines.pim_gpt", "spec.yaml"))
    provenance = document.pop("provenance")
    del document["summary"]
    timing = timing_of_standard(dram)
    graded = {f"timing.{key}": entry for key, entry in timing_provenance(dram).items() if key in timing}
    return SpecFile(
        model=PimGptSpec,
        defaults={**document, **changes.get("values", {}), "dram": dram, "timing": timing},
        provenance={**provenance, **changes.get("provenance", {}), **graded},
        open_fields=("energy_table",),
        meanings={f"timing.{key}": meaning for key, meaning in timing_meanings(dram).items()},
    )


MACHINE = PimGpt()
