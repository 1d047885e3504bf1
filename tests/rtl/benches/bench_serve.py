"""Not a real test: keep a unit running, and answer calls that come from another process.

A call is the payloads of each input stream, and the least number of periods to wait for results. The answer is the
payloads of each output stream, and for each stream the period of its first and of its last beat in this call, counted
from 1 in the period of the call's first beat.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Client
from typing import Any

import cocotb

from hwsim.rtl.flows.simulation.harness import DRAIN_CYCLES, STALLS_ALLOWED, Bench, MismatchError

VARIABLE = "HWSIM_SERVE"  # address of the caller

Payloads = dict[str, list[int]]
Span = tuple[int, int]


@cocotb.test()
async def serve(dut: Any) -> None:
    with Client(os.environ[VARIABLE]) as caller:
        bench = Bench(dut, caller.recv())
        await bench.start()
        while (call := caller.recv()) is not None:
            caller.send(await answer(bench, *call))


async def answer(bench: Bench, inputs: Payloads, periods: int) -> tuple[Payloads, dict[str, Span]]:
    """Offer all inputs at once; it is over when they are taken and nothing has come for some periods."""
    for driver in bench.drivers:
        driver.beats, driver.taken = inputs.get(driver.port.name, []), 0
    for monitor in bench.monitors:
        monitor.beats = []
    spans: dict[str, Span] = {}
    period = quiet = 0
    limit = STALLS_ALLOWED * max(periods, *map(len, inputs.values()))
    while quiet <= DRAIN_CYCLES or period < periods:
        await bench.period()
        moved = [driver.port.name for driver in bench.drivers if driver.accepted]
        moved += [monitor.port.name for monitor in bench.monitors if monitor.delivered]
        period += bool(moved or spans)  # counted from the first beat
        for name in moved:
            spans[name] = spans.get(name, (period, 0))[0], period
        open_ended = bool(moved) or any(driver.taken < len(driver.beats) for driver in bench.drivers)
        quiet = 0 if open_ended else quiet + 1
        if period > limit:
            taken = ", ".join(f"{d.taken} of {len(d.beats)} on {d.port.name}" for d in bench.drivers)
            raise MismatchError(f"no end after {limit} periods: {taken}")
    return {monitor.port.name: monitor.beats for monitor in bench.monitors}, spans
