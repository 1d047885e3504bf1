"""GDDR6-AiM: the processing-in-memory chip with public timing, and a host unit for other work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hwsim.data_file import read_data
from hwsim.dram.aim.variants import DEFAULT, STANDARD, VARIANTS, Variant
from hwsim.dram.standards.load import timing_defaults, timing_provenance
from hwsim.dram.standards.timing_names import timing_meanings
from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.errors import MachineError
from hwsim.machines.aim import parts
from hwsim.machines.aim.lower import UNIT_OF, lower
from hwsim.machines.aim.programs import Program
from hwsim.machines.aim.spec import AimSpec
from hwsim.machines.machine import Machine, Progress
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.decoder import decoder_of
from hwsim.mapping.pim.row_mapping import RowMapped, map_rows
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.parameters.variants import VariantSpecFile
from hwsim.report.details import Details
from hwsim.report.schema import Report

if TYPE_CHECKING:
    from hwsim.machines.aim.model import Execution

NO_TIMELINE = (
    "aim: draws no --trace; --emit-trace FILE writes its instructions, and hwsim aim FILE --commands their times"
)


class Aim(Machine[AimSpec, RowMapped, Program, "Execution"]):
    """The machine's stages, in the order of the pipeline.

    What needs the memory's compiled players is imported by those stages that play.
    """

    name = "aim"
    families = ("gpt", "llama")
    kinds = frozenset({*UNIT_OF, "attention"})

    @property
    def spec_file(self) -> SpecFile[AimSpec]:
        return _spec_file()

    def check(self, spec: AimSpec) -> None:
        _ = spec.standard, spec.time_base, spec.target, spec.energies

    def units(self, spec: AimSpec) -> tuple[UnitSpec, ...]:
        return parts.units(spec)

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: AimSpec) -> RowMapped:
        run = decoder_of(workload, self.name).run
        return map_rows(graph, spec.target, context=run.context, batch=run.batch, unit_of=UNIT_OF)

    def lower(self, mapped: RowMapped, workload: Workload[Any, Any], spec: AimSpec) -> Program:
        return lower(mapped, decoder_of(workload, self.name), spec)

    def simulate(self, program: Program, *, progress: Progress | None = None, trace_tokens: int = 0) -> Execution:
        if trace_tokens:
            raise MachineError(NO_TIMELINE)
        from hwsim.machines.aim.model import simulate

        return simulate(program, progress=progress)

    def summarize(self, run: Execution) -> Report:
        from hwsim.machines.aim.summarize import summarize

        return summarize(run, self.spec_file)

    def timeline(self, run: Execution) -> Timeline:
        raise MachineError(NO_TIMELINE)

    def step_ends(self, run: Execution) -> tuple[Sequence[int], int]:
        return run.ends, run.program.spec.time_base.ticks_per_second

    def details(self, run: Execution) -> Details:
        from hwsim.machines.aim.details import details

        return details(run, self.spec_file)

    def emit_trace(self, program: Program) -> Iterator[str]:
        if program.spec.devices > 1:
            raise MachineError(f"aim: a trace is that of one device, and devices is {program.spec.devices}")
        from hwsim.machines.aim.emit import emit

        return emit(program)


@cache
def _spec_file() -> SpecFile[AimSpec]:
    files: dict[str, SpecFile[AimSpec]] = {variant: _spec_file_of(variant) for variant in VARIANTS}
    shipped = files[DEFAULT]
    return VariantSpecFile(
        model=shipped.model,
        defaults=shipped.defaults,
        provenance=shipped.provenance,
        open_fields=shipped.open_fields,
        field="variant",
        variants=files,
    )


def _spec_file_of(variant: Variant) -> SpecFile[AimSpec]:
    """The shipped parameters with one variant's timing."""
    document = dict(read_data("hwsim.machines.aim", "spec.yaml"))
    provenance = document.pop("provenance")
    del document["summary"]
    graded = {f"timing.{key}": entry for key, entry in timing_provenance(STANDARD, bin=variant).items()}
    return SpecFile(
        model=AimSpec,
        defaults={**document, "variant": variant, "timing": timing_defaults(STANDARD, bin=variant)},
        provenance={**provenance, **graded},
        open_fields=("energy_table",),
        meanings={f"timing.{key}": meaning for key, meaning in timing_meanings(STANDARD).items()},
    )


MACHINE = Aim()
