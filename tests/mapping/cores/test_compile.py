"""What known patterns become on 512 cores, and what cannot be held."""

import numpy as np
import pytest

from hwsim.mapping.cores.compile import compile_pattern
from hwsim.mapping.cores.parts import split_parts
from hwsim.mapping.cores.plan import CorePass, CorePlan, Residencies
from hwsim.mapping.cores.runs import stretches
from hwsim.mapping.errors import MappingError, PatternError
from hwsim.mapping.patterns import StridedHeads, parse_pattern

BIGBIRD = "block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)"


def plan_of(text: str, tokens: int, cores: int = 512, published: bool = False) -> CorePlan:
    window = "published" if published else "exact"
    return compile_pattern(parse_pattern(text), tokens, tokens, cores=cores, loads=6, window=window)


def test_swat_window_is_one_pass_with_a_key_a_row() -> None:
    assert plan_of("window(256, 255)", 16384).dump().splitlines() == [
        "16384 queries, 16384 keys, 512 cores, natural order: pairs 8323072",
        "  pass 0: 16384 rows, 0 to 16383; window 512; 16384 keys, 255 before, up to 1 a row; partial 0 in, 0 out",
    ]


def test_longformer_has_a_key_too_many_for_one_pass() -> None:
    """513 keys and one that all see: the second pass has two cores at work."""
    assert plan_of("window(256, 256) | memory_slots(1)", 4096).dump().splitlines() == [
        "4096 queries, 4096 keys, 512 cores, natural order: pairs 2039295",
        "  pass 0: 4096 rows, 0 to 4095; global 1, window 511; 4082 keys, 256 before, up to 1 a row; "
        "partial 0 in, 3592 out",
        "  pass 1: 3592 rows, 256 to 3847; window 2; 14 keys, 0 before, up to 1 a row; partial 3592 in, 0 out",
    ]
    published = plan_of("window(256, 256) | memory_slots(1)", 4096, published=True)
    assert (len(published.passes), published.dropped, published.added) == (2, 3840, 0)  # 512 keys and the global one


def test_bigbird_takes_one_pass_and_its_global_rows_eight_more() -> None:
    lines = plan_of(BIGBIRD, 4096).dump().splitlines()
    assert lines[:2] == [
        "4096 queries, 4096 keys, 512 cores, natural order: pairs 2547712",
        "  pass 0: 3968 rows, 64 to 4031; global 128, window 192, random 192; 15616 keys, 444 before, "
        "up to 4 a row; partial 0 in, 0 out",
    ]
    assert [line.split(";")[0:2] for line in lines[2:]] == [
        [f"  pass {number}: 128 rows, 0 to 4095", " global_rows 512"] for number in range(1, 9)
    ]


def test_full_attention_pins_512_keys_a_pass() -> None:
    plan = plan_of("full", 8192)
    assert len(plan.passes) == 16
    for number, one in enumerate(plan.passes):
        assert sorted(one.residencies.key.tolist()) == list(range(512 * number, 512 * (number + 1)))
        assert (len(one.rows), one.prologue) == (8192, 511)


def test_a_causal_pass_begins_with_its_first_key() -> None:
    plan = plan_of("causal", 2048)
    assert [(one.rows[0], len(one.rows), one.prologue) for one in plan.passes] == [
        (0, 2048, 0), (512, 1536, 0), (1024, 1024, 0), (1536, 512, 0)
    ]  # fmt: skip


def test_a_sequence_shorter_than_the_window_is_one_pass() -> None:
    (one,) = plan_of("window(256, 255)", 100).passes
    assert (len(one.rows), dict(one.kinds), one.pairs) == (100, {"window": 100}, 10_000)


def test_a_token_after_a_cache_needs_its_window_alone() -> None:
    plan = compile_pattern(parse_pattern("window(255, 0)"), 1, 4096, cores=512, loads=6)
    (one,) = plan.passes
    assert (one.rows.tolist(), one.residencies.key.tolist()) == ([4095], list(range(3840, 4096)))


