"""The meaning of each kind of pattern, shown with the models from which it comes."""

import itertools

import numpy as np
import pytest

from hwsim.mapping.errors import PatternError, UserError
from hwsim.mapping.patterns import (
    After,
    Axial,
    BlockLocal,
    Causal,
    CrossSegment,
    Full,
    GlobalTokens,
    Intersection,
    MemorySlots,
    Pattern,
    RandomBlocks,
    Segment,
    Strided,
    StridedHeads,
    Union,
    Window,
    Window2d,
    parse_pattern,
)


def drawing(pattern: Pattern, n_q: int, n_k: int) -> list[str]:
    return ["".join("x" if seen else "." for seen in row) for row in pattern.mask(n_q, n_k)]


def test_known_counts() -> None:
    assert Causal().pairs(1024, 1024) == 1024 * 1025 // 2
    assert Causal().pairs(1, 77) == 77
    assert Window(left=2, right=1).pairs(5, 5) == 16  # 2 + 3 + 4 + 4 + 3
    assert Full().pairs(131_072, 131_072) == 131_072**2
    assert Window(left=4095).pairs(131_072, 131_072) == 131_072 * 4096 - 4095 * 4096 // 2


def test_only_patterns_without_lookahead_are_causal() -> None:
    assert [p.causal for p in (Full(), Causal(), Window(left=4), Window(left=4, right=1))] == [False, True, True, False]
    assert (Window(left=4, right=4) & Causal()).causal
    assert (MemorySlots(count=2) | Window(left=4)).causal
    assert not (GlobalTokens(count=2) | Window(left=4)).causal


def test_a_dilated_window_leaves_keys_out() -> None:
    window = Window(left=2, right=1, dilation=3)
    assert drawing(window, 4, 12) == [
        "..x..x..x..x",
        "...x..x..x..",
        "....x..x..x.",
        ".....x..x..x",
    ]
    assert window.keys_of(6, 12) == ((0, 1), (3, 4), (6, 7), (9, 10))
    with pytest.raises(PatternError, match="the query at 6 of 12 sees 4 ranges of keys, not one"):
        window.keys(6, 12)


def test_blocks_see_the_blocks_before_them() -> None:
    assert drawing(BlockLocal(size=2, back=1), 5, 5) == ["xx...", "xx...", "xxxx.", "xxxx.", "..xxx"]
    # Reformer: 65,536 tokens in chunks of 128, each with one chunk before it, except the first
    assert BlockLocal(size=128, back=1).pairs(65_536, 65_536) == 65_536 * 256 - 128 * 128


def test_global_tokens_see_all_and_are_seen_by_all() -> None:
    assert drawing(GlobalTokens(count=1, positions=(3,)), 5, 5) == ["xxxxx", "x..x.", "x..x.", "xxxxx", "x..x."]
    assert GlobalTokens(count=4).pairs(4096, 4096) == 2 * 4096 * 4 - 4 * 4


def test_longformer_4096_with_window_512() -> None:
    """256 keys on either side and the query's own; each end lacks 1 + 2 + ... + 256."""
    window = Window(left=256, right=256)
    assert window.pairs(4096, 4096) == 4096 * 513 - 256 * 257 == 2_035_456
    # one global token: its row and its column, minus the pairs that windows already have
    assert (window | GlobalTokens(count=1)).pairs(4096, 4096) == 2_035_456 + 2 * 4096 - 1 - (257 + 257 - 1)


def bigbird(seed: int) -> Pattern:
    window = BlockLocal(size=64, back=1, forward=1)
    return window | GlobalTokens(count=64, last=64) | RandomBlocks(blocks=3, block=64, seed=seed)


