"""Edge-MoE's hazard: an expert that all tokens chose, where reader and writer of its queue once disagreed and hung."""

from __future__ import annotations

from typing import Any

import cocotb

from hwsim.rtl.flows.simulation.harness import Harness
from hwsim.rtl.flows.simulation.settings import from_environment

ROUNDS = 4


@cocotb.test()
async def experts_with_all_tokens_and_with_none_come_to_an_end(dut: Any) -> None:
    block, contract, rng = from_environment()
    bench = Harness(dut, block, contract)
    await bench.start()
    jobs = {job.name: job for job in block.cases.corner_jobs(contract)}
    for after_valid in (False, True):
        for _ in range(ROUNDS):
            bench.pace(rng, after_valid=after_valid)
            await bench.play([jobs["an expert without tokens"], jobs["an expert with all tokens"]])
            await bench.play([jobs["all tokens, one tile each"], jobs["no tokens before, between and after"]])
