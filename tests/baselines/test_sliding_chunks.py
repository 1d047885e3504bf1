"""Longformer's sliding chunks: what they compute in vain by brute force, and the kernels by hand."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.baselines import find_device
from hwsim.baselines.sliding_chunks import SlidingChunks, kernel_times, kernels, sliding_chunks
from hwsim.errors import MachineError
from tests.baselines.test_roofline import SIMPLE

TINY = SlidingChunks(tokens=8, overlap=2, heads=3, head_dim=5)


def computed_and_wanted(tokens: int, w: int, keys: int) -> tuple[int, set[tuple[int, int]]]:
    """Scores that the chunks compute, and the pairs among them that the window wants, pair by pair."""
    computed, wanted = 0, set()
    rows = -(-tokens // (2 * w)) * 2 * w
    for begin in range(0, rows - w, w):
        chunk = range(begin, begin + 2 * w)
        for query, key in product(chunk, chunk):
            computed += 1
            if max(query, key) < tokens and -w <= key - query < keys - w:
                wanted.add((query, key))
    return computed, wanted


@given(tokens=st.integers(1, 40), w=st.integers(1, 6), middle=st.integers(0, 1))
def test_what_is_computed_and_wanted_is_that_of_every_chunk_by_hand(tokens: int, w: int, middle: int) -> None:
    keys = 2 * w + middle
    computed, wanted = computed_and_wanted(tokens, w, keys)
    shape = SlidingChunks(tokens=tokens, overlap=w, heads=1, head_dim=1)
    window = {(i, j) for i in range(tokens) for j in range(tokens) if -w <= j - i < keys - w}
    assert wanted == window  # no pair of the window is in no chunk
    assert (shape.computed_scores, shape.attended_pairs(keys)) == (computed, len(wanted))
    assert shape.redundant_fraction(keys) == 1 - Fraction(len(wanted), computed)


@given(chunks=st.integers(1, 200), w=st.integers(1, 300))
def test_the_redundant_fraction_in_closed_form(chunks: int, w: int) -> None:
    chunks += 1 - chunks % 2  # rows are padded to a multiple of 2w, so chunks are odd
    shape = SlidingChunks(tokens=(chunks + 1) * w, overlap=w, heads=1, head_dim=1)
    assert shape.chunks == chunks
    published = Fraction(1, 2) - Fraction(1, 4 * chunks)
    assert shape.redundant_fraction(2 * w) == published
    assert shape.redundant_fraction() == published - Fraction(1, 4 * w)


def test_longformers_window_wastes_almost_half_of_its_scores() -> None:
    shape = SlidingChunks(tokens=4096, overlap=256, heads=12, head_dim=64)
    assert (shape.chunks, shape.computed_scores, shape.attended_pairs()) == (15, 3_932_160, 2_035_456)
    assert float(shape.redundant_fraction()) == pytest.approx(0.4824, abs=5e-5)
    assert shape.redundant_fraction(512) == Fraction(29, 60)


def test_a_sequence_shorter_than_a_chunk_is_one_chunk() -> None:
    shape = SlidingChunks(tokens=5, overlap=4, heads=1, head_dim=1)
    assert (shape.rows, shape.chunks, shape.computed_scores) == (8, 1, 64)


def test_the_kernels_of_a_tiny_layer_by_hand() -> None:
    made = {kernel.name: kernel for kernel in kernels(TINY, 2)}
    assert (TINY.rows, TINY.chunks) == (8, 3)
    assert made["QK"].macs == 3 * 3 * 4 * 4 * 5
    assert made["QK"].read_bytes == 2 * (2 * 3 * 3 * 4 * 5)
    assert made["QK"].written_bytes == 2 * (3 * 3 * 4 * 4)
    assert made["PV"].macs == 3 * 4 * 2 * 6 * 5
    assert made["PV"].read_bytes == 2 * (3 * 4 * 2 * 6 + 3 * 4 * 6 * 5)
    assert made["PV"].written_bytes == 2 * (3 * 8 * 5)
    assert made["softmax"].moved_bytes == 3 * 8 * 5 * (2 + 4)  # written in FP32
    assert made["zero scores"].read_bytes == 0
    assert sum(kernel.macs for kernel in made.values()) == 720 + 720


def test_the_copied_diagonals_fill_the_window() -> None:
    """Rows of 2w + 1 scores; the copies leave out those before the first and after the last token."""
    w, rows = TINY.overlap, TINY.rows
    copies = [kernel for kernel in kernels(TINY, 1) if kernel.name.startswith("copy")]
    copied = sum(kernel.written_bytes for kernel in copies)
    before_the_first = w * w - (w - 1) ** 2
    assert copied == TINY.heads * (rows * (2 * w + 1) - before_the_first)


def test_the_time_is_that_of_each_kernel_and_its_launch() -> None:
    made = sliding_chunks(TINY, SIMPLE, "bf16")
    times = kernel_times(TINY, SIMPLE, "bf16")
    assert len(times) == 26
    assert made.overhead_s == pytest.approx(26 * 5e-6)
    by_hand = [max(2 * kernel.macs, kernel.moved_bytes) * 1e-6 for kernel in kernels(TINY, 2)]
    assert made.busy_s == pytest.approx(sum(by_hand))
    assert [time.busy_s for time in times] == pytest.approx(by_hand)


def test_time_is_linear_in_tokens_but_for_launches_and_the_missing_chunk() -> None:
    device = find_device("mi210")
    busy = [
        sliding_chunks(SlidingChunks(tokens=tokens, overlap=256, heads=12, head_dim=64), device, "fp16").busy_s
        for tokens in (8192, 16384, 32768)
    ]
    assert busy[2] - busy[1] == pytest.approx(2 * (busy[1] - busy[0]))


@pytest.mark.parametrize("name", ["tokens", "overlap", "heads", "head_dim"])
def test_sizes_of_nothing_are_refused(name: str) -> None:
    sizes = {"tokens": 8, "overlap": 2, "heads": 1, "head_dim": 4, name: 0}
    with pytest.raises(MachineError, match=f"^sliding chunks: {name} must be at least 1, got 0$"):
        SlidingChunks(**sizes)


def test_another_window_is_refused() -> None:
    text = "^sliding chunks: a window of 6 keys; chunks of 4 hold 4 or 5$"
    with pytest.raises(MachineError, match=text):
        TINY.redundant_fraction(6)
