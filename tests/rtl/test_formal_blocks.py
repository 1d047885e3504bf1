"""Blocks that write to memories without a full flag, proven never to overflow them, for all inputs and all times."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth import Module

from hwsim.mapping.formats import Fixed
from hwsim.rtl.layernorm.component import LayerNorm
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.linear.loader import GroupLoader
from hwsim.rtl.weight_loader.component import WeightLoader
from hwsim.rtl.weight_loader.contract import WeightLoaderContract
from tests.rtl.formal import prove, prove_by_induction, search
from tests.rtl.properties.double_buffer import GroupLoaderProperties
from tests.rtl.properties.layernorm import QueueProperties
from tests.rtl.properties.weight_loader import BankProperties

FAILED = "DONE (FAIL"
NUMBER = Fixed(width=2, integer=2)


def layer_norm(beats: int) -> LayerNorm:
    """One lane, the fewest stages and numbers of 4 bits: values do not affect how many beats wait."""
    number = Fixed(width=4, integer=2)
    return LayerNorm(
        LayerNormContract(
            features=beats,
            lanes=1,
            divisor_fraction=4,
            product_stages=1,
            root_segments_log2=1,
            root_degree=1,
            root_guard_bits=2,
            activation=number,
            weight=number,
            bias=number,
            accumulator=number,
            root=Fixed(width=4, integer=2, signed=False, overflow="saturate"),
        )
    )


@pytest.mark.parametrize("beats", [1, 2, 4])
def test_layer_norms_queue_without_a_full_flag_never_overflows(beats: int) -> None:
    block = layer_norm(beats)
    spare = 2  # beats of capacity beyond those needed
    flow, level = (QueueProperties(block, block.contract.queue_beats - spare, step) for step in ("flow", "level"))
    assert prove(flow, f"layer_norm_flow_{beats}") == ""
    assert prove_by_induction(level, f"layer_norm_level_{beats}") == ""


@pytest.mark.parametrize("beats", [1, 2, 4])
def test_three_beats_fewer_than_the_contract_grants_overflow_layer_norms_queue(beats: int) -> None:
    block = layer_norm(beats)
    overflow = QueueProperties(block, block.contract.queue_beats - 3, "overflow")
    assert FAILED in search(overflow, f"layer_norm_overflow_{beats}", cycles=50)


def test_layer_norms_queue_cannot_be_proven_too_short() -> None:
    block = layer_norm(2)
    level = QueueProperties(block, block.contract.queue_beats - 3, "level")
    assert "UNDECIDED" in prove_by_induction(level, "layer_norm_too_short")


def small_loader(cls: type[WeightLoader], out_lanes: int, words: int, stages: int) -> WeightLoader:
    return cls(
        WeightLoaderContract(
            in_lanes=1,
            out_lanes=out_lanes,
            beat_numbers=1,
            number_bits=2,
            weight_words=words,
            bias_words=words,
            bias_integer=1,
            attention_bias_integer=2,
            bias=NUMBER,
            load_stages=stages,
        )
    )


class HastyLoader(WeightLoader):
    """Takes a command as soon as it has all beats of the last one, although no bank may be free."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.command.ready.eq(~self.memory.ready)
        return m


@pytest.mark.parametrize(("out_lanes", "words", "stages"), [(1, 1, 0), (2, 2, 0), (1, 3, 1), (2, 2, 2)])
def test_a_weight_loader_that_does_not_wait_for_its_banks_need_not(out_lanes: int, words: int, stages: int) -> None:
    block = small_loader(WeightLoader, out_lanes, words, stages)
    assert prove(BankProperties(block), f"weight_loader_{out_lanes}_{words}_{stages}") == ""


def test_a_weight_loader_that_takes_a_command_too_soon_is_found() -> None:
    assert FAILED in prove(BankProperties(small_loader(HastyLoader, 1, 1, 0)), "hasty_loader")


class EagerGroupLoader(GroupLoader):
    """Ready although both banks are loaded: a word is lost."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.load.ready.eq(1)
        return m


class HastyGroupLoader(GroupLoader):
    """Treats each row as a word."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.banks.load.valid.eq(self.load.valid)
        return m


@pytest.mark.parametrize(("rows", "depth"), [(1, 2), (2, 1), (2, 2), (3, 2), (2, 3)])
def test_rows_become_the_words_of_a_bank_that_is_not_read(rows: int, depth: int) -> None:
    assert prove(GroupLoaderProperties(GroupLoader(1, rows, depth)), f"group_loader_{rows}_{depth}") == ""


@pytest.mark.parametrize("loader", [EagerGroupLoader, HastyGroupLoader])
def test_a_group_loader_that_loses_or_invents_words_is_found(loader: type[GroupLoader]) -> None:
    assert FAILED in prove(GroupLoaderProperties(loader(1, 2, 2)), loader.__name__)
