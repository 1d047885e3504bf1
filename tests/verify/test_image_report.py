"""The report of a verification of an encoder of images: errors, choices of experts, overflows; as JSON and as text."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from rich.console import Console

from hwsim.errors import MappingError, WorkloadError
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.parameters.spec_file import SpecFile
from hwsim.rtl.random_codes import random_codes
from hwsim.verify.float64_image import Float64Encoder
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.codes import Matrix, quantise
from hwsim.verify.image_encoder.comparison import compare_encoders
from hwsim.verify.image_encoder.floored_sums import floored_sums
from hwsim.verify.image_encoder.observed import ObservedEncoder
from hwsim.verify.image_encoder.verify import verify_images
from hwsim.verify.image_tensors import ImageModel
from hwsim.verify.image_weights import ImageWeights
from hwsim.verify.render import render
from hwsim.verify.report import EncodedImages, VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.size import load_sized
from tests.verify.images import dense, save, small, weights_of

YAML = """
name: small
family: moe_vit
layers: 4
d_model: 32
heads: 2
d_ff: 64
image_height: 16
image_width: 16
patch: 4
experts: 4
top_k: 2
expert_hidden: 32
task_names: [depth, edges]
final_norm: false
provenance: {grade: A, source: a test}
"""


class Spec(BaseModel):
    """What a machine's parameters have in any case."""

    name: str = "own"


SPEC_FILE = SpecFile(model=Spec, defaults={"name": "own"}, provenance={"name": {"grade": "A"}})


def verify(path: Path, weights: str = "random:0", layers: int | None = None, **settings: Any) -> VerifyReport:
    workload = path / "small.yaml"
    workload.write_text(YAML)
    sized, own = load_sized(str(workload), settings, full=False, layers=layers)
    request = VerifyRequest(workload=sized, own=own, weights=weights)
    blocks = EncoderBlocks.sized(sized.model, preset="published")
    return verify_images(request, blocks, spec=Spec(), spec_file=SPEC_FILE, numeric=["name"])


def text_of(report: VerifyReport) -> str:
    console = Console(file=StringIO(), width=160)
    render(report, console)
    made: str = console.file.getvalue()  # type: ignore[attr-defined]
    return made


def encoding_of(report: VerifyReport) -> EncodedImages:
    assert report.encoding is not None
    return report.encoding


def test_json_is_the_same_twice_and_says_what_was_verified(tmp_path: Path) -> None:
    one, two = (verify(tmp_path, "random:3").to_json() for _ in range(2))
    assert one == two
    report = VerifyReport.model_validate_json(one)
    assert (report.machine, report.workload, report.seed, report.schema_version) == ("own", "small", 3, "1.2")
    assert report.size.model_dump() == {
        "layers": 4, "of_layers": 4, "tokens": 17, "d_model": 32, "heads": 2, "head_dim": 16, "d_ff": 64, "experts": 4,
        "top_k": 2, "expert_hidden": 32, "final_norm": False, "parameters": report.size.parameters,
    }  # fmt: skip
    assert [entry.name for entry in report.unconfirmed] == ["name"]
    assert (report.generation, report.lm_head) == (None, None)
    assert list(report.blocks) == [
        "patch_embed", "layernorm", "weight_loader", "linear", "qk_reorder", "online_softmax", "mv", "topk_gate",
        "residual_add",
    ]  # fmt: skip


def test_it_has_errors_of_functions_and_layers(tmp_path: Path) -> None:
    report = verify(tmp_path)
    assert [entry.function for entry in report.functions] == [
        "patch_embed", "layernorm", "qkv", "scores", "softmax", "values", "proj", "residual", "ffn1", "gelu_erf",
        "ffn2", "gate", "gate_score", "add_scored",
    ]  # fmt: skip
    assert [entry.layer for entry in report.layers] == ["embedding", "layer 0", "layer 1", "layer 2", "layer 3"]
    assert all(0 < entry.max_absolute < 1e-3 for entry in report.layers if entry.max_absolute is not None)
    gelu = next(entry for entry in report.functions if entry.function == "gelu_erf")
    assert 5e-5 < gelu.max_absolute < 1e-4  # the table's, as Edge-MoE's facts have it


