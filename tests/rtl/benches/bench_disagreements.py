"""A contract and golden model that differ from the component in one parameter must not pass."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from hwsim.mapping.formats import Fixed, Int
from hwsim.rtl.block import Block
from hwsim.rtl.contract import Contract, ContractError
from hwsim.rtl.flows.simulation.harness import Harness, MismatchError
from hwsim.rtl.flows.simulation.settings import from_environment, held_jobs


@cocotb.test()
async def each_parameter_is_seen(dut: Any) -> None:
    block, contract, rng = from_environment()
    await Harness(dut, block, contract).start()
    unseen = []
    for name in _tried(block, contract):
        for others in (_as_listed(block, contract, name), _points_moved(contract, name)):
            seen = [await _mismatch(dut, block, other, rng) for other in others]
            for other, mismatch in zip(others, seen):
                cocotb.log.info("%s=%s: %s", name, getattr(other, name), mismatch or "no difference")
            if others and not any(seen):  # some values are equivalent: for 2 levels, a stage of 2 or of 3
                unseen.append(name)
    assert not unseen, f"the component does not depend on {', '.join(unseen)}"


def _tried(block: Block[Any], contract: Contract) -> list[str]:
    """The parameters that the first set reads; of another set those that the first one leaves unread."""
    first = block.sets()[0]
    names = [name for name in block.parameter_names() if name not in contract.unread]
    return names if contract == first else [name for name in names if name in first.unread]


async def _mismatch(dut: Any, block: Block[Any], contract: Contract, rng: np.random.Generator) -> str:
    """What the harness reports for the component under a contract that is not its own."""
    try:
        bench = Harness(dut, block, contract)
        await bench.reset()
        for job in [*block.cases.corner_jobs(contract), *(block.cases.random_job(contract, rng) for _ in range(8))]:
            await bench.play_exact(job)
        for job in held_jobs(block, contract):
            await bench.play_held(job)
    except MismatchError as mismatch:
        return str(mismatch)
    return ""


def _as_listed(block: Block[Any], contract: Contract, name: str) -> list[Contract]:
    """The contract with a parameter's value from the other listed sets."""
    others = _with_values(contract, name, [getattr(other, name) for other in block.sets()])
    assert others, f"no listed set has a {name} other than {getattr(contract, name)} that fits the first set"
    return others


def _points_moved(contract: Contract, name: str) -> list[Contract]:
    """The contract with a format's point moved; the ports do not change, so only the values show it."""
    current = getattr(contract, name)
    if not isinstance(current, Fixed) or isinstance(current, Int):
        return []
    return _with_values(contract, name, [replace(current, integer=current.integer + step) for step in (-1, 1)])


def _with_values(contract: Contract, name: str, values: list[Any]) -> list[Contract]:
    others = []
    for value in dict.fromkeys(values):
        if value != getattr(contract, name):
            with suppress(ContractError):  # it is incompatible with the other parameters
                others.append(replace(contract, **{name: value}))
    return others
