"""Not a real test: feed a block the streams of a file and write its output streams to another file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from hwsim.rtl.flows.simulation.harness import DRAIN_CYCLES, Harness, MismatchError
from hwsim.rtl.flows.simulation.settings import from_environment

VARIABLE = "HWSIM_PLAY"  # a folder with in.npz (arrays called port.field) and periods.txt (the time limit)


@cocotb.test()
async def play(dut: Any) -> None:
    block, contract, _ = from_environment()
    folder = Path(os.environ[VARIABLE])
    bench = Harness(dut, block, contract)
    await bench.start()
    with np.load(folder / "in.npz") as arrays:
        for driver in bench.drivers:
            fields = driver.port.fields
            beats = {field.name: arrays[f"{driver.port.name}.{field.name}"] for field in fields}
            driver.port.check(beats)
            driver.beats = driver.port.pack(beats)
    quiet, limit = 0, int((folder / "periods.txt").read_text())
    # the block decides how many beats come: it is done when all input was taken and nothing came for the time limit
    for period in range(3 * limit):
        before = sum(len(monitor.beats) for monitor in bench.monitors)
        await bench.period()
        moved = sum(len(monitor.beats) for monitor in bench.monitors) != before
        taken = all(driver.taken == len(driver.beats) for driver in bench.drivers)
        quiet = 0 if moved or not taken else quiet + 1
        if quiet > DRAIN_CYCLES and period > limit:
            break
    else:
        raise MismatchError(f"{contract.block}: not at rest after {3 * limit} periods")
    (folder / "cycles.txt").write_text(str(bench.counter.cycles))
    outputs = {m.port.name: m.port.unpack(m.beats) for m in bench.monitors}
    np.savez(
        folder / "out.npz", **{f"{port}.{field}": a for port, beats in outputs.items() for field, a in beats.items()}
    )
