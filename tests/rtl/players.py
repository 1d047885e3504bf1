"""Blocks of RTL as functions from streams to streams, each a simulation of the accelerator's unit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from hwsim.rtl.contract import Contract
from hwsim.rtl.ports import Streams
from tests.rtl.benches.bench_play import VARIABLE
from tests.rtl.simulation import build, run_bench


def play(contract: Contract, work: Any, inputs: Streams, folder: Path) -> Streams:
    """The output streams of a contract's RTL, never stalled, in the contract's cycles.

    Parameters
    ----------
    work : the same work as the contract counts it; it limits the time
    folder : an empty folder for the streams in and out of the simulator

    Raises
    ------
    AssertionError : the simulation failed, or took other cycles than the contract's
    """
    np.savez(folder / "in.npz", **{f"{port}.{name}": a for port, beats in inputs.items() for name, a in beats.items()})
    (folder / "periods.txt").write_text(str(contract.cycles(work) + 20))
    with patch.dict(os.environ, {VARIABLE: str(folder)}):
        said = run_bench(build(contract), contract, "bench_play")
    assert said == ""
    assert int((folder / "cycles.txt").read_text()) == contract.cycles(work), contract.block
    with np.load(folder / "out.npz") as arrays:
        return {
            port.name: {field.name: arrays[f"{port.name}.{field.name}"] for field in port.fields}
            for port in contract.ports
            if port.direction == "out"
        }
