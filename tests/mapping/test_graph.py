"""The operator graph: shapes and formats are inferred and checked, work is counted."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import BF16, FP8_E4M3, FP32
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import OPERATORS, Act, Attention, Dim, Eltwise, KvCache, Linear, Operator, Tensor
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.patterns import Causal, Full
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import load_workload
from hwsim.shipped import find_workload
from tests.mapping.workloads import tiny

CAUSAL: dict[str, Any] = {"fmt": BF16, "pattern": Causal()}
X = Tensor(name="x", shape=("tokens", 8), fmt=BF16)


def graph(*operators: Operator) -> OperatorGraph:
    return OperatorGraph(name="g", inputs=(X,), operators=operators)


def test_the_graph_of_a_tiny_model_reads_like_this() -> None:
    dump = build_graph(tiny()).dump(Step(queries=1, context=4))
    assert dump.splitlines() == [
        "graph tiny: 16 operators, step of 1 at 4",
        "input embedded[tokens, 64] bf16",
        "norm l0.norm1[tokens, 64] bf16 <- embedded; layernorm 64; macs 0 bytes 128 weights 256 B",
        "linear l0.qkv[tokens, 192] bf16 <- l0.norm1; 64 -> 192 + bias; macs 12288 bytes 384 weights 24960 B",
        "slice l0.q[tokens, 64] bf16 <- l0.qkv; columns 0..63; view",
        "slice l0.k[tokens, 64] bf16 <- l0.qkv; columns 64..127; view",
        "slice l0.v[tokens, 64] bf16 <- l0.qkv; columns 128..191; view",
        "kv_cache l0.kv[context, 128] bf16 <- l0.k, l0.v; append 2 heads x (32 + 32); "
        "macs 0 bytes 1024 weights 0 B state 1024 B",
        "slice l0.keys[context, 64] bf16 <- l0.kv; columns 0..63; view",
        "slice l0.values[context, 64] bf16 <- l0.kv; columns 64..127; view",
        "attention l0.attention[tokens, 64] bf16 <- l0.q, l0.keys, l0.values; 2 heads x 32, causal; "
        "macs 512 bytes 128 weights 0 B",
        "linear l0.proj[tokens, 64] bf16 <- l0.attention; 64 -> 64 + bias; macs 4096 bytes 128 weights 8320 B",
        "eltwise l0.add1[tokens, 64] bf16 <- embedded, l0.proj; add 64; macs 0 bytes 128 weights 0 B",
        "norm l0.norm2[tokens, 64] bf16 <- l0.add1; layernorm 64; macs 0 bytes 128 weights 256 B",
        "linear l0.ffn1[tokens, 256] bf16 <- l0.norm2; 64 -> 256 + bias; macs 16384 bytes 512 weights 33280 B",
        "act l0.gelu[tokens, 256] bf16 <- l0.ffn1; gelu 256; macs 0 bytes 512 weights 0 B",
        "linear l0.ffn2[tokens, 64] bf16 <- l0.gelu; 256 -> 64 + bias; macs 16384 bytes 128 weights 32896 B",
        "eltwise l0.add2[tokens, 64] bf16 <- l0.add1, l0.ffn2; add 64; macs 0 bytes 128 weights 0 B",
        "total macs 49664 element_ops 520 special_functions 524 weights 99968 B state 1024 B",
        "traffic weights read 99968 B state read 1024 B written 256 B activations read 2560 B written 2304 B",
    ]


def test_a_whole_model_holds_its_closed_form_of_parameters() -> None:
    workload = load_workload(find_workload("gpt2"), {"lm_head": "included"})
    held = build_graph(workload).parameters
    assert held == workload.model.parameters == 124_439_808  # the output head shares the embedding


def test_kv_cache_of_gpt2_is_36_kib_a_token() -> None:
    totals = build_graph(load_workload(find_workload("gpt2"))).totals(Step(queries=1, context=1))
    assert totals.state_bytes == 36 * 1024
    assert totals.macs == 84_934_656 + 12 * 12 * 64 * 2


def test_prefill_at_once_counts_causal_pairs() -> None:
    attention = Attention(
        name="a", inputs=("q", "k", "v"), fmt=BF16, heads=2, kv_heads=2, d_k=4, d_v=4, pattern=Causal()
    )
    assert attention.macs(Step(queries=3, context=3)) == 2 * 6 * 8
    assert [attention.bytes_seen(i, Step(queries=3, context=3)) for i in (1, 2)] == [3 * 2 * 4 * 2] * 2


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ([Linear(name="y", inputs=("x",), fmt=BF16, d_in=9, d_out=2)], r"y: input x\[tokens, 8\] bf16 where linear"),
        ([Act(name="y", inputs=("x",), fmt=FP32, width=8)], "y: input x is bf16, expected fp32"),
        ([Act(name="y", inputs=("z",), fmt=BF16, width=8)], "y: reads 'z', which nothing before it makes"),
        ([Act(name="x", inputs=("x",), fmt=BF16, width=8)], "x: two operators or inputs have this name"),
        ([Eltwise(name="y", inputs=("x",), fmt=BF16, width=8)], "y: eltwise takes 2 inputs, got 1"),
    ],
)
def test_what_does_not_connect_is_refused(operators: list[Operator], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph(*operators)


def test_heads_share_keys_evenly_or_not_at_all() -> None:
    with pytest.raises(GraphError, match="3 heads do not share 2 key/value heads evenly"):
        Attention(name="a", inputs=("q", "c"), fmt=BF16, heads=3, kv_heads=2, d_k=4, d_v=4, pattern=Causal())


def test_readers_of_a_tensor() -> None:
    g = build_graph(tiny())
    assert g.readers("l0.qkv") == ("l0.q", "l0.k", "l0.v")
    assert (g.origin("l0.keys"), g.origin("l0.q"), g.origin("l0.proj")) == ("l0.kv", "l0.qkv", "l0.proj")
    assert g.readers("l0.add2") == ()


def test_a_circle_is_named() -> None:
    with pytest.raises(GraphError, match="a: reads 'c', which depends on it: a -> b -> c -> a is a circle"):
        graph(
            Eltwise(name="a", inputs=("x", "c"), fmt=BF16, width=8),
            Act(name="b", inputs=("a",), fmt=BF16, width=8),
            Act(name="c", inputs=("b",), fmt=BF16, width=8),
        )
    with pytest.raises(GraphError, match="a: reads 'a', which depends on it: a -> a is a circle"):
        graph(Act(name="a", inputs=("a",), fmt=BF16, width=8))


def test_a_circle_is_told_from_its_shortest_way() -> None:
    with pytest.raises(GraphError) as caught:
        graph(add("a", "x", "x"), add("b", "a", "e"), add("c", "b", "a"), add("d", "c", "c"), add("e", "d", "c"))
    assert str(caught.value) == "b: reads 'e', which depends on it: b -> c -> e -> b is a circle"


def add(name: str, a: str, b: str) -> Eltwise:
    return Eltwise(name=name, inputs=(a, b), fmt=BF16, width=8)


def reaches(reads: list[tuple[int, int]], source: int, target: int) -> bool:
    """Whether operator `target` depends on `source`, found by walking the inputs back; operator i reads `reads[i]`."""
    seen: set[int] = set()
    front = {target}
    while front:
        seen |= front
        front = {made for reader in front for made in reads[reader] if made >= 0} - seen
    return source in seen


@given(data=st.data(), count=st.integers(1, 6))
def test_any_wiring_is_a_graph_or_says_whether_order_or_a_circle_is_in_its_way(data: st.DataObject, count: int) -> None:
    maker = st.integers(-1, count - 1)  # -1 is the graph's input
    reads = data.draw(st.lists(st.tuples(maker, maker), min_size=count, max_size=count))
    names = {-1: "x", **{i: f"y{i}" for i in range(count)}}
    early = [(i, made) for i, pair in enumerate(reads) for made in pair if made >= i]
    operators = [add(names[i], names[a], names[b]) for i, (a, b) in enumerate(reads)]
    if not early:
        assert len(graph(*operators).operators) == count
        return
    reader, made = early[0]
    with pytest.raises(GraphError) as caught:
        graph(*operators)
    assert str(caught.value).startswith(f"{names[reader]}: reads {names[made]!r}, which ")
    assert str(caught.value).endswith("is a circle" if reaches(reads, reader, made) else "is made only after it")


def test_a_wrong_order_is_no_circle() -> None:
    with pytest.raises(GraphError, match="b: reads 'a', which is made only after it"):
        graph(Act(name="b", inputs=("a",), fmt=BF16, width=8), Act(name="a", inputs=("x",), fmt=BF16, width=8))


def test_a_shared_table_has_one_shape() -> None:
    shared: dict[str, Any] = {"inputs": ("x",), "fmt": BF16, "d_in": 8, "bias": False, "weights_id": "w"}
    twice = graph(Linear(name="a", d_out=4, **shared), Linear(name="b", d_out=4, **shared))
    assert (twice.parameters, twice.totals(Step(queries=1, context=1)).weight_bytes) == (32, 64)
    with pytest.raises(GraphError, match="b: shares the table 'w' with a, which has it as 4 x 8 bf16, expected 5 x 8"):
        graph(Linear(name="a", d_out=4, **shared), Linear(name="b", d_out=5, **shared))


def test_a_shared_table_has_one_format() -> None:
    shared: dict[str, Any] = {"inputs": ("x",), "fmt": BF16, "d_in": 8, "d_out": 4, "bias": False, "weights_id": "w"}
    with pytest.raises(GraphError, match="which has it as 4 x 8 bf16, expected 4 x 8 fp32"):
        graph(Linear(name="a", **shared), Linear(name="b", weight_fmt=FP32, **shared))


def test_tied_embeddings_are_one_table() -> None:
    tied, apart = (build_graph(tiny(lm_head="included", tied_embeddings=tied)) for tied in (True, False))
    assert apart.parameters - tied.parameters == 100 * 64
    assert tied.parameters == tiny().model.parameters
    step = Step(queries=1, context=1)
    assert apart.totals(step).weight_bytes - tied.totals(step).weight_bytes == 100 * 64 * 2


def test_what_follows_the_layers_runs_for_the_last_token_of_each_sequence() -> None:
    whole, step = build_graph(tiny(lm_head="included")), Step(queries=3, context=5, batch=2)
    assert whole.dump(step).splitlines()[-5:-2] == [
        "take last[outputs, 64] bf16 <- l0.add2; the last of each sequence; view",
        "norm norm[outputs, 64] bf16 <- last; layernorm 64; macs 0 bytes 256 weights 256 B",
        "linear lm_head[outputs, 100] bf16 <- norm; 64 -> 100; macs 12800 bytes 400 weights 12800 B",
    ]
    inner = replace(step, results=0)  # a prompt's inner tokens, which give no result
    assert whole.operator("lm_head").macs(inner) == 0
    assert whole.traffic(step).weights_read - whole.traffic(inner).weights_read == 256 + 12800


def attention_over(keys: Dim, **fields: Any) -> OperatorGraph:
    """One attention of 2 heads over 1 head of keys of 4 and values of 6 elements."""
    sizes: dict[str, Any] = {"heads": 2, "kv_heads": 1, "d_k": 4, "d_v": 6, "pattern": Full()}
    inputs = [("q", ("tokens", 8)), ("k", (keys, 4)), ("v", (keys, 6))]
    return OperatorGraph(
        name="g",
        inputs=[Tensor(name=name, shape=shape, fmt=BF16) for name, shape in inputs],
        operators=[
            Attention(name="a", inputs=("q", "k", "v"), fmt=BF16, keys=keys, **{**sizes, "pattern": Full(), **fields})
        ],
    )


def test_attention_needs_no_cache() -> None:
    g = attention_over("tokens")
    assert g.tensor("a").shape == ("tokens", 12)
    # 2 sequences of 3 tokens see 3 keys each, with 2 heads of 4 + 6 elements
    assert g.totals(Step(queries=3, context=3, batch=2)).macs == 2 * 3 * 3 * 2 * 10


def test_cross_attention_reads_the_tokens_of_another_sequence() -> None:
    g = attention_over("source")
    assert g.totals(Step(queries=1, context=9, source=100)).macs == 100 * 2 * 10


def test_formats_of_inputs_meet_or_are_refused() -> None:
    with pytest.raises(
        GraphError, match="a: input k is bf16, expected fp8_e4m3; a conversion is an operator of its own"
    ):
        attention_over("tokens", input_fmts=(BF16, FP8_E4M3, FP8_E4M3))


def test_a_rolling_cache_keeps_its_window() -> None:
    cache = KvCache(name="kv", inputs=("k", "v"), fmt=BF16, kv_heads=2, d_k=4, d_v=4, window=10)
    assert [cache.state_bytes(Step(queries=1, context=n)) for n in (1, 10, 11)] == [32, 320, 320]


def test_shared_scores_cost_the_values_alone() -> None:
    sizes: dict[str, Any] = {
        "fmt": BF16,
        "heads": 2,
        "kv_heads": 2,
        "d_k": 4,
        "d_v": 4,
        "keys": "tokens",
        "pattern": Full(),
    }
    g = OperatorGraph(
        name="g",
        inputs=[Tensor(name=name, shape=("tokens", 8), fmt=BF16) for name in ("q", "k", "v", "w")],
        operators=[
            Attention(name="a", inputs=("q", "k", "v"), **sizes),
            Attention(name="b", inputs=("a", "w"), shares_scores=True, **sizes),
        ],
    )
    step = Step(queries=3, context=3)
    assert [op.macs(step) for op in g.operators] == [9 * 2 * 8, 9 * 2 * 4]
    assert [op.kind for op in split_attention(g).operators] == [
        "attention_scores", "softmax", "attention_values", "attention_values",
    ]  # fmt: skip


def test_operator_kinds_are_those_of_the_vocabulary() -> None:
    assert sorted(OPERATORS) == [
        "act", "attention", "attention_scores", "attention_values", "collective", "dequantise", "eltwise", "embed",
        "expert_ffn", "glu", "head_norm", "kv_cache", "linear", "mean", "merge", "norm", "patch_embed", "positions",
        "quantise", "rmsnorm", "rope", "route", "scale", "scatter", "slice", "softcap", "softmax", "take",
    ]  # fmt: skip
