"""The norm loader: rows as layer norm takes them, the time of a layer's two norms, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.rtl.contract import ContractError
from hwsim.rtl.layernorm.contract import LayerNormContract
from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.norm_loader.golden import run

PUBLISHED, RTL = NormLoaderContract.from_preset("published"), NormLoaderContract.from_preset("rtl")


def test_weights_wait_for_their_biases() -> None:
    """Two norms of four features, four numbers a beat, rows of two."""
    c = NormLoaderContract.from_preset("rtl", features=4, beat_numbers=4, lanes=2)
    memory = np.array([[1, 2, 3, 4], [-1, -2, -3, -4], [5, 6, 7, 8], [-5, -6, -7, -8]])
    norm = run(c, {"command": {"norms": np.array([2])}, "memory": {"numbers": memory}})["norm"]
    assert norm["weight"].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert norm["bias"].tolist() == [[-1, -2], [-3, -4], [-5, -6], [-7, -8]]


def test_rows_have_the_width_of_layer_norm() -> None:
    theirs = next(port for port in LayerNormContract.from_preset("rtl").ports if port.name == "norm")
    for c in (PUBLISHED, RTL):
        ours = next(port for port in c.ports if port.name == "norm")
        assert [(f.name, f.lanes, f.width_bits) for f in ours.fields] == [
            (f.name, f.lanes, f.width_bits) for f in theirs.fields
        ]
        assert c.features // c.lanes == LayerNormContract.from_preset("rtl").beats


def test_a_layers_norms_take_390_cycles_of_which_most_are_memory() -> None:
    """Four loops of 24 beats; without the latency of 64 before each, 134 cycles remain."""
    assert PUBLISHED.cycles([2]) == 390
    assert PUBLISHED.beside_memory().cycles([2]) == 390 - 4 * 64
    assert 390 == 1 + 4 * (73 + 24) + 1


def test_ours_takes_full_beats_and_never_pauses() -> None:
    """12 beats of 16 weights, then a row of 8 a cycle."""
    assert [RTL.cycles([n]) for n in (0, 1, 2)] == [0, 1 + 12 + 24 + 1, 1 + 2 * (12 + 24) - 1 + 1]
    assert RTL.cycles([1, 1]) == RTL.cycles([2]) + 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pause": 257}, "norm_loader: pause must be 0 to 256, got 257"),
        ({"lanes": 5}, "norm_loader: beats of 16 numbers do not fill rows of 5"),
        ({"features": 200}, "norm_loader: 200 features do not fill beats of 16"),
    ],
)
def test_a_wrong_parameter_is_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        NormLoaderContract.from_preset("rtl", **parameters)
    assert str(caught.value) == message


def test_a_command_of_too_many_norms_is_one_line() -> None:
    with pytest.raises(ContractError) as caught:
        RTL.cycles([3])
    assert str(caught.value) == "norm_loader: a command's norms must be 0 to 2, got 3"
