"""`hwsim verify --machine swat`: what it prints, what it reads from the machine, and what it refuses."""

import json
from typing import Any

import pytest

from hwsim.cli import main
from hwsim.machines.find import load_machine
from hwsim.machines.swat.verify import row_blocks
from hwsim.mapping.formats import FP16, FP32

CAPTURE = pytest.CaptureFixture[str]


def attention(capsys: CAPTURE, *arguments: str) -> dict[str, Any]:
    assert main(["verify", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["attention"]
    return found


def errors(pattern: dict[str, Any], inputs: str, softmax: str) -> dict[str, Any]:
    (found,) = (of for of in pattern["errors"] if (of["inputs"], of["softmax"]) == (inputs, softmax))
    return dict(found)


def test_the_kernel_is_verified_in_the_machines_format(capsys: CAPTURE) -> None:
    assert main(["verify", "swat_kernel", "--tokens", "2048"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for expected in (
        "swat_kernel on swat: numerics of attention in fp16, sums in fp32; 1 operator with 1 head, 1 different",
        "window(256, 255) (attention); 256 of 2,048 rows over 2,048 keys, H 64, 1 pass of 512 cores",
        "attention_core", "row_max", "qk_sum_format (A)",
    ):  # fmt: skip
        assert expected in out


def test_fp16_loses_rows_that_a_maximum_saves(capsys: CAPTURE) -> None:
    (pattern,) = attention(capsys, "swat_kernel", "--tokens", "1024")["patterns"]
    plain, safe = (errors(pattern, "large", softmax) for softmax in ("plain", "safe"))
    assert plain["rows_lost"] > 100
    assert plain["infinite_exps"] > 0
    assert (safe["rows_lost"], safe["infinite_exps"]) == (0, 0)


def test_fp32_is_much_nearer_than_fp16(capsys: CAPTURE) -> None:
    means = {
        fmt: errors(
            attention(capsys, "swat_kernel", "--tokens", "600", "--set", f"format={fmt}")["patterns"][0],
            "random",
            "plain",
        )["mean_absolute"]
        for fmt in ("fp16", "fp32")
    }
    assert means["fp32"] < means["fp16"] / 1000


def test_a_window_of_the_published_form_is_compared_with_itself(capsys: CAPTURE) -> None:
    small = ["swat_kernel", "--tokens", "300", "--set", "cores=64", "--set", "workload.pattern=window(32, 32)"]
    (exact,) = attention(capsys, *small)["patterns"]
    (published,) = attention(capsys, *small, "--set", "window=published")["patterns"]
    assert (exact["computed"], exact["passes"], exact["dropped"]) == ("window(32, 32)", 2, 0)
    assert (published["computed"], published["passes"], published["dropped"]) == ("window(32, 31)", 1, 268)
    assert errors(published, "random", "plain")["max_relative"] < 3e-3


def test_every_head_of_a_model_is_verified(capsys: CAPTURE) -> None:
    small = [word for text in ("n_ctx=512", "layers=2", "d_model=128", "heads=2", "head_dim=64") for word in
             ("--set", f"workload.{text}") if not text.startswith("head_dim")]  # fmt: skip
    found = attention(capsys, "longformer_base_4096", *small, "--set", "workload.tokens=512")
    assert [(of["pattern"], of["heads"], of["rows"], of["keys"]) for of in found["patterns"]] == [
        ("window(256, 256) | memory_slots(1)", 4, 256, 512),
        ("full", 4, 1, 512),
    ]
    for pattern in found["patterns"]:
        assert errors(pattern, "random", "safe")["max_relative"] < 3e-3


def test_biases_of_a_grid_are_verified(capsys: CAPTURE) -> None:
    small = ["--set", "workload.image_height=56", "--set", "workload.image_width=56", "--set", "workload.depths=[2]",
             "--set", "workload.heads=[3]"]  # fmt: skip
    found = attention(capsys, "swin_tiny", *small)
    assert [(of["pattern"], of["relative_bias"]) for of in found["patterns"]] == [
        ("window2d(14, 14, 7)", True),
        ("window2d(14, 14, 7, shift=3)", True),
    ]
    for pattern in found["patterns"]:
        assert errors(pattern, "random", "plain")["max_relative"] < 3e-3


def test_the_blocks_are_those_that_timing_charges() -> None:
    _, spec = load_machine("swat", {"reduction_group": 32, "reduce_order": "chain", "softmax": "safe"})
    made = row_blocks(spec)
    assert (made.z_reduce.group, made.z_reduce.order, made.core.sum_fmt, made.cores) == (32, "chain", FP16, 512)
    assert made.row_max is not None
    assert made.row_max.sum_fmt == FP16
    _, wide = load_machine("swat", {"format": "fp32"})
    assert (row_blocks(wide).core.sum_fmt, row_blocks(wide).row_sum.sum_fmt) == (FP32, FP32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["swat_kernel", "--weights", "here"], "here: attention is verified by itself, on inputs of random:SEED"),
        (["swat_kernel", "--layers", "1"], "--layers 1: swat_kernel is a single operator, which has no layers"),
        (["swat_kernel", "--set", "workload.head_dim=128"], "heads have 128 elements, cores hold 64"),
        (["longformer_base_4096", "--layers", "13"], "--layers 13: longformer_base_4096 has 1 to 12 layers to verify"),
    ],
)  # fmt: skip
def test_what_cannot_be_verified_is_one_line(arguments: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(["verify", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
