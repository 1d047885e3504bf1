"""Attention patterns on the machine swat: passes, cores by kind, dropped pairs, heads that differ, bytes that move."""

from __future__ import annotations

import pytest

from hwsim.report.schema import AttentionUse
from tests.machines.swat.swat_runs import attention, cycles, head, head_report, prepared

SYMMETRIC = "window(16, 16)"  # 33 keys
BIGBIRD = "block_local(16, 1, forward=1) | random_blocks(3, 16, seed=0) | global(16, last=16)"


def pairs(pattern: str, tokens: int) -> set[tuple[int, int]]:
    """Query and key, asked pair by pair."""
    found = head(pattern=pattern, tokens=tokens).model.attention_pattern
    return {(query, key) for query in range(tokens) for key in range(tokens) if found.sees(query, key, tokens)}


# --- windows


def test_a_symmetric_window_has_a_key_more_than_cores_and_takes_two_passes() -> None:
    """A 33rd core would hold the keys 32 and 65, for the rows 16 to 81: these 66 leave undivided and come again."""
    use = attention({"cores": 32}, pattern=SYMMETRIC, tokens=96)
    assert (use.passes, use.rows) == (2, 96 + 66)
    assert use.cycles == (162 + 2 * 5) * 201
    assert use.pairs == len(pairs(SYMMETRIC, 96)) == 2_896
    assert use.cores == {"window": 32}
    assert use.moved["k"] == 1  # the second pass loads only what the first one has not


def test_one_core_more_holds_it_in_one_pass() -> None:
    use = attention({"cores": 33}, pattern=SYMMETRIC, tokens=96)
    assert (use.passes, use.cycles, use.pairs) == (1, (96 + 5) * 201, 2_896)


def test_a_published_window_drops_the_last_key_of_each_row() -> None:
    use = attention({"cores": 32, "window": "published"}, pattern=SYMMETRIC, tokens=96)
    assert (use.passes, use.cycles) == (1, (96 + 5) * 201)
    exact, taken = pairs(SYMMETRIC, 96), pairs("window(16, 15)", 96)
    assert (use.dropped, use.added) == (len(exact - taken), len(taken - exact)) == (80, 0)
    assert use.pairs == 2_896 - 80


def test_a_published_window_slides_where_blocks_stand() -> None:
    """Three blocks of 16 around a row's own become the 48 keys from i - 24 on."""
    exact, taken = pairs("block_local(16, 1, forward=1)", 128), pairs("window(24, 23)", 128)
    use = attention({"window": "published"}, pattern="block_local(16, 1, forward=1)", tokens=128)
    assert use.pairs == len(taken)
    assert (use.dropped, use.added) == (len(exact - taken), len(taken - exact)) == (448, 384)


def test_an_exact_window_drops_nothing() -> None:
    for pattern in (SYMMETRIC, "window(255, 0)", BIGBIRD):
        use = attention({"cores": 64}, pattern=pattern, tokens=160)
        assert (use.dropped, use.added, use.pairs) == (0, 0, len(pairs(pattern, 160)))


@pytest.mark.parametrize(
    ("pattern", "cores"),
    [("window(31, 0)", 32), ("window(16, 16) & causal", 17), ("causal", 96), ("window(0, 31)", 32)],
)
def test_windows_on_one_side(pattern: str, cores: int) -> None:
    use = attention(pattern=pattern, tokens=96)
    assert (use.passes, use.cycles, sum(use.cores.values())) == (1, (96 + 5) * 201, cores)
    assert use.pairs == len(pairs(pattern, 96))


def test_a_dilated_window_goes_class_by_class_and_loads_each_key_once() -> None:
    use = attention(pattern="window(8, 8, 3)", tokens=100)
    assert (use.cores, use.cycles, use.moved["k"]) == ({"window": 17}, (100 + 5) * 201, 1)
    stages = prepared(head(pattern="window(8, 8, 3)", tokens=100))
    assert "by residue modulo 3 order" in stages.program.dump(next(iter(stages.workload.steps())))


# --- other patterns


def test_bigbird_in_small_has_cores_of_three_kinds() -> None:
    """32 global, 48 of the window and 48 of random blocks; the 32 global rows see all 512 keys, 128 at a time."""
    use = attention({"cores": 128}, pattern=BIGBIRD, tokens=512)
    assert use.cores == {"global": 32, "window": 48, "random": 48}
    assert (use.passes, use.rows) == (5, 480 + 4 * 32)
    assert use.cycles == (608 + 5 * 5) * 201
    assert use.pairs == len(pairs(BIGBIRD, 512)) == 77_312


def test_random_blocks_are_loaded_anew_for_each_block_of_rows() -> None:
    """A block keeps its keys where the next block of rows has drawn them too."""
    use = attention(pattern="random_blocks(3, 64, seed=0)", tokens=512)
    assert (use.cores, use.cycles) == ({"random": 192}, (512 + 5) * 201)
    assert use.moved["k"] == 704 / 512 == 11 * 64 / 512  # of 24 draws
    assert use.most_loads_a_row == 2


def test_one_loader_cannot_hide_small_random_blocks() -> None:
    """Three loads a row are what an interval has time for, and 12 keys leave in the same row."""
    fields = {"pattern": "random_blocks(3, 4, seed=0)", "tokens": 512}
    assert attention(**fields).cycles == (512 + 5) * 201  # type: ignore[arg-type]
    assert attention({"loaders": 1}, **fields).cycles > (512 + 5) * 201  # type: ignore[arg-type]