def test_a_dilated_window_goes_by_residue_classes_as_a_plain_window() -> None:
    """Odd rows after even ones; each key comes once, to core j mod 3 where j counts keys in this order."""
    plan = plan_of("window(1, 1, 2)", 8)
    (one,) = plan.passes
    assert plan.order == "by residue modulo 2"
    assert one.rows.tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert one.residencies.key.tolist() == [0, 2, 4, 6, 1, 3, 5, 7]
    assert one.residencies.core.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_windows_of_an_image_go_one_after_the_other() -> None:
    plan = plan_of("window2d(4, 4, 2)", 16)
    (one,) = plan.passes
    assert plan.order == "tile by tile of window2d(4, 4, 2)"
    assert one.rows.tolist() == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert len(one.residencies) == 16  # each key once


def test_rows_without_keys_are_in_no_pass() -> None:
    plan = plan_of("cross_segment(4)", 16)
    (one,) = plan.passes
    assert (one.rows.tolist(), plan.rows_without_keys) == ([0, 4, 8, 12], 12)
    assert plan.dump().splitlines()[0].endswith("pairs 16, idle rows 12")
    assert compile_pattern(parse_pattern("full"), 0, 16, cores=4, loads=1).passes == ()


def test_parts_claim_pairs_in_order() -> None:
    parts = split_parts(parse_pattern("random_blocks(1, 2, seed=0) | window(2, 2) | global(1) | memory_slots(2)"), 16)
    assert [part.kind for part in parts] == ["global", "global", "window", "random", "global_rows"]
    causal = split_parts(parse_pattern("(block_local(4, 1) | global(2)) & causal"), 16)
    assert [(part.kind, str(part.pattern)) for part in causal] == [
        ("global", "global(2) & causal"),
        ("window", "block_local(4, 1) & causal"),
        ("global_rows", "global(2) & causal"),
    ]


def test_positions_become_few_ranges() -> None:
    assert stretches(np.array([0, 1, 2, 10, 11, 12])) == [range(3), range(10, 13)]
    assert stretches(np.array([0, 2, 4, 6, 1, 3, 5])) == [range(0, 7, 2), range(1, 6, 2)]
    assert stretches(np.array([7, 3])) == [range(7, 8), range(3, 4)]
    assert stretches(np.array([5])) == [range(5, 6)]
    assert stretches(np.zeros(0, dtype=np.int64)) == []


def test_equal_plans_are_made_once_and_cannot_be_written() -> None:
    plan = plan_of("window(3)", 16)
    assert plan_of("window(3)", 16) is plan
    with pytest.raises(ValueError, match="read-only"):
        plan.passes[0].rows[0] = 1


@pytest.mark.parametrize(
    ("text", "tokens", "options", "message"),
    [
        ("full", 8, {"cores": 0, "loads": 1}, "cores must be at least 1, got 0"),
        ("full", 8, {"cores": 1, "loads": 0}, "loads must be at least 1, got 0"),
        (
            "window(2) | strided_heads(4)",
            8,
            {"cores": 4, "loads": 1},
            "window(2, 0) | strided_heads(4): heads see different keys, and cores hold those of one; "
            "compile each by of_head",
        ),
    ],
)
def test_what_cores_cannot_hold(text: str, tokens: int, options: dict[str, int], message: str) -> None:
    with pytest.raises(MappingError) as error:
        compile_pattern(parse_pattern(text), tokens, tokens, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("global(64)", 32), ("segment(5)", 32), ("random_blocks(3, 16, seed=0)", 32), ("window(2)", -1)],
)
def test_a_pattern_that_does_not_fit_says_so_itself(text: str, tokens: int) -> None:
    with pytest.raises(PatternError) as error:
        plan_of(text, tokens)
    assert "\n" not in str(error.value)


def test_heads_that_differ_are_compiled_each() -> None:
    for head in range(4):
        plan = compile_pattern(StridedHeads(stride=4).of_head(head), 8, 16, cores=4, loads=1)
        assert sorted(plan.passes[0].residencies.key.tolist()) == [head, head + 4, head + 8, head + 12]


def test_columns_of_one_length() -> None:
    row = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match="differ in shape"):
        Residencies(key=row, core=row, first=row, last=row, loaded=row[:1])
    held = Residencies(key=row, core=row, first=row, last=row, loaded=row)
    flags = np.zeros(2, dtype=np.bool_)
    with pytest.raises(ValueError, match="2 rows, flags of 1 and 2"):
        CorePass(rows=row, residencies=held, carries_in=flags[:1], carries_out=flags, kinds={})
