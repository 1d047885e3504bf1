"""The cases that prove the blocks are complete: sets vary every parameter up to all ends, data fit any parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.block import Block
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.flows.export.vectors import vectors
from hwsim.rtl.flows.generate import emit_rtlil
from hwsim.rtl.random_codes import clip_codes, codes_near, steps
from tests.rtl.ranges import integer_parameters, stated_range
from tests.rtl.simulation import SEED, build, run_bench


@pytest.mark.parametrize("name", BLOCKS)
def test_sets_are_five_at_least_and_vary_every_parameter(name: str) -> None:
    sets = BLOCKS[name].sets()
    assert len(sets) >= 5
    assert [p for p in BLOCKS[name].parameter_names() if len({getattr(c, p) for c in sets}) == 1] == []


@pytest.mark.parametrize("name", BLOCKS)
def test_both_ends_of_every_range_are_proven_or_left_out_for_a_reason(name: str) -> None:
    block = BLOCKS[name]
    missing = set()
    for parameter in integer_parameters(block):
        ranges = [(getattr(c, parameter), *stated_range(c, parameter)) for c in block.sets() + block.extremes()]
        missing |= {(parameter, low) for _, low, _ in ranges[:1] if not any(value == low for value, low, _ in ranges)}
        missing |= {(parameter, high) for *_, high in ranges[:1] if not any(value == high for value, _, high in ranges)}
    assert missing == set(getattr(block.cases, "LEFT_OUT", {}))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_has_jobs_to_hold_it_back_with_exactly_where_its_contract_states_a_backlog(name: str) -> None:
    block = BLOCKS[name]
    assert hasattr(block.cases, "held_jobs") == (block.contract.backlog is not Contract.backlog)


@pytest.mark.parametrize(
    ("name", "index", "changes"),
    [
        ("mv", 6, {"activation": Fixed(width=31, integer=33)}),
        ("mv", 6, {"activation": Fixed(width=1, integer=1)}),
        ("layernorm", 0, {"activation": Fixed(width=1, integer=4)}),
        ("qk_reorder", 1, {"activation": Fixed(width=1, integer=2)}),
        ("topk_gate", 1, {"activation": Fixed(width=1, integer=0)}),
        ("topk_gate", 1, {"activation": Fixed(width=1, integer=5), "lanes": 4}),
        ("topk_gate", 1, {"weight": Fixed(width=9, integer=-80)}),
    ],
)
def test_data_fit_formats_that_do_not_hold_1(name: str, index: int, changes: dict[str, Any]) -> None:
    """Corners and random data used the codes of 1, 4 or 9, which such formats do not have."""
    block = BLOCKS[name]
    contract = block.contract.from_preset("rtl", **{**block.cases.SETS[index], **changes})
    assert vectors(block, contract, SEED)["jobs.json"]


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", BLOCKS)
def test_any_contract_that_is_accepted_has_data(name: str, count: int) -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        contract = _random_contract(BLOCKS[name], rng)
        try:
            vectors(BLOCKS[name], contract, SEED)
        except Exception as error:
            pytest.fail(f"seed {SEED}, {contract}: {error!r}")


@pytest.mark.parametrize("count", [4, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", BLOCKS)
def test_any_contract_that_is_accepted_has_a_component(name: str, count: int) -> None:
    """Scores in steps far above 1 were accepted, but an exponential unit without bits could not be made."""
    rng = np.random.default_rng(SEED)
    for _ in range(count):
        contract = _random_contract(BLOCKS[name], rng)
        try:
            assert emit_rtlil(BLOCKS[name].component(contract), name)
        except Exception as error:
            pytest.fail(f"seed {SEED}, {contract}: {error!r}")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("name", BLOCKS)
def test_any_contract_that_is_accepted_is_proven(name: str, number: int) -> None:
    contract = _random_contract(BLOCKS[name], np.random.default_rng([SEED, number]))
    assert run_bench(build(contract), contract, "bench") == "", contract


def _random_contract(block: Block[Any], rng: np.random.Generator) -> Contract:
    """One of the small sets with up to three parameters drawn again, such that the block accepts it."""
    while True:
        own = block.cases.SETS[int(rng.integers(2))]
        base = block.contract.from_preset("rtl", **own)
        names = rng.choice(block.parameter_names(), size=rng.integers(1, 4))
        drawn = {str(name): _drawn(rng, getattr(base, name), base.choices.get(str(name), ())) for name in names}
        try:
            return block.contract.from_preset("rtl", **{**own, **drawn})
        except ContractError:
            continue


def _drawn(rng: np.random.Generator, current: Fixed | int | str, words: tuple[str, ...]) -> Fixed | int | str:
    """A small number, one of the words, or a format of any width and point, sometimes also of another kind."""
    if isinstance(current, str):
        return str(rng.choice(words))
    if isinstance(current, bool):
        return bool(rng.integers(2))
    if not isinstance(current, Fixed):
        return int(rng.choice([0, 1, 2, 3, 4, 5, current // 2, current - 1, current + 1]))
    width = int(rng.choice([1, 2, 3, 8, 31, 32, 53, current.width, max(current.width - 1, 1)]))
    return Fixed(
        width=width,
        integer=int(rng.choice([-60, -3, 0, 1, 2, width - 1, width, width + 2, 100, current.integer])),
        signed=bool(rng.integers(2)) if rng.random() < 0.3 else current.signed,
        rounding=rng.choice(["floor", "nearest_even"]) if rng.random() < 0.3 else current.rounding,
        overflow=rng.choice(["wrap", "saturate"]) if rng.random() < 0.3 else current.overflow,
    )


def test_codes_near_a_value_stay_within_the_format() -> None:
    rng = np.random.default_rng(SEED)
    fine, coarse, tiny = Fixed(width=8, integer=2), Fixed(width=4, integer=6), Fixed(width=1, integer=1)
    assert set(codes_near(rng, fine, 3, below=0.03125, above=0, shape=(200,))) == {1, 2, 3}
    assert set(codes_near(rng, fine, 126, below=0, above=9, shape=(900,))) == {126, 127}
    assert set(codes_near(rng, coarse, 0, below=1, above=1, shape=(200,))) == {-1, 0, 1}  # 1 is a quarter of a step
    assert set(codes_near(rng, tiny, 0, below=9, above=9, shape=(200,))) == {-1, 0}
    assert (steps(fine, 1), steps(fine, 0), steps(coarse, 1), steps(Fixed(width=9, integer=-80), 1)) == (64, 0, 1, 511)
    assert clip_codes(coarse, [-99, -8, 7, 8]).tolist() == [-8, -8, 7, 7]
