"""Models that leave their number format to the machine."""

from typing import Any

import pytest

from hwsim.machines import MACHINES
from hwsim.mapping.workload.workload import Workload
from hwsim.pipeline import explain, load_workload, prepare
from tests.fpga.toy import ToyFpga
from tests.report.synthetic import Spec


class HalfPrecision(ToyFpga):
    """A machine that computes in fp16, or in fp32 where its board is the large one."""

    def own_format(self, spec: Spec) -> str:
        return "fp32" if spec.board == "u55c" else "fp16"


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(MACHINES, "toy_fpga", HalfPrecision)
    return "toy_fpga"


def format_on(machine: str, workload: Workload[Any, Any], **settings: str) -> str:
    """The format of a graph's first tensor, which the prepared workload states too."""
    stages = prepare(workload, machine, settings)
    made = str(stages.graph.tensor("embed").fmt)
    assert stages.workload.model.format == made
    return made


def test_a_model_without_a_format_has_the_machines(half: str) -> None:
    vit = load_workload("vit_tiny")
    assert vit.model.format == "bf16"  # as long as nobody says which machine runs it
    assert format_on(half, vit) == "fp16"
    assert format_on(half, vit, board="u55c") == "fp32"


def test_a_model_that_states_its_format_keeps_it(half: str) -> None:
    assert format_on(half, load_workload("vit_tiny", format="bf16")) == "bf16"


def test_a_machine_without_a_format_of_its_own_leaves_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MACHINES, "toy_fpga", ToyFpga)
    assert format_on("toy_fpga", load_workload("vit_tiny")) == "bf16"


def test_a_graph_is_explained_in_the_format_of_the_machine_that_the_workload_names(half: str) -> None:
    vit = load_workload("vit_tiny")
    assert "embed[tokens, 192] bf16" in explain(vit, "graph")
    assert "embed[tokens, 192] fp16" in explain(load_workload("vit_tiny", machine=half), "graph")
    assert "embed[tokens, 192] bf16" in explain(load_workload("vit_tiny", machine=half, format="bf16"), "graph")
    assert "embed[tokens, 192] fp32" in explain(vit, "graph", half, {"board": "u55c"})
