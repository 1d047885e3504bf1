"""Attention over a cache, over its own tokens, over another sequence: its inputs, its work, and shared scores."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import BF16, Int
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import Attention, KvCache, Linear, Operator, Tensor
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.patterns import Causal, Full, Pattern, Window
from hwsim.mapping.step import Step

INT8 = Int(width=8)
SHAPE: dict[str, Any] = {"fmt": BF16, "heads": 2, "kv_heads": 2, "d_k": 4, "d_v": 4, "pattern": Full()}


def attention(**fields: Any) -> Attention:
    return Attention(**{"name": "a", "inputs": ("q", "k", "v"), **SHAPE, **fields})


def graph_of(*operators: Operator, q: int, k: int, v: int, rows: Any = "tokens", fmts: Any = None) -> OperatorGraph:
    """A graph whose inputs are queries of `q` elements, and keys and values of `k` and `v` for each of `rows`."""
    shapes: dict[str, Any] = {"q": ("tokens", q), "k": (rows, k), "v": (rows, v)}
    inputs = [Tensor(name=name, shape=shape, fmt=(fmts or {}).get(name, BF16)) for name, shape in shapes.items()]
    return OperatorGraph(name="g", inputs=inputs, operators=operators)


def test_an_encoder_attends_to_its_own_tokens() -> None:
    op = attention(keys="tokens")
    graph = graph_of(op, q=8, k=8, v=8)
    step = Step(queries=5, context=5, batch=3)
    assert graph.tensor("a").shape == ("tokens", 8)
    assert op.macs(step) == 3 * 2 * (5 * 5) * (4 + 4)  # every query meets every key of its own sequence
    assert op.keys_read(step) == 3 * 5
    with pytest.raises(GraphError, match=r"a: input k\[tokens, 8\] bf16 where attention expects \[context, 8\]"):
        graph_of(attention(), q=8, k=8, v=8)


@pytest.mark.parametrize("source", [3, 50])  # fewer keys than queries too
def test_cross_attention_reads_the_other_sequence(source: int) -> None:
    op = attention(keys="source")
    graph_of(op, q=8, k=8, v=8, rows="source")
    step = Step(queries=7, context=900, batch=2, source=source)
    assert op.macs(step) == 2 * 2 * (7 * source) * (4 + 4)
    assert [op.bytes_seen(index, step) for index in (1, 2)] == [2 * source * 8 * 2] * 2
    scores = split_attention(graph_of(op, q=8, k=8, v=8, rows="source")).tensor("a.scores")
    assert (scores.shape, scores.elements(step)) == (("tokens", 2, "source"), 2 * 7 * 2 * source)


def test_grouped_heads_with_values_of_another_size_read_like_this() -> None:
    op = attention(heads=6, kv_heads=2, d_k=4, d_v=3, softcap=50.0, pattern=Causal())
    graph = graph_of(op, q=24, k=8, v=6, rows="context")
    assert graph.dump(Step(queries=1, context=10)).splitlines()[-3:-1] == [
        "attention a[tokens, 18] bf16 <- q, k, v; 6 heads over 2 x 4 and 3, causal, capped at 50; "
        "macs 420 bytes 36 weights 0 B",  # 6 heads x 10 keys x (4 + 3)
        # an exp per score, an exp and a reciprocal for its cap, a reciprocal per row
        "total macs 420 element_ops 60 special_functions 186 weights 0 B state 0 B",
    ]
    assert [op.bytes_seen(index, Step(queries=1, context=10)) for index in (1, 2)] == [10 * 2 * 4 * 2, 10 * 2 * 3 * 2]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"q": 23, "k": 8, "v": 6}, r"a: input q\[tokens, 23\] bf16 where attention expects \[tokens, 24\]"),
        ({"q": 24, "k": 6, "v": 6}, r"a: input k\[context, 6\] bf16 where attention expects \[context, 8\]"),
        ({"q": 24, "k": 8, "v": 8}, r"a: input v\[context, 8\] bf16 where attention expects \[context, 6\]"),
    ],
)
def test_each_operand_has_the_size_of_its_heads(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        graph_of(attention(heads=6, kv_heads=2, d_k=4, d_v=3), rows="context", **sizes)


def sharing(**fields: Any) -> Attention:
    return attention(**{"name": "b", "inputs": ("a", "v"), "shares_scores": True, "keys": "tokens", **fields})


def test_shared_scores_are_computed_once() -> None:
    first, second = attention(keys="tokens"), sharing()
    third = sharing(name="c", inputs=("b", "v"))  # it gets the scores of the first through the second
    graph = graph_of(first, second, third, q=8, k=8, v=8)
    step = Step(queries=5, context=5)
    assert (first.macs(step), second.macs(step)) == (2 * 25 * 8, 2 * 25 * 4)
    assert (second.element_ops(step), second.special_functions(step)) == (0, 0)
    assert second.bytes_seen(1, step) == first.bytes_seen(2, step) == 5 * 8 * 2
    split = split_attention(graph)
    assert [(op.kind, op.name, op.inputs) for op in split.operators] == [
        ("attention_scores", "a.scores", ("q", "k")),
        ("softmax", "a.softmax", ("a.scores",)),
        ("attention_values", "a", ("a.softmax", "v")),
        ("attention_values", "b", ("a.softmax", "v")),
        ("attention_values", "c", ("a.softmax", "v")),
    ]
    assert split.totals(step) == graph.totals(step)


def test_scores_are_shared_with_an_attention_alone() -> None:
    with pytest.raises(GraphError, match="b: attention takes 2 inputs, got 3"):
        graph_of(attention(keys="tokens"), sharing(inputs=("a", "k", "v")), q=8, k=8, v=8)
    with pytest.raises(GraphError, match=r"b: input k\[context, 8\] bf16 where the attention of the shared scores is"):
        graph_of(sharing(inputs=("k", "v"), keys="context"), q=8, k=8, v=8, rows="context")
    linear = Linear(name="a", inputs=("q",), fmt=BF16, d_in=8, d_out=8)
    with pytest.raises(GraphError, match="b: shares the scores of a, which is no attention before it"):
        split_attention(graph_of(linear, sharing(), q=8, k=8, v=8))


def test_heads_that_differ_cannot_share_scores() -> None:
    with pytest.raises(GraphError, match=r"b: input a\.softmax\[tokens, 2, tokens\] bf16 where attention_values"):
        split_attention(graph_of(attention(keys="tokens"), sharing(heads=4, kv_heads=2), q=8, k=8, v=8))


def test_operands_may_have_formats_of_their_own() -> None:
    op = attention(keys="tokens", input_fmts=(INT8, INT8, BF16))
    graph = graph_of(op, q=8, k=8, v=8, fmts={"q": INT8, "k": INT8})
    assert [op.bytes_seen(index, Step(queries=5, context=5)) for index in (1, 2)] == [5 * 2 * 4 * 1, 5 * 2 * 4 * 2]
    scores, softmax, values = split_attention(graph).operators
    assert (scores.input_fmts, softmax.input_fmts, values.input_fmts) == ((INT8, INT8), None, (BF16, BF16))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (None, "a: input k is int8, expected bf16; a conversion is an operator of its own"),
        ((BF16, BF16, BF16), "a: input k is int8, expected bf16; a conversion is an operator of its own"),
        ((BF16, INT8, INT8), "a: input v is bf16, expected int8; a conversion is an operator of its own"),
        ((BF16, INT8), "a: attention takes 3 inputs, got formats of 2"),
    ],
)
def test_formats_that_do_not_meet_are_named(stated: Any, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        graph_of(attention(keys="tokens", input_fmts=stated), q=8, k=8, v=8, fmts={"k": INT8})
    assert str(caught.value) == message


@given(
    kv_heads=st.integers(1, 3), share=st.integers(1, 3), d_k=st.integers(1, 5), d_v=st.integers(1, 5),
    pattern=st.sampled_from([Full(), Causal(), Window(left=2), Window(left=1, right=1)]),
    softcap=st.sampled_from([None, 30.0]), queries=st.integers(1, 6), past=st.integers(0, 6), batch=st.integers(1, 3),
)  # fmt: skip
def test_splitting_moves_no_work_and_macs_are_those_of_the_mask(
    kv_heads: int, share: int, d_k: int, d_v: int, pattern: Pattern, softcap: float | None, queries: int, past: int,
    batch: int,
) -> None:  # fmt: skip
    heads = kv_heads * share
    op = attention(heads=heads, kv_heads=kv_heads, d_k=d_k, d_v=d_v, pattern=pattern, softcap=softcap)
    graph = graph_of(op, q=heads * d_k, k=kv_heads * d_k, v=kv_heads * d_v, rows="context")
    step = Step(queries=queries, context=past + queries, batch=batch)
    assert split_attention(graph).totals(step) == graph.totals(step)
    mask = pattern.mask(queries, past + queries)
    assert op.macs(step) == batch * heads * int(mask.sum()) * (d_k + d_v)
    assert op.keys_read(step) == batch * int(mask.any(axis=0).sum())


def test_a_cache_with_a_window_keeps_the_last_tokens() -> None:
    shape: dict[str, Any] = {"name": "kv", "inputs": ("k", "v"), "fmt": BF16, "kv_heads": 2, "d_k": 4, "d_v": 3}
    windowed, whole = KvCache(window=16, **shape), KvCache(**shape)
    graph_of(windowed, q=8, k=8, v=6)
    for context, kept in ((1, 1), (16, 16), (17, 16), (1000, 16)):
        step = Step(queries=1, context=context, batch=3)
        assert windowed.state_bytes(step) == 3 * kept * 2 * (4 + 3) * 2
        assert whole.state_bytes(step) == 3 * context * 2 * (4 + 3) * 2
    assert windowed.describe() == "append 2 heads x (4 + 3), the last 16"
