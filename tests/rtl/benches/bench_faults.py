"""The harness must see a wrong bit, a wrong cycle, a dropped and a doubled beat (`tests/rtl/saboteur.py`)."""

from __future__ import annotations

import re
from typing import Any

import cocotb

from hwsim.rtl.flows.simulation.harness import Harness, MismatchError
from hwsim.rtl.flows.simulation.settings import from_environment
from tests.rtl.saboteur import FAULTS

SEEN_AS = {
    "none": None,
    "bit": r"random: y, beat 1: values\[0\] is -?\d+, expected -?\d+ \(codes of fixed\(32,10\)\)",
    "cycle": r"random: (\d+) cycles, the contract states (\d+)",
    "drop": r"random: no end after \d+ periods; .* of (\d+) on y",
    "double": r"random: y, beat 2: |random: y: 3 beats, expected 2",
}


@cocotb.test()
async def faults_are_seen(dut: Any) -> None:
    block, contract, rng = from_environment()
    jobs = (block.cases.random_job(contract, rng) for _ in range(100))
    job = next(job for job in jobs if len(job.inputs["bias"]["values"]) >= 2)
    bench = Harness(dut, block, contract)
    await bench.start()
    for number, fault in enumerate(FAULTS):
        dut.fault.value = number
        await bench.reset()
        seen = ""
        try:
            await bench.play_exact(job)
        except MismatchError as mismatch:
            seen = str(mismatch)
        cocotb.log.info("%s: %s", fault, seen or "nothing seen")
        pattern = SEEN_AS[fault]
        assert re.search(pattern, seen) if pattern else not seen, f"{fault}: {seen or 'not seen'}"
