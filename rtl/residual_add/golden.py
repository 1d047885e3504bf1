"""Golden model of the residual add, bit-exact with `component.ResidualAdd`."""

from __future__ import annotations

from hwsim.mapping.formats import recode
from hwsim.rtl.ports import Codes, Streams
from hwsim.rtl.residual_add.contract import ResidualAddContract


def residual_add(c: ResidualAddContract, x: Codes, branch: Codes) -> Codes:
    """`x + branch`: codes of `c.activation` and of `c.branch`, of equal shape, as codes of `c.activation`."""
    return recode(x + recode(branch, c.branch.fraction, c.activation), c.activation.fraction, c.activation)


def run(c: ResidualAddContract, inputs: Streams) -> Streams:
    """The sum of each pair of beats."""
    return {"y": {"values": residual_add(c, inputs["x"]["values"], inputs["branch"]["values"])}}
