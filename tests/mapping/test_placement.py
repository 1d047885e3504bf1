"""Placement: every weight and cache entry has one place of its own."""

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import MappingError
from hwsim.mapping.formats import BF16, parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.mapped import assign_units
from hwsim.mapping.models import build_graph
from hwsim.mapping.operators import Act, Attention, AttentionValues, KvCache, Operator, Slice, Tensor
from hwsim.mapping.passes.split_attention import split_attention
from hwsim.mapping.patterns import Causal
from hwsim.mapping.pim import Address, CachePlacement, MatrixPlacement, PimTarget, map_graph
from hwsim.mapping.pim.map_graph import longest_context
from hwsim.mapping.step import Step
from tests.mapping.workloads import tiny


def target(**fields: int) -> PimTarget:
    """A small memory: rows of 32 elements in 4 banks of 2 channels."""
    shape = {
        "channels": 2, "banks": 4, "rows": 10_000, "columns": 8, "lanes": 4, "buffer_elements": 32,
        "sram_bytes": 1 << 16, "score_bytes": 4,
    }  # fmt: skip
    return PimTarget(machine="tiny", **{**shape, **fields}, fmt=BF16)


targets = st.builds(
    target,
    channels=st.integers(1, 4),
    banks=st.integers(1, 5),
    columns=st.integers(1, 6),
    lanes=st.integers(1, 4),
    buffer_elements=st.integers(1, 24),
).filter(lambda t: t.buffer_elements >= t.lanes and t.buffer_elements % t.lanes == 0)


