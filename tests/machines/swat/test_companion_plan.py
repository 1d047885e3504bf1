"""What operators become: rows, bytes, tiles and cycles, against what the graph says of them."""

from __future__ import annotations

from typing import Any

import pytest

from hwsim.errors import MachineError
from hwsim.machines.swat.companion.plan import UNIT_OF, plan_operator
from hwsim.machines.swat.companion.streams import Squares
from hwsim.machines.swat.companion.work import CompanionWork
from hwsim.mapping.formats import FP16, FP32, parse_tensor_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import (
    Act,
    Eltwise,
    Glu,
    HeadNorm,
    KvCache,
    LayerNorm,
    Linear,
    Mean,
    Merge,
    Operator,
    PerSequence,
    Quantise,
    RmsNorm,
    Rope,
    Scale,
    Scatter,
    Slice,
    Softcap,
    Take,
    Tensor,
)
from hwsim.mapping.step import Step
from hwsim.mapping.traffic import operator_traffic
from tests.machines.swat.companion_runs import companion, planned, player

WORKLOADS = (
    "longformer_base_4096",
    "bigbird_base_4096",
    "modernbert_base",
    "bert_large",
    "vit_base",
    "hat_base_4096",
    "swin_tiny",
)
X = Tensor(name="x", shape=("tokens", 768), fmt=FP16)


def one(op: Operator, *inputs: Tensor, step: Step | None = None, **changes: Any) -> CompanionWork:
    """What becomes of an operator that reads the graph's inputs."""
    graph = OperatorGraph(name="one", inputs=inputs or (X,), operators=(op,))
    return plan_operator(op, graph, step or Step(queries=128, context=128), companion(**changes))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_all_of_a_model_is_planned_with_all_its_products(workload: str) -> None:
    graph, step, works = planned(workload, companion())
    attention = sum(op.macs(step) for op in graph.operators if op.kind == "attention")
    assert sum(work.macs for work in works) + attention == graph.totals(step).macs
    assert {work.kind for work in works} <= {*UNIT_OF, "slice", "take"}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_operators_move_what_the_graph_counts(workload: str) -> None:
    """Weights once; each row in once and out once. Lookups, rotations and rows in place are apart."""
    of = companion()
    graph, step, works = planned(workload, of)
    by_name = {work.name: work for work in works}
    for op in graph.operators:
        if op.kind in ("attention", "embed", "patch_embed", "rope", "scatter"):
            continue
        played, counted = player(of), operator_traffic(graph, op, step)
        played.run(by_name[op.name], 0)
        assert played.rows.bytes == [counted.activations_read, counted.activations_written], op.name
        assert 0 <= played.weights.bytes[0] - counted.weights_read < 32, op.name
        if op.layer:
            break  # other layers are as the first


def test_a_matrix_takes_a_tile_after_the_other() -> None:
    work = one(Linear(name="y", inputs=("x",), fmt=FP16, d_in=768, d_out=3072), step=Step(queries=300, context=300))
    (only,) = work.passes
    assert (only.tiles, only.tile_rows, only.tile(2)) == (3, 128, (256, 44))
    assert (only.cycles, only.last_cycles) == (768 * 16 * 32 + 128 + 13, 768 * 8 * 32 + 44 + 13)
    assert list(work.describe()) == [
        "matrix y (linear): 3 tiles of 128 rows x 393357 cycles, the last 196665, weights 4724736 B"
    ]


