"""`hwsim verify`: its output, and one line for each mistake."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from hwsim.cli import main
from hwsim.errors import MachineError, WeightsError
from hwsim.machines.machine import Machine
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.verify.report import VERIFY_SCHEMA_VERSION, VerifyReport
from hwsim.verify.size import load_sized
from hwsim.verify.weights import load_weights, random_weights, shapes
from tests.mapping.workloads import tiny

CAPTURE = pytest.CaptureFixture[str]
SMALL = [
    "--set",
    "workload.d_model=64",
    "--set",
    "workload.heads=2",
    "--set",
    "workload.vocab=50",
    "--tokens",
    "3",
]
TINY_YAML = (
    "name: tiny\nmachine: pim_gpt\nlayers: 1\nd_model: 4\nheads: 2\nvocab: 8\nn_ctx: 4\n"
    "provenance: {grade: A, source: a test}\n"
)
TINY: DecoderWorkload = tiny(vocab=8, n_ctx=4, d_model=4, heads=2, tokens=1)


def save(folder: Path, **changes: np.ndarray | None) -> Path:
    """The tiny model's tensors as .npy; `changes` replace some (`__` for a dot) or leave them out."""
    tensors = dict(random_weights(TINY, 1).tensors)
    tensors.update({name.replace("__", "."): value for name, value in changes.items()})  # type: ignore[misc]
    for name, tensor in tensors.items():
        if tensor is not None:
            np.save(folder / f"{name}.npy", tensor)
    return folder