def swept(matrix: MatrixPlacement) -> set[Address]:
    """Every place that the sweeps of a matrix read."""
    t = matrix.target
    return {
        Address(channel, bank, matrix.base_row + linear // t.columns, linear % t.columns, lane)
        for channel in range(t.channels)
        for bank in range(t.banks)
        for chunk in matrix.chunks
        for linear in range(chunk.base_column, chunk.base_column + matrix.slots(channel) * chunk.columns)
        for lane in range(t.lanes)
    }


@given(t=targets, d_in=st.integers(1, 40), d_out=st.integers(1, 30))
def test_each_weight_has_a_place_of_its_own_and_the_rest_is_padding(t: PimTarget, d_in: int, d_out: int) -> None:
    matrix = MatrixPlacement.place("w", d_in, d_out, 3, t)
    places = [matrix.address(output, element) for output in range(d_out) for element in range(d_in)]
    assert len(set(places)) == d_in * d_out
    read = swept(matrix)
    assert set(places) <= read
    assert len(read) - len(places) == matrix.padding_elements
    assert max(place.row for place in read) < matrix.base_row + matrix.rows


@given(t=targets, d_out=st.integers(1, 60))
def test_outputs_are_split_evenly_over_channels_then_banks(t: PimTarget, d_out: int) -> None:
    matrix = MatrixPlacement.place("w", 1, d_out, 0, t)
    channels = Counter(matrix.address(output, 0).channel for output in range(d_out))
    shares = [channels[c] for c in range(t.channels)]
    assert max(shares) - min(shares) <= 1
    assert shares == [matrix.outputs(c) for c in range(t.channels)]
    banks = Counter(matrix.address(o, 0)[:2] for o in range(d_out) if matrix.address(o, 0).channel == 0)
    assert max(banks.values()) == matrix.slots(0)


@given(
    t=targets, heads=st.integers(1, 3), head_dim=st.integers(1, 7), context=st.integers(1, 30), batch=st.integers(1, 2)
)
def test_each_cache_entry_has_a_place_of_its_own(
    t: PimTarget, heads: int, head_dim: int, context: int, batch: int
) -> None:
    cache = CachePlacement(
        operator="kv", heads=heads, head_dim=head_dim, context=context, batch=batch, base_row=5, target=t
    )
    entries = list(product(range(batch), range(context), range(heads), range(head_dim)))
    places = [cache.k_address(*entry) for entry in entries] + [cache.v_address(*entry) for entry in entries]
    assert len(set(places)) == len(places)
    assert all(5 <= place.row < 5 + cache.rows for place in places)
    assert all(place.channel < t.channels and place.bank < t.banks for place in places)
    assert all(place.column < t.columns and place.lane < t.lanes for place in places)


def test_gpt2_head_layout_is_that_of_the_paper() -> None:
    paper = target(channels=8, banks=16, columns=64, lanes=16, buffer_elements=1024)
    cache = CachePlacement(operator="kv", heads=12, head_dim=64, context=1024, batch=1, base_row=0, target=paper)
    assert cache.k_home(0) == (0, 0, 0)
    assert cache.k_home(129) == (1, 0, 1)  # t mod 128 gives the bank, t div 128 the place in it
    assert (cache.k_rows, cache.v_rows) == (6, 6)  # 8 keys of 768 fill 6 rows; 6 groups of dimensions a channel
    # a dimension's tokens are contiguous: 16 of them share a column access
    assert cache.v_address(0, 15, 0, 0)[:4] == cache.v_address(0, 0, 0, 0)[:4]
    # a token's 16 neighbouring dimensions lie in the 16 banks of one channel
    assert {cache.v_address(0, 7, 0, e).bank for e in range(16)} == set(range(16))


def test_a_long_input_is_chunked_by_rows() -> None:
    paper = target(channels=8, banks=16, columns=64, lanes=16, buffer_elements=1024)
    matrix = MatrixPlacement.place("w", 1600, 1600, 0, paper)
    chunks = [(chunk.inputs, chunk.columns, chunk.base_column) for chunk in matrix.chunks]
    assert chunks == [(1024, 64, 0), (576, 36, 832)]
    assert [matrix.slots(c) for c in range(8)] == [13] * 8  # 200 outputs a channel: 12.5 a bank
    assert matrix.padding_elements == 8 * 8 * 1600


def test_nothing_of_a_mapped_model_overlaps() -> None:
    mapped = map_graph(build_graph(tiny(layers=2)), target(), context=40, batch=2)
    places: list[tuple[int, ...]] = []
    for matrix in mapped.placement.matrices.values():
        places += [matrix.address(o, i) for o in range(matrix.d_out) for i in range(matrix.d_in)]
    for cache in mapped.placement.caches.values():
        entries = list(product(range(2), range(40), range(2), range(32)))
        places += [cache.k_address(*entry) for entry in entries] + [cache.v_address(*entry) for entry in entries]
    assert len(places) == len(set(places))
    assert max(place[2] for place in places) < mapped.placement.rows


def test_a_model_that_does_not_fit_says_how_many_tokens_would() -> None:
    small = target(rows=330)
    with pytest.raises(MappingError, match=r"the cache of 900 tokens x 1 needs .*; \d+ tokens would fit$") as caught:
        map_graph(build_graph(tiny(tokens=900)), small, context=900, batch=1)
    fits = int(str(caught.value).split("; ")[-1].split()[0])
    assert map_graph(build_graph(tiny()), small, context=fits, batch=1).placement.rows <= 330
    with pytest.raises(MappingError):
        map_graph(build_graph(tiny()), small, context=fits + 1, batch=1)
    assert longest_context(map_graph(build_graph(tiny()), small, context=1, batch=1)) == fits


def test_weights_alone_may_be_too_much() -> None:
    with pytest.raises(MappingError, match="not even one token would fit"):
        map_graph(build_graph(tiny()), target(rows=10), context=1, batch=1)


def test_banks_compute_in_their_own_format_only() -> None:
    with pytest.raises(MappingError, match=r"l0\.qkv: format fp32 of results, but the banks of tiny compute in bf16"):
        map_graph(build_graph(tiny(format="fp32")), target(), context=4, batch=1)
    assert str(parse_format("bf16")) == "bf16"


def attention_over(where: str, **fields: Any) -> OperatorGraph:
    """One attention whose keys and values are in a cache, or are those of its own tokens, or come from outside."""
    shape: dict[str, Any] = {"fmt": BF16, "kv_heads": 1, "d_k": 4, "d_v": 4}
    inputs = [Tensor(name=name, shape=("tokens", 4), fmt=BF16) for name in "qkv"]
    operators: list[Operator] = []
    keys, values = "k", "v"
    if where == "outside":
        keys, values = "keys", "values"
        inputs += [Tensor(name=name, shape=("context", 4), fmt=BF16) for name in (keys, values)]
    elif where == "cache":
        keys, values = "keys", "values"
        operators += [
            KvCache(name="kv", inputs=("k", "v"), **shape),
            Slice(name=keys, inputs=("kv",), fmt=BF16, first=0, width=4, rows="context"),
            Slice(name=values, inputs=("kv",), fmt=BF16, first=4, width=4, rows="context"),
        ]
    rows = "tokens" if where == "tokens" else "context"
    whole = {"name": "a", "inputs": ("q", keys, values), "heads": 1, "pattern": Causal(), "keys": rows, **shape}
    return OperatorGraph(name="g", inputs=inputs, operators=[*operators, Attention(**whole, **fields)])


@pytest.mark.parametrize("where", ["tokens", "outside"])
def test_banks_attend_to_a_cache_alone(where: str) -> None:
    with pytest.raises(MappingError) as caught:
        map_graph(attention_over(where), target(), context=4, batch=1)
    assert str(caught.value) == (
        "tiny: a.scores: runs attention over a cache in its banks alone; these keys are in none"
    )


def test_banks_cap_no_scores_and_keep_no_cache_that_nothing_reads() -> None:
    assert map_graph(attention_over("cache"), target(), context=4, batch=1).placement.caches.keys() == {"kv"}
    with pytest.raises(MappingError, match=r"tiny: a\.scores: has no unit that caps scores \(softcap 30\)"):
        map_graph(attention_over("cache", softcap=30.0), target(), context=4, batch=1)
    inputs = [Tensor(name=name, shape=("tokens", 4), fmt=BF16) for name in "kv"]
    cache = KvCache(name="c", inputs=("k", "v"), fmt=BF16, kv_heads=1, d_k=4, d_v=4)
    with pytest.raises(MappingError, match="tiny: c: a cache that no attention reads"):
        map_graph(OperatorGraph(name="g", inputs=inputs, operators=[cache]), target(), context=4, batch=1)


def test_values_lie_in_a_cache_as_keys_do() -> None:
    split = split_attention(attention_over("cache"))
    outside = Tensor(name="elsewhere", shape=("context", 4), fmt=BF16)
    moved = [
        replace(op, inputs=("a.softmax", "elsewhere")) if isinstance(op, AttentionValues) else op
        for op in split.operators
    ]
    graph = OperatorGraph(name="g", inputs=[*split.inputs, outside], operators=moved)
    with pytest.raises(MappingError, match=r"tiny: a: runs attention over a cache .*; these values are in none"):
        map_graph(graph, target(), context=4, batch=1)


def test_an_operator_without_a_unit_names_those_that_have_one() -> None:
    x = Tensor(name="x", shape=("tokens", 4), fmt=BF16)
    graph = OperatorGraph(name="g", inputs=[x], operators=[Act(name="y", inputs=("x",), fmt=BF16, width=4)])
    with pytest.raises(MappingError, match=r"aim: y: has no unit for act; it runs linear, softmax$"):
        assign_units(graph, {"softmax": "host", "linear": "aim"}, machine="aim")


def test_the_mapped_graph_reads_like_this() -> None:
    dump = map_graph(build_graph(tiny()), target(), context=16, batch=1).dump(Step(queries=1, context=16))
    assert dump.splitlines()[:11] == [
        "mapped tiny: 2 channels x 4 banks, 204 of 10000 rows a bank, padding 0 B, reserved for 16 tokens x 1",
        "asic norm l0.norm1[tokens, 64] bf16; macs 0",
        "pim  linear l0.qkv[tokens, 192] bf16; macs 12288; rows 0..47, inputs 32 + 32, 24 outputs a bank, padding 0",
        "view slice l0.q[tokens, 64] bf16; macs 0",
        "view slice l0.k[tokens, 64] bf16; macs 0",
        "view slice l0.v[tokens, 64] bf16; macs 0",
        "pim  kv_cache l0.kv[context, 128] bf16; macs 0; rows 48..59, K 4, V 8",
        "view slice l0.keys[context, 64] bf16; macs 0",
        "view slice l0.values[context, 64] bf16; macs 0",
        "pim  attention_scores l0.attention.scores[tokens, 2, context] bf16; macs 1024",
        "asic softmax l0.attention.softmax[tokens, 2, context] bf16; macs 0",
    ]
