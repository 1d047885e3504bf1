"""The bench that every block must pass: exact without stalls, right under stalls, after a reset and at the corners."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from hwsim.rtl.flows.simulation.harness import Harness
from hwsim.rtl.flows.simulation.settings import from_environment, held_jobs

JOBS = 8


@cocotb.test()
async def never_stalled(dut: Any) -> None:
    block, contract, rng = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    for _ in range(JOBS):
        await bench.play_exact(block.cases.random_job(contract, rng))
    _note("never_stalled", bench)


@cocotb.test()
async def corner_vectors(dut: Any) -> None:
    block, contract, _ = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    for job in block.cases.corner_jobs(contract):
        await bench.play_exact(job)
    _note("corner_vectors", bench)


@cocotb.test()
async def stalled_at_random(dut: Any) -> None:
    block, contract, rng = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    for after_valid in (False, True):  # in the second round a valid that waits for ready would never come
        bench.pace(rng, after_valid=after_valid)
        for jobs in (1, 2, JOBS):
            await bench.play([block.cases.random_job(contract, rng) for _ in range(jobs)])


@cocotb.test(skip=not held_jobs(*from_environment()[:2]))
async def held_back(dut: Any) -> None:
    block, contract, _ = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    for job in held_jobs(block, contract):
        await bench.play_held(job)
        await bench.play_exact(job)


@cocotb.test()
async def reset_in_mid_job(dut: Any) -> None:
    block, contract, rng = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    for _ in range(JOBS):
        await _cut(bench, rng)
        await bench.play_exact(block.cases.random_job(contract, rng))
    for driver in bench.drivers * 2:  # whatever a reset leaves could act while this stream is late
        cycles = await _cut(bench, rng)
        job = block.cases.random_job(contract, rng)
        await bench.play_late(job, driver.port.name, cycles + contract.cycles(job.work))


async def _cut(bench: Harness, rng: np.random.Generator) -> int:
    """Reset the block within a job that is stalled at random; return the cycles of the whole job without stalls."""
    job = bench.block.cases.random_job(bench.contract, rng)
    cycles = bench.contract.cycles(job.work)
    bench.pace(rng)
    await bench.play_part(job, int(rng.integers(1, cycles + 1)))
    await bench.reset()
    return cycles


def _note(check: str, bench: Harness) -> None:
    """Write the exact jobs into the folder of the bench, for the report."""
    with Path("exact.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((check, job, cycles) for job, cycles in bench.exact)
