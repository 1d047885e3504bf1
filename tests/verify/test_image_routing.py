"""Which experts a run's tokens go to, computed from weights; and the command line's part in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.cli import main
from hwsim.errors import MappingError, WeightsError
from hwsim.mapping.workload.workload import Workload
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.routing import choices_of, computed_choices
from tests.mapping.families import workload
from tests.verify.images import SMALL, golden, save, small, weights_of


def run_of(weights: str, **fields: Any) -> Workload[Any, Any]:
    return workload("moe_vit", **SMALL, routing={"load": "computed", "weights": weights}, **fields)


BLOCKS = EncoderBlocks.sized(small(), preset="rtl")


def test_every_task_of_the_run_chooses() -> None:
    found = computed_choices(run_of("random:0", frames=1), BLOCKS, "own")
    assert sorted(found) == [(0, 1), (1, 1)]
    for (task, layer), experts in found.items():
        by_itself = golden(small(), weights_of(small())).run(task).choices[layer]
        np.testing.assert_array_equal(experts, by_itself.experts_tk)
    assert (found[0, 1] != found[1, 1]).any()


def test_a_run_of_one_task_needs_no_other_gate(tmp_path: Path) -> None:
    tensors = {name: t for name, t in weights_of(small()).tensors.items() if not name.endswith("task0")}
    folder = str(save(tmp_path / "weights", tensors))
    assert sorted(computed_choices(run_of(folder, tasks=["edges"]), BLOCKS, "own")) == [(1, 1)]
    with pytest.raises(WeightsError, match="no tensor l1_w_gate_T_task0; nearest: l1_w_gate_T_task1"):
        computed_choices(run_of(folder), BLOCKS, "own")


def test_scores_come_with_the_choice() -> None:
    choice = choices_of(small(), [0], "random:0", BLOCKS)[0, 1]
    scores = choice.scores_tk * 2.0**-22
    assert choice.experts_tk.shape == scores.shape == (17, 2)
    assert (scores[:, 0] >= scores[:, 1]).all()
    assert ((scores.sum(axis=1) > 0.5) & (scores.sum(axis=1) < 1)).all()  # two of four, as probabilities over all


def test_other_families_have_no_experts_to_compute() -> None:
    dense = workload("vit", layers=1)
    with pytest.raises(MappingError, match="own: computes experts of family moe_vit; small is of family vit"):
        computed_choices(dense, BLOCKS, "own")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mixtral_8x7b", "--machine", "aim"], "aim: has no golden models that choose experts; routing.load may be"),
        (
            ["mixtral_8x7b", "--machine", "aim", "--set", "workload.routing.load=zipf"],
            "--weights random:0: experts follow from weights, or from workload.routing.load, not both",
        ),
        (["gpt2"], "routing goes with experts, of which the model has none"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *arguments, "--weights", "random:0"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m3vit_tiny", "--machine", "pim_gpt"], "pim_gpt: runs decoders token by token"),
        (["gpt2", "--layers", "13"], "--layers 13: gpt2 has 1 to 12 layers to verify"),
        (
            ["bert_large", "--machine", "pim_gpt"],
            "pim_gpt: runs decoders token by token (families gpt, llama); bert_large is of family bert",
        ),
        (["m3vit_tiny", "--set", "workload.tasks=normals"], "tasks: the model has no task 'normals'"),
    ],
)
def test_what_cannot_be_verified_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_layers_of_a_decoder_can_be_fewer(capsys: pytest.CaptureFixture[str]) -> None:
    small_gpt = ["--set", "workload.d_model=64", "--set", "workload.heads=2", "--set", "workload.vocab=50"]
    assert main(["verify", "gpt2", *small_gpt, "--tokens", "2", "--layers", "1"]) == 0
    assert "numerics at 1 of 12 layers" in capsys.readouterr().out
