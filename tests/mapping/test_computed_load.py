"""Experts that were computed, in the place of a load that says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.expert_queues import expert_queues
from hwsim.mapping.workload.computed_load import ComputedLoad
from hwsim.mapping.workload.load import load_workload
from hwsim.mapping.workload.loads import Load
from tests.mapping.families import graph_of, workload

CHOSEN = {(0, 1): np.array([[2, 0], [2, 1], [0, 3]]), (1, 1): np.array([[1, 0], [1, 0], [1, 0]])}
LOAD = ComputedLoad.of(Load(load="computed", weights="random:7"), CHOSEN)
ASKED = {"layer": 1, "tokens": 3, "experts": 4, "top_k": 2}


def test_each_task_has_its_choice_in_every_step() -> None:
    for number in (0, 5):
        assert LOAD.at(number, 0).queue_lengths(**ASKED) == (2, 1, 2, 1)
        assert LOAD.at(number, 1).queue_lengths(**ASKED) == (3, 3, 0, 0)
    assert LOAD.at(0).token_experts(**ASKED).tolist() == [[2, 0], [2, 1], [0, 3]]
    assert (LOAD.at(0).known, str(LOAD.at(0))) == (True, "computed with weights random:7")


def test_a_batch_is_the_same_image_several_times() -> None:
    twice = {**ASKED, "tokens": 6}
    assert LOAD.at(0).queue_lengths(**twice) == (4, 2, 4, 2)
    assert LOAD.at(0).token_experts(**twice)[3:].tolist() == [[2, 0], [2, 1], [0, 3]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layer": 3}, "nothing was computed for task 0, layer 3"),
        ({"tokens": 4}, "layer 1 has 3 tokens with 2 of at least 4 experts each, asked for 4 tokens with 2 of 4"),
        ({"top_k": 1}, "asked for 3 tokens with 1 of 4"),
        ({"experts": 3}, "asked for 3 tokens with 2 of 3"),
    ],
)
def test_what_was_not_computed(asked: dict[str, int], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        LOAD.at(0).queue_lengths(**{**ASKED, **asked})


def test_a_run_with_it_has_known_queues() -> None:
    model = workload("moe_vit", routing={"load": "computed", "weights": "random:7"}, frames=2)
    chosen = {(task, 1): np.tile([[task, 3]], (9, 1)) for task in (0, 1)}
    run = model.run.model_copy(update={"routing": ComputedLoad.of(model.run.routing, chosen)})
    queues = expert_queues(graph_of("moe_vit"), run.steps(model.model))
    assert queues is not None
    assert (queues.longest, queues.used) == (9, 2.0)
    assert run.model_dump()["routing"]["weights"] == "random:7"


FILE = """
name: small
family: moe_vit
layers: 2
d_model: 8
heads: 2
experts: 4
top_k: 2
expert_hidden: 4
routing: {load: computed, weights: WEIGHTS}
provenance: {grade: A, source: a test}
"""


@pytest.mark.parametrize(("weights", "found"), [("random:3", "random:3"), ("trained", "{}/trained")])
def test_a_folder_of_weights_lies_beside_the_file(weights: str, found: str, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(FILE.replace("WEIGHTS", weights))
    assert load_workload(file).run.routing.weights == found.format(tmp_path)


def test_weights_go_with_what_is_computed() -> None:
    for routing, message in (
        ({"load": "computed"}, "load: computed needs weights"),
        ({"load": "zipf", "weights": "random:0"}, "weights goes with load: computed, and with no other"),
    ):
        with pytest.raises(WorkloadError, match=message):
            workload("moe_vit", routing=routing)
