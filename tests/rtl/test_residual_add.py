"""The residual add's golden model, its depth, its messages."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from hwsim.mapping.formats import Fixed
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import ContractError
from hwsim.rtl.residual_add.contract import ResidualAddContract
from hwsim.rtl.residual_add.golden import residual_add
from tests.rtl.simulation import SEED

PUBLISHED, RTL = ResidualAddContract.from_preset("published"), ResidualAddContract.from_preset("rtl")


def slow_add(c: ResidualAddContract, x: int, branch: int) -> int:
    """One sum in rational numbers: the branch into the stream's format, then the sum."""
    low, high = c.activation.code_range

    def fitted(code: Fraction) -> int:
        whole = floor(code) if c.activation.rounding == "floor" else round(code)  # Python rounds ties to even as well
        if c.activation.overflow == "saturate":
            return min(max(whole, low), high)
        return (whole - low) % (high - low + 1) + low

    aligned = fitted(Fraction(branch) * Fraction(2) ** (c.activation.fraction - c.branch.fraction))
    return fitted(Fraction(x + aligned))


@pytest.mark.parametrize("index", range(6))
def test_golden_model_equals_rational_numbers(index: int) -> None:
    block, rng = BLOCKS["residual_add"], np.random.default_rng(SEED)
    c = block.sets()[index]
    for job in [*block.cases.corner_jobs(c), block.cases.random_job(c, rng)]:
        x, branch = job.inputs["x"]["values"], job.inputs["branch"]["values"]
        wanted = [slow_add(c, a, b) for a, b in zip(x.reshape(-1).tolist(), branch.reshape(-1).tolist())]
        assert residual_add(c, x, branch).reshape(-1).tolist() == wanted, job.name


def test_sums_of_edge_moe_wrap() -> None:
    x, branch = np.array([1, -1, 2**31 - 1, -(2**31)]), np.array([2, -2, 1, -1])
    assert residual_add(RTL, x, branch).tolist() == [3, -3, -(2**31), 2**31 - 1]


def test_most_of_the_published_depth_is_memory() -> None:
    """129 tokens of 24 beats, and 141 edges, of which a read and a write of 64 each are the memory's."""
    beats = 129 * 24
    assert PUBLISHED.cycles(beats) == beats + 141
    assert PUBLISHED.beside_memory().cycles(beats) == beats + 141 - 2 * 64
    assert (RTL.cycles(beats), RTL.cycles(0)) == (beats + 1, 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lanes": 0}, "residual_add: lanes must be 1 to 64, got 0"),
        ({"output_stages": 161}, "residual_add: output_stages must be 0 to 160, got 161"),
        (
            {"activation": Fixed(width=8, integer=2, signed=False)},
            "residual_add: activation must be signed like the branch, got ufixed(8,2) and fixed(32,10)",
        ),
    ],
)
def test_a_wrong_parameter_is_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        ResidualAddContract.from_preset("rtl", **parameters)
    assert str(caught.value) == message