def test_a_query_of_bigbird_4096_sees_eight_blocks() -> None:
    """3 of its window, 3 random, 2 global; next to the first and last block, one of its window is already global."""
    pattern = bigbird(seed=1)
    blocks = [sum(last - first for first, last in pattern.keys_of(64 * b, 4096)) // 64 for b in range(64)]
    assert blocks == [64, 7, *[8] * 60, 7, 64]
    assert pattern.pairs(4096, 4096) == 64 * 64 * sum(blocks) == 2_547_712 == bigbird(seed=2).pairs(4096, 4096)


def test_random_blocks_are_distinct_and_leave_out_near_first_and_last_ones() -> None:
    for seed, query_block in itertools.product(range(20), range(12)):
        drawn = RandomBlocks(blocks=4, block=8, seed=seed).drawn(query_block, 96)
        assert len(set(drawn)) == 4
        assert not set(drawn) & {0, query_block - 1, query_block, query_block + 1, 11}


def test_random_blocks_come_from_the_seed_alone() -> None:
    """Pinned: these draws may not change with a version of Python or of hwsim."""
    pattern = RandomBlocks(blocks=3, block=64, seed=7)
    assert [pattern.drawn(b, 4096) for b in (1, 2, 40)] == [(26, 49, 52), (21, 46, 59), (27, 32, 51)]
    assert pattern.keys_of(40 * 64, 4096) == RandomBlocks(blocks=3, block=64, seed=7).keys_of(41 * 64 - 1, 4096)
    assert pattern.drawn(40, 4096) != RandomBlocks(blocks=3, block=64, seed=8).drawn(40, 4096)


def test_every_eligible_block_is_drawn_equally_often() -> None:
    drawn = [b for seed in range(3000) for b in RandomBlocks(blocks=2, block=1, seed=seed).drawn(4, 10)]
    often = np.bincount(drawn, minlength=10)
    assert often[[0, 3, 4, 5, 9]].tolist() == [0] * 5
    assert all(abs(count - 1200) < 150 for count in often[[1, 2, 6, 7, 8]])  # five standard deviations


def test_swin_shifts_its_windows_by_half() -> None:
    """Of 4 x 4 tokens in windows of 2, shifted by 1: the corner is alone, the middle whole."""
    still, shifted = Window2d(height=4, width=4, window=2), Window2d(height=4, width=4, window=2, shift=1)
    assert still.keys_of(0, 16) == ((0, 2), (4, 6))
    assert shifted.keys_of(0, 16) == ((0, 1),)
    assert shifted.keys_of(5, 16) == ((5, 7), (9, 11))
    assert shifted.pairs(16, 16) == (1 + 4 + 1) ** 2
    # the first stage of Swin-T: 64 windows of 49 tokens; shifted, pieces of 3, 7 (seven times) and 4 a direction
    assert Window2d(height=56, width=56, window=7).pairs(3136, 3136) == 3136 * 49
    assert Window2d(height=56, width=56, window=7, shift=3).pairs(3136, 3136) == (9 + 7 * 49 + 16) ** 2


def test_axial_attention_sees_a_row_a_column_or_all_frames() -> None:
    grid = {"height": 2, "width": 3, "frames": 2}
    assert Axial(**grid, axis="rows").keys_of(4, 12) == ((3, 6),)
    assert Axial(**grid, axis="columns").keys_of(4, 12) == ((1, 2), (4, 5))
    assert Axial(**grid, axis="frames").keys_of(4, 12) == ((4, 5), (10, 11))
    assert Axial(height=64, width=64, axis="rows").pairs(4096, 4096) == 4096 * 64


def test_the_hierarchical_transformer_of_32_segments_of_128() -> None:
    inside, across = Segment(size=128), CrossSegment(size=128)
    assert inside.pairs(4096, 4096) == 4096 * 128
    assert across.pairs(4096, 4096) == 32 * 32
    assert (inside | across).pairs(4096, 4096) == 4096 * 128 + 32 * 32 - 32  # a first token and itself are in both
    assert across.keys_of(1, 512) == ()
    assert across.keys_of(128, 512) == ((0, 1), (128, 129), (256, 257), (384, 385))


def test_memory_slots_are_counted_by_the_keys() -> None:
    """Three tokens after two slots are five keys."""
    assert drawing(MemorySlots(count=2) | Window(left=1), 3, 5) == ["xxx..", "xxxx.", "xx.xx"]
    assert drawing(MemorySlots(count=2) | After(count=2, pattern=BlockLocal(size=2, back=0)), 3, 5) == [
        "xxxx.", "xxxx.", "xx..x",
    ]  # fmt: skip


def test_a_class_token_before_windows() -> None:
    pattern = GlobalTokens(count=1) | After(count=1, pattern=Window2d(height=14, width=14, window=7))
    assert pattern.pairs(197, 197) == 196 * 49 + 2 * 197 - 1


def test_heads_that_share_the_keys_out() -> None:
    hepos = StridedHeads(stride=4)
    assert [hepos.of_head(h).keys_of(0, 10) for h in (0, 3, 7)] == [
        ((0, 1), (4, 5), (8, 9)),
        ((3, 4), (7, 8)),
        ((3, 4), (7, 8)),
    ]
    assert hepos.of_head(1).pairs(1024, 10_240) == 1024 * 10_240 // 4
    assert hepos.pairs_of_heads(1, 10, heads=6) == 10 + 3 + 3  # four heads see all keys once, two more see 3 each
    assert hepos.union_keys_of_heads(1, 10, heads=4, kv_heads=4) == 10
    assert hepos.union_keys_of_heads(1, 10, heads=4, kv_heads=2) == (3 + 3) + (2 + 2)
    assert hepos.union_keys_of_heads(1, 10, heads=8, kv_heads=2) == 10 + 10
    with pytest.raises(PatternError, match="heads see different keys"):
        hepos.pairs(1, 10)
    with pytest.raises(PatternError, match="6 heads do not share 4 key/value heads evenly"):
        hepos.union_keys_of_heads(1, 10, heads=6, kv_heads=4)


def test_heads_differ_within_unions_too() -> None:
    pattern = (StridedHeads(stride=2) | StridedHeads(stride=3)) & Causal()
    assert pattern.heads_period == 6
    assert pattern.of_head(4) == (Strided(stride=2) | Strided(stride=3, offset=1)) & Causal()
    alike = [pattern.of_head(h).pairs(9, 9) for h in range(8)]
    assert pattern.pairs_of_heads(9, 9, heads=8) == sum(alike)
    assert Window(left=3).pairs_of_heads(9, 9, heads=8) == 8 * Window(left=3).pairs(9, 9)
    assert Window(left=3).union_keys_of_heads(2, 9, heads=8, kv_heads=2) == 2 * 5
    assert After(count=1, pattern=StridedHeads(stride=2)).of_head(1) == After(
        count=1, pattern=Strided(stride=2, offset=1)
    )


# Queries of another sequence.


@pytest.mark.parametrize("text", ["full", "strided(3, 1)", "memory_slots(2)", "memory_slots(2) | strided(2, 0)"])
def test_static_patterns_take_more_queries_than_keys(text: str) -> None:
    pattern = parse_pattern(text)
    mask = pattern.mask(9, 5)
    assert pattern.static
    assert (mask == mask[0]).all()
    assert pattern.pairs(9, 5) == mask.sum()
    assert pattern.union_keys(9, 5) == mask[0].sum()
    pattern.check_cross(9, 5)
    pattern.check_cross(5, 9)


@pytest.mark.parametrize("text", ["causal", "window(3, 0)", "global(1)", "full & causal", "after(1, full)"])
def test_patterns_that_go_by_positions_need_one_sequence(text: str) -> None:
    pattern = parse_pattern(text)
    with pytest.raises(PatternError, match=r"9 queries need at least as many positions, got 5"):
        pattern.pairs(9, 5)
    with pytest.raises(PatternError, match="goes by positions, which 5 queries of another sequence do not have"):
        pattern.check_cross(5, 9)
    pattern.check_cross(5, 5)  # as long: query i stands at key i


# What is refused.


@pytest.mark.parametrize(
    ("text", "n_k", "message"),
    [
        ("window2d(4, 4, 2)", 15, "window2d(4, 4, 2): a grid of 4 x 4 is 16 tokens, got 15"),
        ("axial(4, 4, rows)", 17, "axial(4, 4, rows): its grid is 16 tokens, got 17"),
        ("global(4)", 3, "global(4): needs at least 4 tokens, got 3"),
        ("global(positions=(0, 9))", 9, "global(positions=(0, 9)): needs at least 10 tokens, got 9"),
        ("segment(4)", 10, "segment(4): 10 tokens are no whole number of segments of 4"),
        ("cross_segment(4)", 10, "cross_segment(4): 10 tokens are no whole number of segments of 4"),
        ("memory_slots(4)", 3, "memory_slots(4): 3 keys cannot hold 4 slots, which they count"),
        ("strided(8, 5)", 5, "strided(8, 5): the first key that it sees, 5, is not among 5 keys"),
        (
            "random_blocks(3, 2, seed=0)",
            14,
            "random_blocks(3, 2, seed=0): block 3 of 7 finds 2 that are not near, first or last, needs 3",
        ),
        ("after(4, full)", 3, "after(4, full): needs at least 4 positions, got 3"),
        ("after(4, global(2))", 5, "global(2): needs at least 2 tokens, got 1"),
        ("causal | global(4)", 3, "global(4): needs at least 4 tokens, got 3"),
        ("causal & segment(2)", 3, "segment(2): 3 tokens are no whole number of segments of 2"),
    ],
)
def test_a_pattern_beyond_the_tokens_is_one_clear_line(text: str, n_k: int, message: str) -> None:
    pattern = parse_pattern(text)
    for ask in (pattern.pairs, pattern.union_keys, pattern.mask, pattern.check):
        with pytest.raises(PatternError) as raised:
            ask(1, n_k)
        assert str(raised.value) == message
    with pytest.raises(UserError):
        pattern.keys_of(0, n_k)


def test_random_blocks_fit_where_every_block_finds_enough() -> None:
    for n_blocks, blocks, near, first, last in itertools.product(range(1, 9), (1, 2), range(3), range(3), range(3)):
        pattern = RandomBlocks(blocks=blocks, block=1, seed=0, near=near, first=first, last=last)
        found = [
            sum(first <= key < n_blocks - last and abs(key - query) > near for key in range(n_blocks))
            for query in range(n_blocks)
        ]
        if min(found) >= blocks:
            pattern.check(0, n_blocks)
        else:
            with pytest.raises(PatternError, match="needs"):
                pattern.check(0, n_blocks)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Window(left=-1), "window: left must be a whole number of at least 0, got -1"),
        (lambda: Window(left=1, dilation=0), "window: dilation must be a whole number of at least 1, got 0"),
        (lambda: Window(left=1.5), "window: left must be a whole number of at least 0, got 1.5"),
        (lambda: BlockLocal(size=0, back=1), "block_local: size must be a whole number of at least 1, got 0"),
        (GlobalTokens, "global: needs a count, last or positions, or no token is global"),
        (lambda: GlobalTokens(positions=(3, 3)), "global: positions must ascend, got (3, 3)"),
        (lambda: GlobalTokens(positions=(-3,)), "global: position must be a whole number of at least 0, got -3"),
        (lambda: GlobalTokens(positions=[1]), "global: positions must be a tuple, got [1]"),
        (lambda: Strided(stride=2, offset=2), "strided: offset 2 must be below stride 2"),
        (
            lambda: Window2d(height=56, width=50, window=7),
            "window2d: a grid of 56 x 50 is not cut evenly by windows of 7",
        ),
        (lambda: Window2d(height=8, width=8, window=4, shift=4), "window2d: shift 4 must be below window 4"),
        (lambda: Axial(height=8, width=8, axis="row"), "axial: no axis 'row'; nearest: rows"),
        (lambda: Segment(size=0), "segment: size must be a whole number of at least 1, got 0"),
        (lambda: After(count=1, pattern="full"), "after: needs a pattern, got 'full'"),
        (lambda: StridedHeads(stride=2).of_head(-1), "strided_heads(2): heads count from 0, got -1"),
        (lambda: Union(parts=(Full(), Full())), "union: needs two different patterns or more, got 1"),
        (
            lambda: Intersection(parts=(Full(), Full() & Causal())),
            "intersection: parts must not be such again; combine patterns with | and &",
        ),
        (lambda: Full().pairs(-1, 3), "full: numbers of queries and keys must not be negative, got -1 and 3"),
        (lambda: Causal().keys_of(3, 3), "causal: no query stands at position 3 of 3"),
    ],
)
def test_wrong_parameters_are_one_clear_line(make: object, message: str) -> None:
    with pytest.raises(PatternError) as raised:
        make()  # type: ignore[operator]
    assert str(raised.value) == message


def test_huge_parameters_cost_nothing() -> None:
    far = 10**17
    assert Window(left=far, right=far).pairs(5, 9) == 45
    union = Window(left=far, dilation=far) | GlobalTokens(count=1) | BlockLocal(size=far, back=far)
    assert union.pairs(4, 9) == 36
    assert (Strided(stride=far) | Window(left=0)).pairs(3, 9) == 6
