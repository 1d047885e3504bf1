"""The base of all contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from rtl.contract import Contract, ContractError, Resources
from rtl.sram.contract import SramContract


@dataclass(frozen=True, kw_only=True)
class Shifter(Contract):
    block: ClassVar[str] = "shifter"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"stages": 3, "source": "a paper"},
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


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("silicon", {}, "shifter: no preset 'silicon'; there are published, rtl"),
        ("rtl", {"stage": 1}, "shifter: no parameter 'stage'; there are preset, source, stages"),
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