def test_text_shows_them(tmp_path: Path) -> None:
    text = text_of(verify(tmp_path, layers=2))
    for expected in (
        "small on own: numerics of an image of 17 tokens at 2 of 4 layers, d 32, 2 heads of 16, hidden 64, top 2 of 4",
        "weights random:0", "task depth; --set workload.tasks=NAME chooses another", "over all layers", "gate_score",
        "The residual stream after each layer", "float64 model, all tokens", "layer 1",
        "Tokens with the same experts as float64 sends them to", "100.0%", "Values that wrapped", "in all",
        "topk_gate", "Unconfirmed (M remembered, A assumed; --set overrides): name (A)",
    ):  # fmt: skip
        assert expected in text
    assert "The same, where float64 follows" not in text  # nothing parts them


@pytest.mark.parametrize("tasks", ["edges", ["edges"], ["edges", "depth"]])
def test_a_task_is_chosen_by_the_run(tasks: Any, tmp_path: Path) -> None:
    assert encoding_of(verify(tmp_path, tasks=tasks)).task == "edges"


def test_the_first_layers_need_only_their_files(tmp_path: Path) -> None:
    model = small(layers=4)
    tensors = {n: t for n, t in weights_of(model).tensors.items() if not n.startswith(("l2_", "l3_"))}
    folder = save(tmp_path / "weights", tensors)
    report, whole = verify(tmp_path, str(folder), layers=2), verify(tmp_path)
    assert report.layers == whole.layers[:3]
    assert report.weights == str(folder)


@pytest.mark.parametrize("layers", [0, 5])
def test_there_are_only_so_many_layers(layers: int, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=f"--layers {layers}: small has 1 to 4 layers to verify"):
        verify(tmp_path, layers=layers)


def test_a_workload_of_another_kind_is_refused() -> None:
    sized, own = load_sized("gpt2", {}, full=False)
    request = VerifyRequest(workload=sized, own=own, weights="random:0")
    blocks = EncoderBlocks.sized(small(), preset="rtl")
    with pytest.raises(MappingError, match=r"own: encodes images \(families vit, moe_vit\); gpt2 is of family gpt"):
        verify_images(request, blocks, spec=Spec(), spec_file=SPEC_FILE, numeric=())


def compare(model: ImageModel, weights: ImageWeights, *, final_norm: bool = False) -> EncodedImages:
    blocks = EncoderBlocks.sized(model, preset="rtl")
    found = compare_encoders(model, weights, blocks, task=0, task_name=None, final_norm=final_norm)
    assert [of.layer for of in found.layers][-1] == ("final norm" if final_norm else f"layer {model.layers - 1}")
    return found.encoding


def test_a_dense_model_has_no_choices_and_ends_with_a_norm() -> None:
    model = dense()
    encoding = compare(model, weights_of(model, final_norm=True), final_norm=True)
    assert (encoding.experts, encoding.forced) == ([], None)
    assert encoding.unrounded.layer == "final norm"


def test_nothing_wraps_at_usual_sizes() -> None:
    encoding = compare(small(), weights_of(small()))
    assert [(of.layer, of.wrapped) for of in encoding.overflows] == [
        ("weights", 0), ("outside", 0), ("layer 0", 0), ("layer 1", 0),
    ]  # fmt: skip
    assert all(of.values > 0 for of in encoding.overflows)


