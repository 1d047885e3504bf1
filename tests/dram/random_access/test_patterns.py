"""Patterns: which addresses they ask for, and that equal seeds ask for equal ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.patterns import FORMS, Pattern, generate, parse_pattern
from hwsim.dram.random_access.requests import NO_ARRIVAL, Requests
from hwsim.dram.standards.load import load_standard
from hwsim.errors import DramError

MEMORY = load_mapping(None, load_standard("ddr4_2133"), 1)
CAPACITY = 8 << 30
ROW_BYTES = 8192


def asked(pattern: str, requests: int, *, read_share: float | None = None, seed: int | None = None) -> Requests:
    chunks = list(generate(pattern, MEMORY, requests, read_share=read_share, seed=seed))
    return Requests(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def test_a_stream_goes_access_by_access() -> None:
    assert asked("stream", 4).addresses.tolist() == [0, 64, 128, 192]
    assert asked("stream", 200_000).addresses[-1] == 199_999 * 64


def test_seeded_draws_are_those_of_earlier_versions() -> None:
    random = asked("random", 70_000, read_share=0.67, seed=3)
    assert random.addresses[:3].tolist() == [8402920448, 2175427328, 4975501120]
    assert (random.addresses[-1], np.flatnonzero(random.writes)[:5].tolist()) == (1429492928, [2, 8, 14, 15, 18])
    assert asked("stream", 70_000, read_share=0.67, seed=3).writes.tolist() == random.writes.tolist()


def test_a_stride_starts_again_after_the_end_of_the_memory() -> None:
    assert asked("stride:4160", 3).addresses.tolist() == [0, 4160, 8320]
    stride = (128 << 10) + 64
    far = asked(f"stride:{stride}", 150_000).addresses
    assert far.tolist() == [k * stride % CAPACITY for k in range(150_000)]
    most = asked(f"stride:{CAPACITY - 64}", 70_000).addresses  # an access backwards each time
    assert most.tolist() == [-64 * k % CAPACITY for k in range(70_000)]


def test_a_copy_reads_one_half_and_writes_the_other() -> None:
    copy = asked("copy", 6)
    assert copy.writes.tolist() == [False, True] * 3
    assert copy.addresses.tolist() == [0, CAPACITY // 2, 64, CAPACITY // 2 + 64, 128, CAPACITY // 2 + 128]
    long = asked("copy", 100_001)
    assert (long.writes[-1], long.addresses[-1]) == (False, 50_000 * 64)


@pytest.mark.parametrize("mean", [1, 4, 32])
def test_a_visit_has_so_many_accesses_on_average_and_they_stay_in_a_row_sized_neighbourhood(mean: int) -> None:
    local = asked(f"local:{mean}", 200_000, read_share=0.67, seed=5)
    neighbourhoods = local.addresses // ROW_BYTES
    visits = 1 + np.count_nonzero(np.diff(neighbourhoods))
    # geometric: the number of visits is binomial, so it lies within 5 of its standard deviations
    expected = 200_000 / mean
    assert abs(visits - expected) <= 5 * np.sqrt(expected) + 1
    lengths = np.diff(np.flatnonzero(np.diff(neighbourhoods)))
    if mean == 4:
        assert np.mean(lengths == 1) == pytest.approx(1 / 4, abs=0.01)
        assert np.mean(lengths == 3) == pytest.approx((3 / 4) ** 2 / 4, abs=0.01)
    within = local.addresses % ROW_BYTES // 64
    assert np.bincount(within, minlength=128).min() > 0.85 * 200_000 / 128
    drawn = CAPACITY // ROW_BYTES
    assert len(set(neighbourhoods.tolist())) == pytest.approx(drawn * -np.expm1(-visits / drawn), rel=0.01)


@given(
    pattern=st.sampled_from(["stream", "random", "stride:4160", "copy", "local", "local:3"]),
    requests=st.integers(1, 200),
    seed=st.integers(0, 3),
)
def test_equal_seeds_ask_for_equal_accesses_within_the_memory(pattern: str, requests: int, seed: int) -> None:
    options = {} if pattern == "copy" else {"read_share": 0.5, "seed": seed}
    first, second = asked(pattern, requests, **options), asked(pattern, requests, **options)  # type: ignore[arg-type]
    assert [part.tolist() for part in first] == [part.tolist() for part in second]
    assert first.size == requests
    assert 0 <= first.addresses.min() <= first.addresses.max() < CAPACITY
    assert set(first.arrivals.tolist()) == {NO_ARRIVAL}


def test_a_text_names_a_pattern_and_its_number() -> None:
    assert parse_pattern("local") == Pattern(name="local", number=8)
    assert parse_pattern("stride:4160") == Pattern(name="stride", number=4160)
    assert parse_pattern("some/file.trace") is None
    with pytest.raises(DramError, match=f"no request pattern 'strem'; there are {FORMS}"):
        list(generate("strem", MEMORY, 1))