def test_verify_prints_errors_and_agreement(capsys: CAPTURE) -> None:
    assert main(["verify", "gpt2", *SMALL]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for expected in (
        "gpt2 on pim_gpt: numerics at 2 of 12 layers, d 64, 2 heads of 32, hidden 256, vocabulary 50;",
        "weights random:0; --full keeps",
        "prompt of 16 tokens into the cache, then 3 decode steps",
        "layernorm", "reciprocal", "ffn2", "block 1", "fed its own:", "asic.taylor_terms (M)",
    ):  # fmt: skip
        assert expected in out


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ([], "on PIM (a run's timing leaves it out)"),
        (["lm_head=host"], "on the host, taken to be exact (a run's timing leaves it out)"),
        (["workload.lm_head=included"], "on PIM"),
        (["workload.lm_head=included", "lm_head=host"], "on the host, taken to be exact"),
    ],
)
def test_the_report_says_where_the_projection_was_carried_out(settings: list[str], where: str, capsys: CAPTURE) -> None:
    """With the projection excluded from a run and lm_head=host, the report said that PIM had computed it."""
    words = [word for text in settings for word in ("--set", text)]
    assert main(["verify", "gpt2", *SMALL, "--json", "-", *words]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["lm_head"] == where
    assert ("lm_head" in [entry["function"] for entry in report["functions"]]) == ("host" not in where)


def test_verify_knows_llama(capsys: CAPTURE) -> None:
    assert main(["verify", "tiny_llama", "--set", "workload.vocab=50", "--tokens", "3"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for expected in ("tiny_llama on pim_gpt: numerics at 2 layers, d 256", "rmsnorm", "rope", "glu", "fed its own:"):
        assert expected in out


@pytest.mark.parametrize(
    ("workload", "setting", "message"),
    [
        ("gpt2", "position=rope", "gpt2: position rope: a verification of family gpt knows position learned alone"),
        ("gpt2", "kv_heads=4", "gpt2: kv_heads: a verification of family gpt knows no grouped heads"),
        ("tiny_llama", "mlp=plain", "tiny_llama: mlp plain: a verification of family llama knows mlp gated alone"),
    ],
)
def test_a_form_without_checkpoints_is_refused(workload: str, setting: str, message: str, capsys: CAPTURE) -> None:
    assert main(["verify", workload, "--set", f"workload.{setting}"]) == 2
    assert message in capsys.readouterr().err


def test_llama_folders_may_begin_names_with_model(tmp_path: Path) -> None:
    workload = tiny(family="llama", d_ff=8, vocab=8, d_model=8)
    tensors = random_weights(workload, 1).tensors
    save_file(
        {name if name == "lm_head.weight" else f"model.{name}": np.ascontiguousarray(t) for name, t in tensors.items()},
        tmp_path / "model.safetensors",
    )
    loaded = load_weights(str(tmp_path), workload)
    assert set(loaded.tensors) == set(tensors)
    np.testing.assert_array_equal(
        loaded["layers.0.self_attn.k_proj.weight"], tensors["layers.0.self_attn.k_proj.weight"]
    )


def test_json_is_the_same_twice_and_says_what_was_verified(tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file in files:
        assert main(["verify", "gpt2", *SMALL, "--weights", "random:5", "--quiet", "--json", str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    report = VerifyReport.model_validate_json(files[0].read_bytes())
    assert (report.schema_version, report.seed, report.size.layers, report.size.of_layers) == (
        VERIFY_SCHEMA_VERSION, 5, 2, 12,
    )  # fmt: skip
    assert len(report.generation.reference) == 3


@pytest.mark.parametrize(
    ("settings", "function"),
    [
        ("asic.taylor_terms=3", "exp"),
        ("asic.newton_steps=1", "reciprocal"),
        ("asic.rsqrt_steps=0", "rsqrt"),
        ("asic.internal=bf16", "gelu"),
        ("mac_accumulator=bf16", "ffn2"),
        ("mac_tree=bf16", "qkv"),
    ],
)
def test_each_knob_reaches_the_arithmetic_and_loses_digits(settings: str, function: str, capsys: CAPTURE) -> None:
    def mean_error(*arguments: str) -> float:
        assert main(["verify", "gpt2", *SMALL, "--json", "-", *arguments]) == 0
        functions = json.loads(capsys.readouterr().out)["functions"]
        return float(next(entry["mean_relative"] for entry in functions if entry["function"] == function))

    assert mean_error("--set", settings) > 1.2 * mean_error()


def test_sums_beyond_the_format_are_shown_as_not_finite(tmp_path: Path, capsys: CAPTURE) -> None:
    workload = tmp_path / "tiny.yaml"
    workload.write_text(TINY_YAML)
    folder = tmp_path / "weights"
    folder.mkdir()
    matrix = np.zeros((4, 16), dtype=np.float32)
    matrix[0] = 1e7  # of one input, so that nothing cancels
    save(folder, h__0__mlp__c_fc__weight=matrix)
    arguments = ["--weights", str(folder), "--set", "workload.prompt=1", "--tokens", "2"]
    assert main(["verify", str(workload), *arguments, "--set", "mac_accumulator=fp16", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert (err, "NaN" in out) == ("", False)
    by_name = {entry["function"]: entry for entry in json.loads(out)["functions"]}
    assert by_name["ffn1"]["not_finite"] > 0 == by_name["qkv"]["not_finite"]


def test_the_usual_size_keeps_what_the_user_set() -> None:
    sized, own = load_sized("gpt2", {"layers": 3}, full=False)
    assert (sized.model.layers, sized.model.vocab, sized.model.d_model) == (3, 4096, 768)
    assert (sized.run.prompt, sized.run.tokens) == (16, 32)
    assert (own.model.layers, own.model.vocab) == (3, 50257)
    full, _ = load_sized("gpt2", {}, full=True)
    assert (full.model.layers, full.model.vocab) == (12, 50257)


def test_random_weights_hang_on_seed_and_name_alone() -> None:
    one, more = random_weights(tiny(layers=1), 2), random_weights(tiny(layers=3), 2)
    assert set(one.tensors) == set(shapes(tiny(layers=1)))
    np.testing.assert_array_equal(one["h.0.attn.c_attn.weight"], more["h.0.attn.c_attn.weight"])
    assert one["h.0.mlp.c_fc.weight"].std() == pytest.approx(0.02, rel=0.02)
    assert more["h.0.mlp.c_proj.weight"].std() == pytest.approx(0.02 / 6**0.5, rel=0.02)
    assert one["h.0.ln_1.weight"].mean() == pytest.approx(1, abs=0.01)
    assert (random_weights(tiny(), 3)["wte.weight"] != one["wte.weight"]).any()


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors", "prefixed", "bf16"])
def test_folders_hold_the_tensors_in_any_of_the_formats(kind: str, tmp_path: Path) -> None:
    expected = random_weights(TINY, 1).tensors
    tensors = dict(expected)
    if kind == "npy":
        save(tmp_path)
    elif kind == "npz":
        np.savez(tmp_path / "model.npz", **tensors)
    elif kind == "bf16":
        expected = {name: t.astype(ml_dtypes.bfloat16).astype(np.float32) for name, t in tensors.items()}
        save_file({name: t.astype(ml_dtypes.bfloat16) for name, t in tensors.items()}, tmp_path / "m.safetensors")
    else:
        prefix = "transformer." if kind == "prefixed" else ""
        save_file({prefix + name: tensor for name, tensor in tensors.items()}, tmp_path / "model.safetensors")
    loaded = load_weights(str(tmp_path), TINY)
    assert set(loaded.tensors) == set(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(loaded[name], tensor)


BIAS = np.zeros(12, dtype=np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ln_f__bias": None}, "no tensor ln_f.bias; nearest: "),
        ({"h__0__attn__c_attn__bias": np.where(np.arange(12) == 3, np.nan, BIAS)}, "c_attn.bias has nan at (3) (1 not"),
        ({"h__0__attn__c_attn__bias": np.where(np.arange(12) > 9, np.inf, BIAS)}, "c_attn.bias has inf at (10) (2 not"),
        ({"h__0__attn__c_attn__bias": np.zeros((3, 4))}, "c_attn.bias has shape (3, 4), expected (12)"),
        ({"wte__weight": np.zeros((8, 4), dtype=np.int32)}, "wte.weight holds int32, expected floating-point numbers"),
    ],
)
def test_a_wrong_tensor_is_one_line_that_names_it(
    changes: dict[str, np.ndarray | None], message: str, tmp_path: Path, capsys: CAPTURE
) -> None:
    workload = tmp_path / "tiny.yaml"
    workload.write_text(TINY_YAML)
    folder = tmp_path / "weights"
    folder.mkdir()
    arguments = ["--set", "workload.prompt=1", "--tokens", "2", "--weights", str(save(folder, **changes))]
    assert main(["verify", str(workload), *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"{folder}" in err
    assert message in err


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    for suffix in ("npy", "npz", "safetensors"):
        folder = tmp_path / suffix
        folder.mkdir()
        (folder / f"wte.weight.{suffix}").write_bytes(b"nothing of the kind")
        with pytest.raises(WeightsError, match=rf"wte\.weight\.{suffix}: .*"):
            load_weights(str(folder), TINY)


def test_a_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    np.savez(save(tmp_path) / "all.npz", **random_weights(TINY, 1).tensors)
    with pytest.raises(WeightsError, match="is also in"):
        load_weights(str(tmp_path), TINY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weights", "random:x"], "--weights random:x: expected random:SEED with a whole number from 0"),
        (["--weights", "/nowhere"], "/nowhere: no such folder; expected a folder of weights or random:SEED"),
        (
            ["--weights", "/dev/null"],
            "/dev/null: is a file, expected a folder of .float32.bin, .npy, .npz, .safetensors",
        ),
        (["--tokens", "0"], "--tokens: expected at least 1, got 0"),
        (
            ["--set", "workload.batch=2"],
            "--set workload.batch=2: a verification decodes one sequence from its first",
        ),
        (["--set", "workload.past=4"], "decodes one sequence from its first token, expected 0"),
        (["--set", "mac_tree=int8"], "mac_unit: tree must be one of bf16, fp16, fp32, got int8"),
        (["--set", "workload.prompt=2000"], "a context of 2032 tokens is longer than n_ctx 1024"),
        (["--json", "/nowhere/x.json"], "/nowhere/x.json: there is no folder /nowhere"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(["verify", "gpt2", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_a_machine_without_golden_models_says_so() -> None:
    class Bare:
        name = "bare"

    with pytest.raises(MachineError, match="bare: has no golden models, so there is no arithmetic to verify"):
        Machine.verify(Bare(), None, None)  # type: ignore[arg-type]


def test_a_saved_set_of_settings_reaches_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("asic: {newton_stps: 1}\n")
    assert main(["verify", "gpt2", "--config", str(config)]) == 2
    assert "mine.yaml: asic.newton_stps: no such parameter; nearest: asic.newton_steps" in capsys.readouterr().err
