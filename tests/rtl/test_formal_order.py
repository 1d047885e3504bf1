"""Order without loss or repetition, proven for all inputs and all times: words, experts' tokens, queries."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth import Const, Module, Signal, Value
from amaranth.lib import data

from hwsim.rtl.stream_blocks.expert_queues import ExpertQueues
from hwsim.rtl.stream_blocks.gather import gather
from hwsim.rtl.stream_blocks.skew import SkewWalk
from tests.rtl.formal import prove
from tests.rtl.properties.expert_queues import ExpertQueuesProperties
from tests.rtl.properties.gather import GatherProperties
from tests.rtl.properties.skew import SkewProperties

FAILED = "DONE (FAIL"


@pytest.mark.parametrize("beats", [1, 2, 3])
def test_beats_become_words_in_order(beats: int) -> None:
    assert prove(GatherProperties(gather, beats), f"gather_{beats}") == ""


def gather_all(m: Module, name: str, beat: Value, beats: int, valid: Value) -> tuple[Value, Value]:
    """Treats each cycle as a beat."""
    return gather(m, name, beat, beats, Const(1))


def test_a_word_of_beats_that_never_came_is_found() -> None:
    assert FAILED in prove(GatherProperties(gather_all, 2), "gather_all")


def queues(cls: type[ExpertQueues], experts: int, max_tokens: int) -> ExpertQueues:
    meta = {"expert": max(1, (experts - 1).bit_length()), "length": max_tokens.bit_length(), "last": 1}
    return cls(experts, max_tokens, data.StructLayout(meta), data.StructLayout({"token": 1, "last": 1}))


class HastyQueues(ExpertQueues):
    """Drained once all experts were named, although their tokens may not have been read."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.drained.eq(self.drain & ~self.meta.valid)
        return m


class NarrowQueues(ExpertQueues):
    """Confuses an expert that all tokens chose with one that none chose, and hangs as the published source does."""

    def _read(self, m: Module, lengths: list[Signal], full: Signal) -> None:
        super()._read(m, [length[:-1] for length in lengths], full)


class EndlessQueues(ExpertQueues):
    """Marks no expert as the last."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.meta.payload.last.eq(0)
        return m


@pytest.mark.parametrize(("experts", "max_tokens"), [(2, 1), (2, 2), (3, 2), (2, 3)])
def test_all_tokens_of_all_experts_are_read_once_in_order(experts: int, max_tokens: int) -> None:
    block = queues(ExpertQueues, experts, max_tokens)
    assert prove(ExpertQueuesProperties(block), f"expert_queues_{experts}_{max_tokens}") == ""


@pytest.mark.parametrize("wrong", [HastyQueues, NarrowQueues, EndlessQueues])
def test_queues_that_lose_tokens_or_the_end_are_found(wrong: type[ExpertQueues]) -> None:
    assert FAILED in prove(ExpertQueuesProperties(queues(wrong, 2, 2)), wrong.__name__)


class UnskewedWalk(SkewWalk):
    """Refills all slots in every row."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.refill.eq(self.mask)
        return m


class CrowdedWalk(SkewWalk):
    """Masks no slot: a slot without a query counts as having one."""

    def elaborate(self, platform: Any) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.mask.eq(-1)
        return m


@pytest.mark.parametrize(("slots", "max_tokens"), [(1, 2), (2, 3), (2, 5), (3, 4), (4, 7)])
def test_a_row_refills_one_slot_and_each_query_sees_each_key_once(slots: int, max_tokens: int) -> None:
    assert prove(SkewProperties(SkewWalk(slots, max_tokens)), f"skew_{slots}_{max_tokens}") == ""


@pytest.mark.parametrize("wrong", [UnskewedWalk, CrowdedWalk])
def test_a_walk_that_refills_or_holds_too_much_is_found(wrong: type[SkewWalk]) -> None:
    assert FAILED in prove(SkewProperties(wrong(2, 3)), wrong.__name__)
