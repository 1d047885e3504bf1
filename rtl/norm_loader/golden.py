"""Golden model of the norm loader, bit-exact with `component.NormLoader`."""

from __future__ import annotations

from hwsim.rtl.norm_loader.contract import NormLoaderContract
from hwsim.rtl.ports import Codes, Streams


def rows(c: NormLoaderContract, memory: Codes) -> tuple[Codes, Codes]:
    """The rows of some norms.

    Parameters
    ----------
    memory : (norms * 2 * vector_beats, beat_numbers) codes: weights, then biases, norm by norm

    Returns
    -------
    weight, bias : (norms * rows, lanes) codes
    """
    vectors = memory.reshape(-1, 2, c.features)
    return vectors[:, 0].reshape(-1, c.lanes), vectors[:, 1].reshape(-1, c.lanes)


def run(c: NormLoaderContract, inputs: Streams) -> Streams:
    """The rows of all commands' norms."""
    norms = int(inputs["command"]["norms"].sum())
    weight, bias = rows(c, inputs["memory"]["numbers"][: norms * 2 * c.vector_beats])
    return {"norm": {"weight": weight, "bias": bias}}