@pytest.mark.parametrize("tokens", [500, 1_000])
def test_random_blocks_need_not_divide_the_sequence(tokens: int) -> None:
    """The last block is short."""
    use = attention(pattern="random_blocks(3, 64, seed=0)", tokens=tokens)
    assert use.pairs == len(pairs("random_blocks(3, 64, seed=0)", tokens)) == 192 * tokens
    assert use.cycles == (tokens + 5) * 201


def test_slots_stay_where_they_are() -> None:
    use = attention(pattern="memory_slots(3) | window(4, 0)", tokens=64)
    assert (use.cores, use.cycles, use.loads) == ({"global": 3, "window": 5}, (64 + 5) * 201, 64)


def test_queries_that_see_nothing_are_no_rows() -> None:
    use = attention(pattern="after(500, causal)", tokens=512)
    assert (use.rows, use.cycles, use.pairs) == (12, (12 + 5) * 201, 12 * 13 // 2)
    assert use.moved == {"q": 12 / 512, "k": 12 / 512, "v": 12 / 512, "z": 12 / 512}


def test_heads_that_see_different_keys_are_reported_each() -> None:
    report = head_report(pattern="strided_heads(4)", tokens=64, heads=8, batch=2)
    uses = report.attention
    assert uses is not None
    assert [(use.pattern, use.heads) for use in uses] == [(f"strided(4, {first})", 4) for first in range(4)]
    assert report.cycles == 16 * (64 + 5) * 201
    assert cycles({"pipelines": 2}, pattern="strided_heads(4)", tokens=64, heads=8, batch=2) == 8 * (64 + 5) * 201


def test_heads_that_see_different_keys_are_dealt_as_others_are() -> None:
    """Four groups of one head each, and of three: two pipelines take half of them each."""
    for heads in (4, 12):
        found = cycles({"pipelines": 2}, pattern="strided_heads(4)", tokens=64, heads=heads)
        assert found == heads // 2 * (64 + 5) * 201


def test_the_first_head_with_other_keys_begins_as_an_operator_does() -> None:
    """Its first keys are loaded beside no row, and so they are named as what is not included, as those of the first."""
    (alike,) = head_report(pattern="strided(4)", tokens=64, heads=8).excluded
    (apart,) = head_report(pattern="strided_heads(4)", tokens=64, heads=8).excluded
    assert alike.note.startswith("514 cycles, ")  # 16 keys by two loaders: 8 x 64 + 2
    assert apart.note.startswith("2,056 cycles, ")


def test_two_sequences_are_twice_the_heads() -> None:
    one, two = (attention(heads=3, batch=batch, tokens=64) for batch in (1, 2))
    assert (one.heads, two.heads) == (3, 6)
    assert one.cycles == two.cycles == (64 + 5) * 201  # of a head


@pytest.mark.parametrize("queries", [1, 64, 400])
def test_queries_of_another_sequence(queries: int) -> None:
    use = attention(pattern="full", source=300, tokens=queries)
    assert (use.queries, use.keys, use.pairs) == (queries, 300, queries * 300)
    assert (use.cores, use.cycles) == ({"full": 300}, (queries + 5) * 201)
    assert use.moved == {"q": 1, "k": 1, "v": 1, "z": 1}


def test_more_keys_of_another_sequence_than_cores_take_passes() -> None:
    use = attention({"cores": 128}, pattern="full", source=300, tokens=200)
    assert (use.passes, use.rows, use.cores) == (3, 600, {"full": 128})
    assert use.cycles == pytest.approx((600 + 3 * 5) * 201, rel=1e-3)


# --- bytes


def test_each_element_moves_once_for_a_window() -> None:
    for pattern in ("window(256, 255)", "window(255, 0)", "window(10, 10)", "causal"):
        for fields in ({"tokens": 512}, {"tokens": 100}, {"tokens": 300, "heads": 3, "batch": 2}):
            assert attention(pattern=pattern, **fields).moved == {"q": 1, "k": 1, "v": 1, "z": 1}  # type: ignore[arg-type]


def moved(use: AttentionUse, name: str, rows: int, heads: int = 1) -> float:
    """Bytes of FP16 from how often each element moved."""
    return use.moved[name] * rows * use.head_dim * 2 * heads


def test_bytes_are_those_of_rows_that_pass_and_of_keys_that_are_loaded() -> None:
    report = head_report({"cores": 128}, pattern=BIGBIRD, tokens=512, heads=3)
    assert report.attention is not None
    (use,) = report.attention
    link = {each.link: each.size_bytes for each in report.offchip}
    assert link == {
        "q": 3 * use.rows * 128,
        "k": 3 * use.loads * 128,
        "v": 3 * use.loads * 128,
        "z": 3 * 512 * 128,
        "carry": 3 * 2 * (608 - 512) * 288,  # 65 numbers of FP32 are 260 B, nine accesses of 32 B; written and read
    }
    assert all(size == moved(use, name, 512, heads=3) for name, size in link.items())
    assert report.offchip_bytes == sum(link.values())


def test_what_crosses_the_border_is_what_the_memory_gives_and_takes() -> None:
    for settings in (
        {},
        {"cores": 128},
        {"mode": "elastic", "cores": 200},
        {"format": "fp32"},
        {"prologue": "counted"},
    ):
        report = head_report(settings, heads=2)
        assert report.dram is not None
        assert report.dram.io_bytes == report.offchip_bytes
        (memory,) = report.memories
        assert memory.bytes_read + memory.bytes_written == report.offchip_bytes


def test_a_running_maximum_adds_a_number_to_partial_rows() -> None:
    for softmax, size in (("plain", 65 * 4), ("safe", 66 * 4)):
        report = head_report({"softmax": softmax, "cores": 32}, pattern=SYMMETRIC, tokens=96)
        carry = next(each.size_bytes for each in report.offchip if each.link == "carry")
        assert carry == 2 * 66 * (-(-size // 32) * 32)