def test_values_that_wrap_are_counted_where_they_do() -> None:
    """Hidden units of 15.9 at least: one feature of each token adds up to about 64 x 15.9 x 1.9 = 1,933."""
    weights = weights_of(small())
    tensors = {name: tensor.copy() for name, tensor in weights.tensors.items()}
    tensors["l0_fc1_bias"][:] = 15.9
    tensors["l0_fc2_weight"][3] = 1.9
    tensors["image"][0, 0, :5] = 1.0  # a pixel is less than 1
    tensors["l1_norm1_bias"][7] = 16.0
    encoding = compare(small(), ImageWeights(tensors=tensors, origin="a test"))
    before, outside, first, _ = encoding.overflows
    assert (before.wrapped, before.functions) == (6, {"image": 5, "l1_norm1_bias": 1})
    assert (outside.wrapped, outside.functions) == (0, {})
    assert (first.wrapped, first.functions) == (17, {"ffn2": 17})  # one feature of each token


def test_a_variance_that_wraps_is_counted() -> None:
    """A mean square of 600 is more than an accumulator holds."""
    weights = weights_of(small())
    loud = weights.changed(lambda name, t: np.sign(t) * np.float32(600**0.5) if name == "pos_embed" else t)
    first = compare(small(), loud).overflows[2]
    assert first.functions["variance"] >= 17  # of norm1, for each token


def test_scores_that_wrap_are_counted() -> None:
    """A query and key of 16 channels of 6.5 each: 676 before the scale of 1/4."""
    model, weights = small(), weights_of(small())
    tensors = {name: tensor.copy() for name, tensor in weights.tensors.items()}
    tensors["l0_qkv_bias"][:64], tensors["l0_qkv_weight"][:64] = 6.5, 0
    first = compare(model, ImageWeights(tensors=tensors, origin="a test")).overflows[2]
    assert first.functions == {"scores": 2 * 17 * 17}


@given(seed=st.integers(0, 2**32 - 1))
def test_a_distance_from_float64_counts_as_exact_sums_do(seed: int) -> None:
    """The sums of floored products, as wide as they are: those beyond 32 bits are the ones that wrapped."""
    model, rng = small(), np.random.default_rng(seed)
    blocks = EncoderBlocks.sized(model, preset="rtl")
    machine = ObservedEncoder(model, blocks, quantise(weights_of(model), blocks), final_norm=False)
    c = blocks.linear
    x, weight = random_codes(rng, c.activation, (5, 7)), random_codes(rng, c.weight, (6, 7))
    bias = random_codes(rng, c.bias, (6,))
    machine.linear("ffn1", Matrix(weight=weight, bias=bias), x)
    sums = floored_sums(x, weight, 14) + (bias << 11)
    beyond = (sums < -(2**31)) | (sums >= 2**31)
    assert machine.wrapped[None] == {"ffn1": beyond.sum()}


def test_progress_is_told_layer_by_layer() -> None:
    told: list[tuple[int, int]] = []
    blocks = EncoderBlocks.sized(small(), preset="rtl")
    compare_encoders(
        small(), weights_of(small()), blocks, task=0, task_name=None, final_norm=False,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]


def test_disagreement_is_measured_and_followed() -> None:
    """Experts 0 and 1 have the same gate but for less than a step of the weights: float64 parts them, floors do not."""
    model = small()
    assert isinstance(model, MoeVitModel)
    weights = weights_of(model)
    tensors = {name: tensor.copy() for name, tensor in weights.tensors.items()}
    gate = tensors["l1_w_gate_T_task0"]
    gate[:] = np.floor(gate * 2**14) / 2**14
    gate[1] = gate[0] + np.float32(2**-16)  # floored away again
    near = ImageWeights(tensors=tensors, origin="a test")
    encoding = compare(model.model_copy(update={"top_k": 1}), near)
    (agreement,) = encoding.experts
    assert (agreement.layer, agreement.tokens) == (1, 17)
    assert agreement.own == agreement.forced == 1.0  # as memory holds them, both are equal: the first wins everywhere
    assert agreement.unrounded < 1.0
    assert agreement.widest_gap is None
    exact = Float64Encoder(model, near, final_norm=False).run()
    assert set(np.unique(exact.choices[1])) >= {0, 1}
