"""Small runs on the machine m3vit."""

from __future__ import annotations

from typing import Any

from hwsim.machines.m3vit import MACHINE
from hwsim.machines.m3vit.model import Execution, simulate
from hwsim.machines.m3vit.programs import Program
from hwsim.mapping.models import build_graph
from hwsim.mapping.workload.load import check_workload
from hwsim.mapping.workload.workload import Workload
from hwsim.report.schema import Report

SMALL: dict[str, Any] = {
    "name": "small", "family": "moe_vit", "layers": 2, "d_model": 48, "heads": 3, "d_ff": 96, "image_height": 32,
    "image_width": 32, "patch": 8, "experts": 4, "top_k": 2, "expert_hidden": 24, "task_names": ["depth", "edges"],
    "provenance": {"grade": "A", "source": "a test"},
}  # fmt: skip


def small(**fields: Any) -> Workload[Any, Any]:
    """A model of two layers and 17 tokens; any field may be replaced."""
    return check_workload({**SMALL, **fields}, origin="small")


def program_of(workload: Workload[Any, Any], settings: dict[str, Any] | None = None) -> Program:
    spec = MACHINE.spec_file.load(None, settings or {})
    MACHINE.check(spec)
    mapped = MACHINE.map_graph(build_graph(workload), workload, spec)
    return MACHINE.lower(mapped, workload, spec)


def run_of(workload: Workload[Any, Any], settings: dict[str, Any] | None = None) -> Execution:
    return simulate(program_of(workload, settings))


def report_of(workload: Workload[Any, Any], settings: dict[str, Any] | None = None) -> Report:
    return MACHINE.summarize(run_of(workload, settings))
