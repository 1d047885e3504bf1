"""The base of all contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.sram.contract import SramContract
from tests.rtl.ranges import integer_parameters, stated_range


@dataclass(frozen=True, kw_only=True)
class Shifter(Contract):
    block: ClassVar[str] = "shifter"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"stages": 3, "memory_stages": {"stages": 2}, "source": "a paper"},
        "rtl": {"stages": 4, "source": "rtl/shifter"},
    }
    stages: int = 1

    def __post_init__(self) -> None:
        self.require_range("stages", 1, 8)

    def cycles(self, work: int) -> int:
        return work + self.stages

    def resources(self) -> Resources:
        return Resources(ff=self.stages)


def test_presets_are_sets_of_the_same_parameters() -> None:
    published, rtl = Shifter.from_preset("published"), Shifter.from_preset("rtl")
    assert (published.cycles(10), rtl.cycles(10)) == (13, 14)
    assert (published.proven, rtl.proven) == (False, True)
    assert Shifter.from_preset("rtl", stages=8).parameters() == {"stages": 8}


def test_a_machine_with_a_memory_charges_a_depth_without_it() -> None:
    published, rtl = Shifter.from_preset("published"), Shifter.from_preset("rtl")
    assert published.memory_stages == {"stages": 2}
    assert (published.beside_memory().cycles(10), rtl.beside_memory().cycles(10)) == (11, 14)
    assert published.beside_memory().beside_memory() == published.beside_memory()
    assert "memory_stages" not in published.parameters()


def test_a_depth_that_a_user_sets_has_no_memory_in_it() -> None:
    assert Shifter.from_preset("published", stages=5).beside_memory().cycles(10) == 15
    assert Shifter.from_preset("published", stages=3).beside_memory().cycles(10) == 11


@pytest.mark.parametrize("stages", [4, -1])
def test_a_depth_holds_the_memory_that_is_said_to_be_in_it(stages: int) -> None:
    with pytest.raises(ContractError) as caught:
        Shifter(stages=3, memory_stages={"stages": stages}).beside_memory()
    assert str(caught.value) == f"shifter: stages must hold its {stages} stages of memory latency, got 3"


@pytest.mark.parametrize("name", BLOCKS)
def test_our_rtl_assumes_no_memory(name: str) -> None:
    kind = BLOCKS[name].contract
    assert kind.from_preset("rtl").memory_stages == {}
    assert kind.from_preset("published").beside_memory().memory_stages == {}


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("silicon", {}, "shifter: no preset 'silicon'; there are published, rtl"),
        ("rtl", {"stage": 1}, "shifter: no parameter 'stage'; there are memory_stages, preset, source, stages"),
        ("rtl", {"stages": 9}, "shifter: stages must be 1 to 8, got 9"),
        ("rtl", {"stages": 2.5}, "shifter: stages must be an integer, got 2.5"),
    ],
)
def test_a_wrong_parameter_is_one_line(preset: str, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        Shifter.from_preset(preset, **overrides)
    assert str(caught.value) == message


def test_a_block_without_rtl_cannot_be_proven() -> None:
    assert list(SramContract.presets) == ["published"]
    assert not SramContract(preset="rtl").proven


def test_resources_add_and_multiply() -> None:
    pair = Resources(lut=2, dsp=1) + Resources(lut=3) * 2
    assert (pair.lut, pair.dsp) == (8, 1)


def test_an_sram_moves_its_width_each_cycle() -> None:
    sram = SramContract.from_preset("published", width_bytes=64)
    assert [sram.cycles(n) for n in (0, 1, 64, 65)] == [0, 1, 1, 2]
    assert sram.resources().sram_bytes == 131072


def test_parameters_come_back_from_their_text() -> None:
    made = MacTileContract.from_preset("rtl", in_lanes=3, weight=Fixed(width=9, integer=2))
    text = {name: str(value) for name, value in made.parameters().items()}
    assert MacTileContract.from_text("rtl", text) == made
    assert text["weight"] == "fixed(9,2)"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"in_lanes": "many"}, "mac_tile: in_lanes must be an integer, got 'many'"),
        ({"in_lanes": "65"}, "mac_tile: in_lanes must be 1 to 64, got 65"),
        ({"weight": "fixed(40,2)"}, "mac_tile: a product may have 64 bits, 72 asked for"),
        ({"weight": "bf16"}, "mac_tile: weight must be a fixed-point format, got bf16"),
        (
            {"weight": "fixed"},
            "mac_tile: weight: no number format 'fixed'; understood are bf16, fp16, fp32, fp8_e4m3, fp8_e5m2, "
            "fp6_e2m3, fp6_e3m2, fp4_e2m1, e8m0, int8, uint4, fixed(32,10), pow2(5,-20)",
        ),
    ],
)
def test_a_wrong_text_is_one_line(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        MacTileContract.from_text("rtl", settings)
    assert str(caught.value) == message


@dataclass(frozen=True, kw_only=True)
class TwoShifters(Contract):
    """A block with a part whose parameter has another name in the block."""

    block: ClassVar[str] = "two_shifters"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"rtl": {}}
    depth: int = 1
    bits: int = 8

    def __post_init__(self) -> None:
        with part_of(self.block, stages="depth"):
            _ = Shifter(stages=self.depth)
        with part_of(self.block):
            _ = Fixed(width=self.bits - 1, integer=1)

    def cycles(self, work: int) -> int:
        return work

    def resources(self) -> Resources:
        return Resources()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 9}, "two_shifters: depth must be 1 to 8, got 9"),
        ({"bits": 1}, "two_shifters: width 0 is outside 1..53 bits in a format that follows from its own"),
    ],
)
def test_what_a_part_refuses_is_said_in_the_names_of_the_whole(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        TwoShifters.from_preset("rtl", **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", BLOCKS)
def test_each_whole_number_is_refused_under_the_name_that_a_user_set(name: str) -> None:
    """Parts named themselves: layernorm's root_degree=5 said `rsqrt: degree must be 1 to 4`."""
    preset = BLOCKS[name].contract.from_preset("rtl")
    for parameter in integer_parameters(BLOCKS[name]):
        low, high = stated_range(preset, parameter)
        assert low <= getattr(preset, parameter) <= high


def test_the_two_presets_of_the_tile_differ_in_depth() -> None:
    """Edge-MoE's log: a loop of depth 16, which is 15 edges after the last beat."""
    published, rtl = MacTileContract.from_preset("published"), MacTileContract.from_preset("rtl")
    assert [c.cycles(n) for c in (published, rtl) for n in (0, 1, 100)] == [0, 16, 115, 0, 7, 106]
