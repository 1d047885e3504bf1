"""Golden model of the fill unit, bit-exact with `component.Fill`."""

from __future__ import annotations

import numpy as np

from hwsim.rtl.fill.contract import FillContract
from hwsim.rtl.ports import Streams


def run(c: FillContract, inputs: Streams) -> Streams:
    """The beats of each command."""
    values = np.repeat(inputs["command"]["value"], inputs["command"]["beats"])
    return {"y": {"values": np.tile(values[:, None], (1, c.lanes))}}
