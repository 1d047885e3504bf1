"""A machine on an FPGA that does nothing: its report is the synthetic one."""

from __future__ import annotations

from typing import Any

from hwsim.engine.timeline import Timeline
from hwsim.engine.unit_spec import UnitSpec
from hwsim.machines.machine import Machine, Progress
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.report.schema import Report
from tests.report.synthetic import SPEC_FILE, Spec, fpga_report, units


class Nothing:
    """A stage that leaves the parameters as they are."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def dump(self, step: Step) -> str:
        return ""


class ToyFpga(Machine[Spec, Nothing, Nothing, Spec]):
    """The stages of a machine without work; `simulated` says how often it ran."""

    name = "toy_fpga"
    families = ("vit",)
    kinds = frozenset({"linear"})

    def __init__(self) -> None:
        self.simulated = 0

    @property
    def spec_file(self) -> SpecFile[Spec]:
        return SPEC_FILE

    def check(self, spec: Spec) -> None:
        pass

    def units(self, spec: Spec) -> tuple[UnitSpec, ...]:
        return units(spec)

    def board(self, spec: Spec) -> str:
        return spec.board

    def map_graph(self, graph: OperatorGraph, workload: Workload[Any, Any], spec: Spec) -> Nothing:
        return Nothing(spec)

    def lower(self, mapped: Nothing, workload: Workload[Any, Any], spec: Spec) -> Nothing:
        return mapped

    def simulate(self, program: Nothing, *, progress: Progress | None = None, trace_tokens: int = 0) -> Spec:
        self.simulated += 1
        return program.spec

    def summarize(self, run: Spec) -> Report:
        return fpga_report(**run.model_dump())

    def timeline(self, run: Spec) -> Timeline:
        raise NotImplementedError
