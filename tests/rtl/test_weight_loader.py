"""The weight loader's golden model, the overlap of loading and reading, its messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hwsim.rtl.contract import ContractError
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract
from hwsim.rtl.weight_loader.golden import run, unpack

SMALL = WeightLoaderContract.from_preset("rtl", in_lanes=2, out_lanes=2, beat_numbers=2, weight_words=4, bias_words=2)


def test_a_group_comes_out_as_it_lay_in_memory() -> None:
    """Two tiles of 2 x 2 weights in four beats, then a bias of 2^-11 and one of -1, read backwards."""
    memory = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [1, -2048]])
    words = run(
        SMALL,
        {
            "command": {"in_tiles": np.array([2]), "out_tiles": np.array([1]), "attention": np.array([0])},
            "memory": {"numbers": memory},
            "read": {"word": np.array([1, 0]), "tile": np.array([0, 0]), "last": np.array([0, 1])},
        },
    )["word"]
    assert words["weights"].tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert words["bias"].tolist() == [[1, -2048], [1, -2048]]


def test_biases_of_both_formats_keep_their_values() -> None:
    """<16,5> and <16,7> both fit <18,7>: 11 fraction bits."""
    memory = np.array([[0, 0], [0, 0], [-32768, 32767]])
    _, ordinary = unpack(SMALL, memory, 1, 1, False)
    _, attention = unpack(SMALL, memory, 1, 1, True)
    assert SMALL.bias.dequantise(ordinary).tolist() == [[-16.0, 32767 / 2**11]]
    assert SMALL.bias.dequantise(attention).tolist() == [[-64.0, 32767 / 2**9]]


def test_a_matrix_takes_out_in_over_16_beats() -> None:
    """192 x 192 weights of 16 bits: 2,304 beats of 256 bits, and 12 of biases."""
    c = WeightLoaderContract.from_preset("published")
    group = Group(in_tiles=12, out_tiles=12, reads=1)
    assert (c.beats(group), c.cycles([group])) == (192 * 192 // 16 + 12, 1 + 2304 + 12 + 4 + 1 + 1)


def test_loading_hides_behind_reading() -> None:
    """Groups of 10 beats: with 100 reads each only the first load adds cycles, with 1 read each only the loads do."""
    group = {"in_tiles": 2, "out_tiles": 2}
    often, once = Group(**group, reads=100), Group(**group, reads=1)
    assert SMALL.beats(often) == 10
    assert [SMALL.cycles([often] * n) for n in (1, 2, 5)] == [112, 212, 512]
    assert [SMALL.cycles([once] * n) for n in (1, 2, 5)] == [13, 24, 57]


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (Group(in_tiles=3, out_tiles=2, reads=1), "weight_loader: a bank holds 1 to 4 tiles, not 6"),
        (Group(in_tiles=1, out_tiles=3, reads=1), "weight_loader: a bank holds 1 to 2 biases, not 3"),
        (Group(in_tiles=0, out_tiles=1, reads=1), "weight_loader: a bank holds 1 to 4 tiles, not 0"),
        (Group(in_tiles=1, out_tiles=1, reads=0), "weight_loader: a group must be read at least once"),
    ],
)
def test_a_group_that_no_bank_holds_is_one_line(group: Group, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        SMALL.cycles([group])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beat_numbers": 24}, "weight_loader: a tile of 16 x 16 weights does not fill beats of 24"),
        ({"weight_words": 0}, "weight_loader: weight_words must be 1 to 65536, got 0"),
        ({"bias_integer": 17}, "weight_loader: bias_integer must be 1 to 16, got 17"),
    ],
)
def test_a_parameter_that_cannot_be_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        WeightLoaderContract.from_preset("rtl", **changes)
    assert str(caught.value) == message