def test_a_matrix_that_does_not_fit_comes_in_slabs() -> None:
    """Half of a buffer of 2 MiB holds 672 outputs of 1,538 B; rows are read again for each slab."""
    op = Linear(name="y", inputs=("x",), fmt=FP16, d_in=768, d_out=1536)
    work = one(op, buffer_bytes=2 << 20)
    assert [each.macs // (128 * 768) for each in work.passes] == [672, 672, 192]
    assert sum(each.weight_bytes for each in work.passes) == op.weight_bytes
    fast = player(companion(buffer_bytes=2 << 20))
    played = fast.run(work, 0)
    assert fast.rows.bytes == [3 * 128 * 1536, 128 * 3072]
    assert fast.buffer.held_most <= 2 << 20
    assert played.weights_wait < 40_000  # of the first slab alone


def test_wide_rows_make_smaller_tiles() -> None:
    wide = Tensor(name="x", shape=("tokens", 1 << 14), fmt=FP16)
    (only,) = one(Linear(name="y", inputs=("x",), fmt=FP16, d_in=1 << 14, d_out=64), wide).passes
    assert only.tile_rows == 32  # of 32 KiB, in a bank of 1 MiB


CASES: list[tuple[Operator, int]] = [  # cycles of the lanes for 128 rows, without latencies
    (Eltwise(name="y", inputs=("x", "x"), fmt=FP16, width=768), 24),
    (Eltwise(name="y", inputs=("x", "x"), fmt=FP16, width=768, function="hadamard"), 24),
    (LayerNorm(name="y", inputs=("x",), fmt=FP16, width=768), 48),
    (LayerNorm(name="y", inputs=("x",), fmt=FP16, width=768, bias=False), 48),
    (RmsNorm(name="y", inputs=("x",), fmt=FP16, width=768), 48),
    (Act(name="y", inputs=("x",), fmt=FP16, width=768, function="relu"), 24),
    (Act(name="y", inputs=("x",), fmt=FP16, width=768, function="gelu"), 48),
    (Act(name="y", inputs=("x",), fmt=FP16, width=768, function="gelu_erf"), 120),
    (Glu(name="y", inputs=("x", "x"), fmt=FP16, width=768, function="silu"), 24),
    (Softcap(name="y", inputs=("x",), fmt=FP16, width=768, cap=30.0), 24),
    (Scale(name="y", inputs=("x",), fmt=FP16, width=768, factor=2.0), 24),
    (Rope(name="y", inputs=("x",), fmt=FP16, heads=4, kv_heads=4, d_k=64, d_v=64, theta=1e4), 24),
    (Rope(name="y", inputs=("x",), fmt=FP16, heads=4, kv_heads=4, d_k=64, d_v=64, theta=1e4, d_rope=16), 8 + 20),
    (HeadNorm(name="y", inputs=("x",), fmt=FP16, heads=4, kv_heads=4, d_k=64, d_v=64), 2 * 16 + 8),
    (Quantise(name="y", inputs=("x",), fmt=FP32, source=FP16, shape=("tokens", 768)), 24),
    (Quantise(name="y", inputs=("x",), fmt=parse_tensor_format("mxfp8"), source=FP16, shape=("tokens", 768)), 48),
]  # fmt: skip


@pytest.mark.parametrize(("op", "beats"), CASES, ids=lambda case: getattr(case, "kind", None))
def test_what_lanes_do_with_a_row(op: Operator, beats: int) -> None:
    work = one(op)
    assert 0 < work.cycles("vector") - 128 * beats < 400  # latencies
    assert work.element_ops == op.element_ops(Step(queries=128, context=128))


def test_new_rows_replace_old_ones_in_place_unless_those_are_read_later() -> None:
    new = Tensor(name="new", shape=(PerSequence(count=2), 768), fmt=FP16)
    op = Scatter(name="y", inputs=("x", "new"), fmt=FP16, width=768, count=2)
    part = Slice(name="part", inputs=("x",), fmt=FP16, first=0, width=64)
    other = Act(name="z", inputs=("part",), fmt=FP16, width=64)
    rows = {}
    for order in ((op,), (part, other, op), (part, op, other)):
        graph = OperatorGraph(name="both", inputs=(X, new), operators=order)
        work = plan_operator(op, graph, Step(queries=128, context=128), companion())
        rows[order[-1].name, len(order)] = [each.rows for each in work.passes]
    assert rows == {("y", 1): [2], ("y", 3): [2], ("z", 3): [128, 2]}


def test_views_move_nothing_and_what_reads_them_reads_their_part() -> None:
    part = Slice(name="part", inputs=("x",), fmt=FP16, first=256, width=64)
    first = Take(name="first", inputs=("x",), fmt=FP16, width=768, which="first", count=3)
    y = Act(name="y", inputs=("part",), fmt=FP16, width=64)
    z = Linear(name="z", inputs=("first",), fmt=FP16, d_in=768, d_out=64, rows=PerSequence(count=3))
    graph = OperatorGraph(name="views", inputs=(X,), operators=(part, first, y, z))
    step = Step(queries=128, context=128, batch=2)
    plans = [plan_operator(op, graph, step, companion()) for op in (part, first, y, z)]
    assert [len(plan.passes) for plan in plans] == [0, 0, 1, 1]
    fast = player(companion())
    fast.run(plans[2], 0)
    assert (fast.rows.bytes, fast.rows.bursts[0]) == ([256 * 128, 256 * 128], 256)  # a burst a row
    rows = plans[3].passes[0]
    assert [rows.reads[0].index(row) for row in range(6)] == [0, 1, 2, 128, 129, 130]  # type: ignore[attr-defined]


def test_tokens_look_their_rows_up() -> None:
    graph, step, works = planned("longformer_base_4096", companion())
    embed = works[0]
    fast = player(companion())
    fast.run(embed, 0)
    numbers, rows = 2 * 4 * step.tokens, len(graph.operators[0].tables) * step.tokens * 1536
    assert fast.rows.bytes == [numbers + rows, step.tokens * 1536]


def test_images_become_tokens_behind_the_class_token() -> None:
    _, step, works = planned("vit_base", companion())
    patches, positions = works[0].passes
    assert (patches.rows, positions.rows) == (196 * step.batch, 197 * step.batch)
    assert patches.write.index(0) == 1  # type: ignore[attr-defined]
    assert patches.write.index(196) == 198  # type: ignore[attr-defined]


def test_squares_of_tokens_are_read_where_they_lie() -> None:
    """A grid of 4 x 4 tokens of two images: 2 x 2 of them in each row, all read once."""
    x = Tensor(name="x", shape=("tokens", 96), fmt=FP16)
    op = Merge(name="y", inputs=("x",), fmt=FP16, rows="tokens", height=4, width=4, elements=96)
    (only,) = one(op, x, step=Step(queries=16, context=16, batch=2)).passes
    (squares,) = only.reads
    assert isinstance(squares, Squares)
    assert [squares.members(number) for number in (0, 1, 3)] == [[0, 1, 4, 5], [2, 3, 6, 7], [10, 11, 14, 15]]
    assert sorted(row for number in range(8) for row in squares.members(number)) == list(range(32))
    fast = player(companion())
    fast.run(CompanionWork(name="y", kind="merge", layer=None, passes=(only,)), 0)
    assert (only.rows, fast.rows.bytes) == (8, [32 * 192, 8 * 768])


def test_a_mean_writes_a_row_a_sequence() -> None:
    work = one(Mean(name="y", inputs=("x",), fmt=FP16, width=768), step=Step(queries=196, context=196, batch=3))
    fast = player(companion())
    fast.run(work, 0)
    assert fast.rows.bytes == [3 * 196 * 1536, 3 * 1536]
    assert work.cycles("vector") == 3 * 196 * 24 + 5 * (8 + 4 + 1)  # five tiles, each with the lanes' latency


def test_a_batch_is_as_many_rows() -> None:
    op = Act(name="y", inputs=("x",), fmt=FP16, width=768, function="relu")
    one_batch = one(op, step=Step(queries=64, context=64, batch=4))
    assert one_batch == one(op, step=Step(queries=256, context=256))


def test_what_it_cannot_run() -> None:
    cache = KvCache(name="y", inputs=("x", "x"), fmt=FP16, kv_heads=12, d_k=64, d_v=64)
    with pytest.raises(MachineError, match=r"^y: the companion has no unit for kv_cache$"):
        one(cache)
    with pytest.raises(MachineError, match=r"y: a tile of a row a channel takes 12288 B, matrix\.bank_bytes is 4096$"):
        one(Scale(name="y", inputs=("x",), fmt=FP16, width=768, factor=2.0), bank_bytes=4096)
    with pytest.raises(
        MachineError, match=r"weights of 96 outputs take 147648 B, half of matrix\.buffer_bytes is 512$"
    ):
        one(Linear(name="y", inputs=("x",), fmt=FP16, d_in=768, d_out=768), buffer_bytes=1024)
