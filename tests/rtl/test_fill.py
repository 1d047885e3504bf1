"""The fill unit: what it gives, how long it takes, its messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.rtl.contract import ContractError
from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.fill.golden import run

PUBLISHED, RTL = FillContract.from_preset("published"), FillContract.from_preset("rtl")


def test_each_command_gives_its_beats() -> None:
    c = FillContract.from_preset("rtl", lanes=3)
    y = run(c, {"command": {"beats": np.array([2, 0, 1]), "value": np.array([0, 5, -7])}})["y"]["values"]
    assert y.tolist() == [[0, 0, 0], [0, 0, 0], [-7, -7, -7]]


def test_zeros_for_129_tokens_take_a_cycle_a_beat() -> None:
    """A cycle for the command, 24 beats a token, and the depth."""
    assert [c.cycles([129 * 24]) for c in (PUBLISHED, RTL)] == [1 + 3096 + 4, 1 + 3096]
    assert [RTL.cycles(beats) for beats in ([], [0], [0, 3], [3, 0], [3, 2])] == [0, 0, 5, 4, 7]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lanes": 65}, "fill: lanes must be 1 to 64, got 65"),
        ({"number_bits": 54}, "fill: number_bits must be 1 to 53, got 54"),
        ({"max_beats": 0}, "fill: max_beats must be 1 to 16777215, got 0"),
    ],
)
def test_a_wrong_parameter_is_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        FillContract.from_preset("rtl", **parameters)
    assert str(caught.value) == message


def test_a_command_of_too_many_beats_is_one_line() -> None:
    with pytest.raises(ContractError) as caught:
        RTL.cycles([4096])
    assert str(caught.value) == "fill: a command's beats must be 0 to 4095, got 4096"
