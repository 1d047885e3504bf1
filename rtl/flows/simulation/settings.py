"""Settings that the test passes to a bench through the environment."""

from __future__ import annotations

import json
import os
from typing import Any

import cocotb
import numpy as np

from hwsim.rtl.block import Block, Job
from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract

VARIABLE = "HWSIM_BENCH"


def to_environment(contract: Contract, seed: int) -> dict[str, str]:
    """The variable that says which contract the bench is for."""
    return {VARIABLE: json.dumps({"block": contract.block, "parameters": contract.parameters(), "seed": seed})}


def from_environment() -> tuple[Block[Any], Contract, np.random.Generator]:
    """Block, contract and random generator of this run; the seed is printed."""
    told = json.loads(os.environ[VARIABLE])
    block = BLOCKS[told["block"]]
    cocotb.log.info("seed %s", told["seed"])
    return block, block.contract.from_parameters(told["parameters"]), np.random.default_rng(told["seed"])


def held_jobs(block: Block[Any], contract: Contract) -> list[Job]:
    """Jobs that fill a block whose contract states a backlog; none for a block without queues."""
    return block.cases.held_jobs(contract) if hasattr(block.cases, "held_jobs") else []
