"""Edge-MoE's own arithmetic on the command line: verifications, and runs whose experts follow from weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.cli import main
from hwsim.machines.edge_moe import MACHINE
from hwsim.machines.edge_moe.numerics import encoder_blocks
from hwsim.mapping.workload.load import load_workload
from hwsim.pipeline import prepare
from tests.verify.images import save, weights_of

CAPTURE = pytest.CaptureFixture[str]

YAML = """
name: small
family: moe_vit
machine: edge_moe
layers: 2
d_model: 32
heads: 2
d_ff: 64
image_height: 32
image_width: 64
patch: 16
experts: 4
top_k: 2
expert_hidden: 32
task_names: [depth, edges]
final_norm: false
format: fixed(32, 10)
weight_format: fixed(16, 2)
bias_format: fixed(16, 5)
provenance: {grade: A, source: a test}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(YAML)
    return str(path)


def run_json(capsys: CAPTURE, *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json", "-"]) == 0
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def test_it_verifies_at_either_preset(file: str, capsys: CAPTURE) -> None:
    for blocks in ("published", "rtl"):
        report = run_json(capsys, "verify", file, "--set", f"blocks={blocks}")
        assert (report["machine"], report["encoding"]["task"]) == ("edge_moe", "depth")
        assert report["blocks"]["qk_reorder"]["head_dim"] == 16
        assert report["parameters"]["blocks"] == blocks
        assert 0 < report["layers"][-1]["max_absolute"] < 1e-3
        assert sum(of["wrapped"] for of in report["encoding"]["overflows"]) == 0


def test_formats_reach_the_arithmetic(file: str, capsys: CAPTURE) -> None:
    """Weights of 7 fraction bits: the weights as given are farther away, and so is nothing else."""
    coarse = run_json(capsys, "verify", file, "--set", "formats.weight=fixed(16,9)")
    fine = run_json(capsys, "verify", file)
    given = [report["encoding"]["unrounded"]["relative_norm"] for report in (coarse, fine)]
    assert given[0] > 5 * given[1]
    assert coarse["layers"][-1]["max_absolute"] < 1e-3


def test_a_dense_model_verifies_too(capsys: CAPTURE) -> None:
    report = run_json(capsys, "verify", "vit_tiny", "--machine", "edge_moe", "--layers", "1")
    assert (report["size"]["layers"], report["size"]["of_layers"], report["size"]["final_norm"]) == (1, 12, False)
    assert report["encoding"]["experts"] == []
    assert "topk_gate" not in report["blocks"]


def test_the_blocks_are_those_that_timing_charges(file: str) -> None:
    workload = load_workload(file)
    spec = MACHINE.spec_file.load(None, {"attention.slots": 2})
    program = prepare(workload, settings={"attention.slots": 2}).program
    blocks = encoder_blocks(workload, spec)
    assert blocks.qk_reorder == program.design.qk
    assert (blocks.mv.slots, blocks.qk_reorder.scale_code) == (2, 1 << 20)  # heads of 16: 1/4


def test_a_run_takes_its_queues_from_weights(file: str, capsys: CAPTURE, tmp_path: Path) -> None:
    """Gates that look at nothing send all tokens to the first two experts: ties go to the lower one."""
    model = load_workload(file).model
    tensors = dict(weights_of(model).tensors)
    tensors["l1_w_gate_T_task0"] = np.zeros_like(tensors["l1_w_gate_T_task0"])
    folder = save(tmp_path / "weights", tensors)
    same = run_json(capsys, "run", file, "--weights", str(folder))
    (load,) = same["loads"]
    assert (load["source"], load["p99"]) == ("computed", 9)  # 9 tokens to 2 of 4 experts
    assert same["workload_parameters"]["routing"]["weights"] == str(folder)
    spread = run_json(capsys, "run", file, "--weights", "random:0")
    assert spread["loads"][0]["p99"] < 9
    assert spread["cycles"] != same["cycles"]


def test_a_workload_may_say_it_itself(file: str, tmp_path: Path, capsys: CAPTURE) -> None:
    save(tmp_path / "trained", dict(weights_of(load_workload(file).model).tensors))
    own = tmp_path / "own.yaml"
    own.write_text(YAML + "routing: {load: computed, weights: trained}\n")
    by_file = run_json(capsys, "run", str(own))
    by_option = run_json(capsys, "run", file, "--weights", "random:0")  # the same tensors
    assert by_file["cycles"] == by_option["cycles"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["verify", "--set", "techniques.gelu_approximation=off"],
            "techniques.gelu_approximation off: the golden models",
        ),
        (["run", "--weights", "/nowhere"], "/nowhere: no such folder; expected a folder of weights or random:SEED"),
        (["run", "--weights", "random:x"], "--weights random:x: expected random:SEED with a whole number from 0"),
        (["run", "--set", "workload.routing.load=computed"], "routing: load: computed needs weights"),
        (["verify", "--set", "workload.top_k=5"], "top_k: a token cannot go to 5 of 4 experts"),
        (["verify", "--set", "workload.activation=silu"], "small: activation silu: linear has gelu_erf alone"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, file: str, capsys: CAPTURE) -> None:
    assert main([arguments[0], file, *arguments[1:]]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_a_decoder_is_refused(capsys: CAPTURE) -> None:
    assert main(["verify", "gpt2", "--machine", "edge_moe"]) == 2
    assert "edge_moe runs encoders of images, not gpt" in capsys.readouterr().err
