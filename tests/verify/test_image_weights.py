"""Weights of encoders of images: their names and shapes, folders of raw files, and one line for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hwsim.errors import WeightsError
from hwsim.mapping.workload.load import load_workload
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.codes import held, quantise, stored_format
from hwsim.verify.image_tensors import tensor_shapes
from hwsim.verify.image_weights import load_image_weights
from tests.verify.images import dense, save, small, weights_of

MODEL = small()
TENSORS = dict(weights_of(MODEL).tensors)


def test_names_and_shapes_are_those_of_the_source() -> None:
    model = load_workload(Path("workloads/m3vit_tiny.yaml")).model
    shapes = tensor_shapes(model, [0, 1], final_norm=False)
    assert len(shapes) == 4 + 12 * 8 + 6 * 4 + 6 * (2 + 4)
    expected = {
        "image": (3, 128, 256), "patch_embed_weight": (192, 3, 16, 16), "patch_embed_bias": (192,),
        "pos_embed": (129, 192), "l0_norm1_weight": (192,), "l0_qkv_weight": (576, 192), "l0_qkv_bias": (576,),
        "l0_attn_proj_weight": (192, 192), "l0_fc1_weight": (768, 192), "l0_fc2_weight": (192, 768),
        "l11_w_gate_T_task1": (16, 192), "l11_htoh4_weight": (16, 384, 192), "l11_htoh4_bias": (16, 384),
        "l11_h4toh_weight": (16, 192, 384), "l11_h4toh_bias": (16, 192),
    }  # fmt: skip
    assert {name: shapes[name] for name in expected} == expected
    parameters = sum(map(prod, shapes.values())) - 3 * 128 * 256
    assert parameters == model.parameters - 192  # the class token lies in the first position


def test_shapes_are_all_parameters_of_a_dense_model() -> None:
    model = dense(bias=False, qkv_bias=True)
    shapes = tensor_shapes(model, (), final_norm=True)
    assert sum(map(prod, shapes.values())) - 3 * 16 * 16 == model.parameters - 32


def test_a_layer_less_needs_none_of_its_tensors() -> None:
    one = tensor_shapes(MODEL.model_copy(update={"layers": 1}), [0], final_norm=False)
    assert not [name for name in one if name.startswith("l1_")]
    assert "l1_w_gate_T_task1" not in tensor_shapes(MODEL, [0], final_norm=False)


@pytest.mark.parametrize("kind", ["raw", "npz", "safetensors"])
def test_folders_hold_them_in_any_of_the_formats(kind: str, tmp_path: Path) -> None:
    if kind == "raw":
        save(tmp_path, TENSORS)
    elif kind == "npz":
        np.savez(tmp_path / "model.npz", **TENSORS)  # type: ignore[arg-type]
    else:
        save_file(TENSORS, tmp_path / "model.safetensors")
    loaded = load_image_weights(str(tmp_path), MODEL, [0, 1], final_norm=False)
    assert set(loaded.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(loaded[name], tensor)


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    save(tmp_path, {name: tensor for name, tensor in TENSORS.items() if "l1_" not in name})
    one = MODEL.model_copy(update={"layers": 1})
    assert "l0_fc1_weight" in load_image_weights(str(tmp_path), one, [0], final_norm=False).tensors
    with pytest.raises(WeightsError, match=r"no tensor l1_norm1_weight; nearest: l0_norm1_weight"):
        load_image_weights(str(tmp_path), MODEL, [0], final_norm=False)


def shorter(folder: Path) -> None:
    file = folder / "l0_qkv_weight.float32.bin"
    file.write_bytes(file.read_bytes()[:-4])


def cut(folder: Path) -> None:
    file = folder / "pos_embed.float32.bin"
    file.write_bytes(file.read_bytes()[:-1])


def not_a_number(folder: Path) -> None:
    values = TENSORS["l1_htoh4_bias"].copy()
    values[2, 5] = np.nan
    save(folder, {"l1_htoh4_bias": values})


def missing(folder: Path) -> None:
    (folder / "image.float32.bin").unlink()


def twice(folder: Path) -> None:
    np.save(folder / "image.npy", TENSORS["image"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shorter, r"l0_qkv_weight\.float32\.bin: 12284 bytes, expected 12288 for \(96, 32\) of float32"),
        (cut, r"pos_embed\.float32\.bin: tensor pos_embed cannot be read: 2175 bytes are no whole number of float32"),
        (not_a_number, r"l1_htoh4_bias\.float32\.bin: tensor l1_htoh4_bias has nan at \(2, 5\) \(1 not finite\)"),
        (missing, r"no tensor image; "),
        (twice, r"image\.npy: tensor image is also in .*image\.float32\.bin"),
    ],
)
def test_a_wrong_file_is_named(spoil: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    spoil(save(tmp_path, TENSORS))
    with pytest.raises(WeightsError, match=message) as caught:
        load_image_weights(str(tmp_path), MODEL, [0, 1], final_norm=False)
    assert "\n" not in str(caught.value)


def test_random_tensors_hang_on_seed_and_name_alone() -> None:
    more = weights_of(small(layers=4))
    np.testing.assert_array_equal(TENSORS["l1_htoh4_weight"], more["l1_htoh4_weight"])
    assert (weights_of(MODEL, seed=1)["image"] != TENSORS["image"]).any()
    assert TENSORS["l0_fc1_weight"].std() == pytest.approx(32**-0.5, rel=0.05)
    assert TENSORS["l1_h4toh_weight"].std() == pytest.approx(0.5 * 32**-0.5, rel=0.05)
    assert TENSORS["l0_norm1_weight"].mean() == pytest.approx(1, abs=0.05)


def test_memory_holds_tensors_by_floor_in_formats_of_their_own() -> None:
    blocks = EncoderBlocks.sized(MODEL, preset="published")
    formats = {
        "image": "ufixed(8,0)", "patch_embed_weight": "fixed(16,0)", "patch_embed_bias": "fixed(16,5)",
        "pos_embed": "fixed(32,10)", "l0_norm1_weight": "fixed(16,5)", "l0_norm2_bias": "fixed(16,5)",
        "l0_qkv_weight": "fixed(16,2)", "l0_qkv_bias": "fixed(16,7)", "l0_attn_proj_weight": "fixed(16,2)",
        "l0_attn_proj_bias": "fixed(16,7)", "l0_fc1_bias": "fixed(16,5)", "l1_w_gate_T_task1": "fixed(16,2)",
        "l1_h4toh_weight": "fixed(16,2)", "l1_h4toh_bias": "fixed(16,5)", "norm_weight": "fixed(16,5)",
    }  # fmt: skip
    assert {name: str(stored_format(name, blocks)) for name in formats} == formats

    given = weights_of(MODEL)
    codes = quantise(given, blocks)
    for name, tensor in held(given, codes).tensors.items():
        step = stored_format(name, blocks).resolution
        assert ((tensor <= given[name]) & (given[name] < tensor + step)).all(), name
        assert (tensor / step == np.rint(tensor / step)).all(), name


def test_biases_come_to_the_linear_unit_in_one_format() -> None:
    blocks = EncoderBlocks.sized(MODEL, preset="published")
    codes = quantise(weights_of(MODEL), blocks)
    for name, places in (("l0_qkv", 2), ("l0_fc1", 0)):  # fixed(16,7) and fixed(16,5) in fixed(18,7)
        np.testing.assert_array_equal(codes.matrix(name).bias, codes[f"{name}_bias"] << places)
    np.testing.assert_array_equal(codes.matrix("l1_htoh4", 2).weight, codes["l1_htoh4_weight"][2])
