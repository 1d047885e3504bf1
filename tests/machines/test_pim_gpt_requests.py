"""Requests of PIM-GPT: each sweep touches exactly the columns of the placement."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.dram.in_order.package import PackageProgram, channel_requests
from hwsim.dram.in_order.program import Request
from hwsim.dram.in_order.reference import ReferenceChannel
from hwsim.dram.standards.load import load_standard
from hwsim.machines.pim_gpt.requests import Query, RequestBuilder, bound_cycles
from hwsim.mapping.formats import BF16
from hwsim.mapping.pim import CachePlacement, MatrixPlacement, PimTarget
from hwsim.mapping.pim.placement import ceil_div

STANDARD = load_standard("pim_gpt", columns=8, rows=2000, refresh=False)
TARGET = PimTarget(
    machine="tiny",
    channels=2,
    banks=16,
    rows=2000,
    columns=8,
    lanes=16,
    buffer_elements=128,
    sram_bytes=1 << 17,
    score_bytes=4,
    fmt=BF16,
)


def builder(accumulators: int = 4, *, row_reuse: bool = False) -> RequestBuilder:
    return RequestBuilder(standard=STANDARD, accumulators=accumulators, row_reuse=row_reuse)


def columns_read(program: PackageProgram, channel: int) -> Counter[int]:
    """How often each column, counted through the rows, is multiplied."""
    read: Counter[int] = Counter()
    for r in channel_requests(program, channel, STANDARD):
        if r.command == "MAC16":
            first = r.row * STANDARD.columns + r.column
            read.update({c: r.repeat for c in range(first, first + r.count)})
    return read


def results_read(program: PackageProgram, channel: int) -> int:
    return sum(r.count for r in channel_requests(program, channel, STANDARD) if r.command == "RDMAC16")


@given(
    d_in=st.integers(1, 300),
    d_out=st.integers(1, 200),
    vectors=st.integers(1, 3),
    accumulators=st.integers(1, 6),
    reuse=st.booleans(),
)
def test_a_linear_reads_each_weight_once_a_vector(
    d_in: int, d_out: int, vectors: int, accumulators: int, reuse: bool
) -> None:
    matrix = MatrixPlacement.place("w", d_in, d_out, 0, TARGET)
    program = builder(accumulators, row_reuse=reuse).linear(matrix, vectors)
    for channel in range(2):
        slots = matrix.slots(channel)
        expected = {
            column: vectors
            for chunk in matrix.chunks
            for column in range(chunk.base_column, chunk.base_column + slots * chunk.columns)
        }
        assert columns_read(program, channel) == expected
        assert results_read(program, channel) == slots * len(matrix.chunks) * vectors


@given(
    context=st.integers(1, 150),
    heads=st.integers(1, 9),
    group=st.integers(1, 5),
    head_dim=st.integers(1, 40),
    first=st.integers(0, 149),
    accumulators=st.integers(1, 6),
)
def test_scores_and_values_read_the_keys_and_values_of_their_range_once_for_each_query_head(
    context: int, heads: int, group: int, head_dim: int, first: int, accumulators: int
) -> None:
    first = min(first, context - 1)
    cache = CachePlacement(
        operator="kv", heads=heads, group=group, head_dim=head_dim, context=context, batch=1, base_row=0, target=TARGET
    )
    queries = range(heads * group // 2, heads * group)
    query = Query(sequence=0, first=first, last=context, head=queries.start, head_end=queries.stop)
    build = builder(accumulators)
    scores, values = build.scores(cache, (query,)), build.values(cache, (query,))
    for channel in range(2):
        for program, address in ((scores, cache.k_address), (values, cache.v_address)):
            needed: Counter[int] = Counter()
            for head in queries:
                places = (
                    address(0, token, head // group, element)
                    for token in range(first, context)
                    for element in range(head_dim)
                )
                needed.update({a.row * 8 + a.column for a in places if a.channel == channel})
            assert columns_read(program, channel) == needed


@given(
    context=st.integers(1, 150),
    group=st.integers(1, 9),
    heads=st.integers(1, 4),
    accumulators=st.integers(1, 12),
)
def test_results_of_a_group_are_read_each_and_never_pile_up(
    context: int, group: int, heads: int, accumulators: int
) -> None:
    cache = CachePlacement(
        operator="kv", heads=heads, group=group, head_dim=16, context=context, batch=1, base_row=0, target=TARGET
    )
    query = Query(sequence=0, first=0, last=context, head=0, head_end=heads * group)
    build = builder(accumulators)
    scores, values = build.scores(cache, (query,)), build.values(cache, (query,))
    for channel in range(2):
        slots = ceil_div(ceil_div(context - channel, 2), 16)  # keys of the fullest of 16 banks
        assert results_read(scores, channel) == slots * heads * group
        parts = ceil_div(context, 128)
        assert results_read(values, channel) == parts * group * len(cache.groups(channel))
        for program, width in ((scores, 1), (values, None)):
            pending = 0
            for r in channel_requests(program, channel, STANDARD):
                if r.command == "MAC16":
                    pending += r.repeat * (r.count if width else 1)
                    assert pending <= accumulators
                elif r.command == "RDMAC16":
                    assert r.count == pending
                    pending = 0
            assert pending == 0


def test_a_group_of_queries_sweeps_an_open_row_of_keys_together() -> None:
    # two heads of 16 with four queries each: the buffer of 128 holds all eight, a key lies in one column a head
    cache = CachePlacement(operator="kv", heads=2, group=4, head_dim=16, context=32, batch=1, base_row=0, target=TARGET)
    query = Query(sequence=0, first=0, last=32, head=0, head_end=8)
    scores = builder(accumulators=8).scores(cache, (query,))
    assert [(r.command, r.count, r.repeat) for r in channel_requests(scores, 0, STANDARD)] == [
        ("WRGB", 8, 1), ("MAC16", 2, 4), ("RDMAC16", 8, 1),
    ]  # fmt: skip
    # probabilities of 32 tokens take two columns a query: all four queries of a group fit together
    values = builder(accumulators=8).values(cache, (query,))
    assert [(r.command, r.row, r.count, r.repeat) for r in channel_requests(values, 0, STANDARD)] == [
        ("WRGB", 0, 8, 1), ("MAC16", 1, 2, 4), ("RDMAC16", 0, 4, 1),
    ]  # fmt: skip


def test_a_long_context_leaves_room_for_one_query_of_a_group() -> None:
    cache = CachePlacement(operator="kv", heads=1, group=2, head_dim=16, context=65, batch=1, base_row=0, target=TARGET)
    values = builder().values(cache, (Query(sequence=0, first=0, last=65, head=0, head_end=2),))
    # 65 of 128 elements a query: the row of values is swept once for each query
    assert [(r.command, r.count, r.repeat) for r in channel_requests(values, 0, STANDARD)] == [
        ("WRGB", 5, 1), ("MAC16", 5, 1), ("WRGB", 5, 1), ("MAC16", 5, 1), ("RDMAC16", 2, 1),
    ]  # fmt: skip


def test_writes_go_where_the_cache_is_read() -> None:
    cache = CachePlacement(operator="kv", heads=3, head_dim=20, context=200, batch=2, base_row=0, target=TARGET)
    build = builder()
    keys, values = build.write_keys(cache, [(1, 37)]), build.write_values(cache, [(1, 37)])
    home = cache.k_address(1, 37, 0, 0)
    assert [len(keys.channel(c)) for c in range(2)] == [0, 1]
    assert channel_requests(keys, home.channel, STANDARD) == [
        Request(command="WR", bank=home.bank, row=home.row, column=home.column, count=6)
    ]
    places = {(r.row, r.column) for r in channel_requests(values, 0, STANDARD)}
    addresses = [cache.v_address(1, 37, head, element) for head in range(3) for element in range(20)]
    assert places == {(a.row, a.column) for a in addresses if a.channel == 0}


def test_accumulators_are_read_before_they_overflow() -> None:
    matrix = MatrixPlacement.place("w", 16, 32 * 10, 0, TARGET)
    program = builder(accumulators=4).linear(matrix, 1)
    assert [(r.command, r.count) for r in channel_requests(program, 0, STANDARD)] == [
        ("WRGB", 1), ("MAC16", 4), ("RDMAC16", 4), ("MAC16", 4), ("RDMAC16", 4), ("MAC16", 2), ("RDMAC16", 2),
    ]  # fmt: skip


def test_row_reuse_sweeps_an_open_row_for_several_vectors() -> None:
    matrix = MatrixPlacement.place("w", 32, 32, 0, TARGET)
    once = builder(row_reuse=True).linear(matrix, 4)
    assert [(r.command, r.count, r.repeat) for r in channel_requests(once, 0, STANDARD)] == [
        ("WRGB", 8, 1), ("MAC16", 2, 4), ("RDMAC16", 4, 1),
    ]  # fmt: skip
    # the buffer of 128 elements holds four vectors of 32, not five
    assert builder(accumulators=9, row_reuse=True).vectors_at_once(matrix, 5) == 4


@given(d_in=st.integers(1, 150), d_out=st.integers(1, 100), context=st.integers(1, 60))
@settings(max_examples=20)
def test_no_program_undercuts_its_bound(d_in: int, d_out: int, context: int) -> None:
    matrix = MatrixPlacement.place("w", d_in, d_out, 0, TARGET)
    cache = CachePlacement(operator="kv", heads=2, head_dim=24, context=context, batch=1, base_row=0, target=TARGET)
    query = Query(sequence=0, first=0, last=context, head=0, head_end=2)
    build = builder()
    for program in (
        build.linear(matrix, 1),
        build.scores(cache, (query,)),
        build.values(cache, (query,)),
        build.write_values(cache, [(0, context - 1)]),
    ):
        # start from a channel with another row open, as in the middle of a run
        longest = 0
        for channel in range(2):
            player = ReferenceChannel(STANDARD)
            start = player.play([Request(command="MAC16", row=1999)], 0)
            longest = max(longest, player.play(channel_requests(program, channel, STANDARD), start + 100) - start - 100)
        assert longest >= bound_cycles(program, STANDARD)


def test_a_head_larger_than_the_buffer_is_refused() -> None:
    cache = CachePlacement(operator="kv", heads=1, head_dim=129, context=4, batch=1, base_row=0, target=TARGET)
    with pytest.raises(Exception, match="a head of 129 elements does not fit the vector buffer of 128"):
        builder().scores(cache, (Query(sequence=0, first=0, last=4, head=0, head_end=1),))
