"""Mapping to FPGA units: tiles and passes, an order that the buffers allow, places in memory, what no unit can do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import CapacityError, MappingError
from hwsim.mapping.formats import BF16
from hwsim.mapping.fpga import BufferSize, FpgaMapped, FpgaTarget, LinearShape, TiledMatrix, map_graph
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.operators import Linear, Operator, Tensor
from hwsim.mapping.parallel import Split
from hwsim.mapping.workload.image_run import TaskRun

UNITS = {
    "patch_embed": "embed", "norm": "norm", "linear": "linear", "act": "linear", "attention_scores": "scores",
    "softmax": "scores", "attention_values": "values", "eltwise": "add", "route": "gate", "expert_ffn": "linear",
}  # fmt: skip
BUFFERS = {
    "embed": "x", "norm1": "a", "q": "b", "k": "c", "v": "b", "attention_scores": "s", "softmax": "s",
    "attention_values": "a", "proj": "c", "add1": "x", "norm2": "a", "ffn1": "h", "ffn2": "c", "experts": "c",
    "add2": "x",
}  # fmt: skip
PORTS = {name: "memory" for name in ("weights", "image", "x", "a", "b", "c", "h", "s")}


def linear(**changes: Any) -> LinearShape:
    sizes: dict[str, Any] = {
        "unit": "linear", "loader": "loader", "in_lanes": 16, "out_lanes": 16, "input_tiles": 48, "weight_words": 576,
        "bias_words": 48, **changes,
    }  # fmt: skip
    return LinearShape(**sizes)


def target(shape: LinearShape | None = None, **changes: Any) -> FpgaTarget:
    one = shape or linear()
    sizes: dict[str, Any] = {
        "machine": "toy", "unit_of": UNITS, "linears": {"attention": one, "ffn": one, "experts": one},
        "embed_lanes": 16, "beat_bytes": 32, "activation_bytes": 4, "weight_bytes": 2, "pixel_bytes": 1,
        "functions": ("gelu_erf",), "buffer_of": BUFFERS, "port_of": PORTS, "base_address": 0, "align_bytes": 4096,
        "size_bytes": 1 << 32, **changes,
    }  # fmt: skip
    return FpgaTarget(**sizes)


def model(**changes: Any) -> MoeVitModel:
    sizes: dict[str, Any] = {
        "name": "toy", "layers": 2, "d_model": 32, "heads": 2, "d_ff": 64, "image_height": 32, "image_width": 32,
        "patch": 16, "experts": 4, "top_k": 2, "expert_hidden": 48, "final_norm": False,
        "provenance": {"grade": "A", "source": "a test"}, **changes,
    }  # fmt: skip
    return MoeVitModel(**sizes)


def mapped(to: FpgaTarget | None = None, **changes: Any) -> FpgaMapped:
    made = model(**changes)
    graph = made.graph(TaskRun(), Split())
    scores = BufferSize(name="s", size_bytes=4096)
    return map_graph(graph, to or target(), tokens=made.tokens, workspaces=(scores,))


def matrix(d_in: int, d_out: int, shape: LinearShape) -> TiledMatrix:
    return TiledMatrix(operator="m", d_in=d_in, d_out=d_out, target=target(shape), shape=shape, weights="w", bias=None)


def test_a_matrix_in_tiles_is_padded_and_counted() -> None:
    found = matrix(192, 1000, linear())
    assert (found.in_tiles, found.out_tiles, len(found.passes)) == (12, 63, 2)
    assert found.padding == 192 * 8  # eight outputs that nobody asked for
    assert [(p.first_out, p.out_tiles) for p in found.passes] == [(0, 48), (48, 15)]


def test_a_matrix_larger_than_the_buffer_runs_in_passes_over_its_outputs() -> None:
    found = matrix(768, 3072, linear())
    assert [(p.first_out, p.in_tiles, p.out_tiles) for p in found.passes[:2]] == [(0, 48, 12), (12, 48, 12)]
    assert len(found.passes) == 16
    assert not found.divides_inputs


def test_inputs_that_the_unit_cannot_keep_are_divided_and_added_up() -> None:
    found = matrix(3072, 768, linear())
    assert [(p.first_in, p.first_out, p.accumulates) for p in found.passes[:5]] == [
        (0, 0, False), (48, 0, True), (96, 0, True), (144, 0, True), (0, 12, False),
    ]  # fmt: skip
    assert found.divides_inputs


@given(
    d_in=st.integers(1, 2000), d_out=st.integers(1, 2000), words=st.integers(1, 600), inputs=st.integers(1, 64),
    biases=st.integers(1, 64), lanes=st.sampled_from([4, 8, 16]),
)  # fmt: skip
def test_passes_cover_every_tile_once_and_fit(
    d_in: int, d_out: int, words: int, inputs: int, biases: int, lanes: int
) -> None:
    shape = linear(weight_words=words, input_tiles=inputs, bias_words=biases, in_lanes=lanes, out_lanes=lanes)
    try:
        passes = matrix(d_in, d_out, shape).passes
    except MappingError:
        return  # there is no room for the tiles of one beat
    tiles = {
        (i, o)
        for p in passes
        for i in range(p.first_in, p.first_in + p.in_tiles)
        for o in range(p.first_out, p.first_out + p.out_tiles)
    }
    found = matrix(d_in, d_out, shape)
    assert len(tiles) == sum(p.words for p in passes) == found.in_tiles * found.out_tiles
    assert all(p.words <= words and p.in_tiles <= inputs and p.out_tiles <= biases for p in passes)


def test_values_wait_for_the_scores_since_they_take_the_place_of_the_queries() -> None:
    names = [op.name for op in mapped().graph.operators if op.layer == 0]
    assert names.index("l0.attention.scores") < names.index("l0.v")
    apart = mapped(target(buffer_of=BUFFERS | {"v": "h"}))
    names = [op.name for op in apart.graph.operators if op.layer == 0]
    assert names.index("l0.v") < names.index("l0.attention.scores")


def test_buffers_that_leave_no_order_are_refused() -> None:
    with pytest.raises(MappingError) as refused:
        mapped(target(buffer_of=BUFFERS | {"k": "b"}))
    assert str(refused.value) == "l0.k: goes to buffer b, which holds l0.q; others have still to read it"


def test_every_operator_has_a_unit_a_buffer_and_places() -> None:
    found = mapped()
    found.verify()
    assert found.buffer("l0.gelu_erf") == "h"
    assert found.activation("l0.ffn1") == "gelu_erf"
    assert found.buffer("image") == "image"
    memory = found.memory
    assert {name: buffer.size_bytes for name, buffer in memory.buffers.items()} == {
        "s": 4096, "image": 3 * 32 * 32, "x": 5 * 128, "a": 5 * 128, "b": 5 * 128, "c": 5 * 128, "h": 5 * 256,
    }  # fmt: skip
    up = memory.arrays["l1.experts.up.weight"]
    assert (up.count, up.rows, up.row_bytes) == (4, 48, 64)
    assert memory.places("l1.experts").startswith("3 x 2 tiles x 4 at ")


def test_matrices_of_attention_lie_in_one_array_a_layer_after_the_other() -> None:
    arrays = mapped().memory.arrays
    names = [f"l{layer}.{part}.weight" for layer in (0, 1) for part in ("q", "k", "v", "proj")]
    addresses = [arrays[name].address for name in names]
    assert addresses == [addresses[0] + place * 32 * 64 for place in range(8)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size_bytes": 4096}, "toy: parameters and buffers need"),
        ({"port_of": {"weights": "memory"}}, "toy: buffer s has no port; there are weights"),
        ({"buffer_of": {"embed": "x"}}, "toy: l0.norm1: has no buffer for the result of norm1"),
        ({"functions": ("relu",)}, "toy: l0.gelu_erf: has no unit for gelu_erf; it applies relu"),
        ({"linears": dict.fromkeys(("attention", "ffn", "experts"), linear(in_lanes=12))}, "a tile of 12 numbers"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(MappingError, match=said):
        mapped(target(**changes))


def test_a_function_of_a_sum_that_comes_in_parts_is_refused() -> None:
    with pytest.raises(MappingError) as refused:
        mapped(target(linear(input_tiles=1)))
    assert str(refused.value) == (
        "toy: l0.ffn1: 32 inputs come in several passes, and the function of their sum cannot be applied as it leaves; "
        "the linear unit keeps 1 tiles of inputs and 576 of weights"
    )


def test_a_memory_that_is_too_small_is_a_capacity_error() -> None:
    with pytest.raises(CapacityError):
        mapped(target(size_bytes=4096))


def test_places_that_overlap_are_found() -> None:
    memory = mapped().memory
    moved = {**memory.buffers, "a": replace(memory.buffers["a"], address=memory.buffers["x"].address)}
    with pytest.raises(MappingError, match="begins at"):
        replace(memory, buffers=moved).verify()


def test_what_no_unit_has_is_named() -> None:
    graph = OperatorGraph(
        name="toy",
        inputs=[Tensor(name="t", shape=("tokens", 32), fmt=BF16)],
        operators=_operators(),
    )
    with pytest.raises(MappingError, match="toy: a: has no unit for linear; it runs norm"):
        map_graph(graph, target(unit_of={"norm": "norm"}), tokens=4)


def _operators() -> list[Operator]:
    return [Linear(name="a", inputs=("t",), fmt=BF16, d_in=32, d_out=32)]
