"""Every block against its golden model and its contract, in simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.mac_tile.contract import MacTileContract
from tests.rtl.coverage import add_to_report, read_coverage
from tests.rtl.saboteur import Saboteur
from tests.rtl.simulation import SEED, build, build_component, lint, run_bench

PROVEN = {
    f"{name}-{kind}{i}": contract
    for name, block in BLOCKS.items()
    for kind, contracts in (("set", block.sets()), ("extreme", block.extremes()))
    for i, contract in enumerate(contracts)
}
PRESETS = {
    f"{name}-{preset}": block.contract.from_preset(preset)
    for name, block in BLOCKS.items()
    for preset in block.contract.presets
}
# their depths are a paper's, but our RTL computes with any words and has registers to fill any depth
PUBLISHED = {
    f"{name}-published": block.contract.from_preset("published")
    for name, block in BLOCKS.items()
    if block.contract.choices
}


def each(contracts: Mapping[str, Contract]) -> pytest.MarkDecorator:
    """A test of each contract; all but the first two sets of a block are slow."""
    quick = ("-set0", "-set1")
    return pytest.mark.parametrize(
        "contract",
        [
            pytest.param(contract, id=name, marks=[] if name.endswith(quick) else [pytest.mark.slow])
            for name, contract in contracts.items()
        ],
    )


@each(PROVEN | PUBLISHED)
def test_rtl_equals_golden_model_and_contract(contract: Contract) -> None:
    assert run_bench(build(contract), contract, "bench") == ""


@each(PROVEN | PRESETS)
def test_raw_verilog_is_clean(contract: Contract, tmp_path: Path) -> None:
    assert lint(contract, tmp_path) == ""


@pytest.mark.parametrize("name", BLOCKS)
def test_no_parameter_may_disagree(name: str) -> None:
    first, second, *_ = BLOCKS[name].sets()
    assert not first.unread & second.unread  # one of them reads each parameter
    for contract in (first, second) if first.unread else (first,):
        assert run_bench(build(contract), contract, "bench_disagreements") == ""


@pytest.mark.parametrize("name", BLOCKS)
def test_what_a_contract_calls_unread_changes_nothing(name: str) -> None:
    """Neither cycles nor values, for the values that the other sets have."""
    block, rng = BLOCKS[name], np.random.default_rng(SEED)
    for contract in block.sets()[:2]:
        job = block.cases.random_job(contract, rng)
        for parameter in contract.unread:
            for value in {getattr(other, parameter) for other in block.sets()}:
                changed = replace(contract, **{parameter: value})
                assert changed.cycles(job.work) == contract.cycles(job.work)
                assert changed.ports == contract.ports
                for port, fields in block.golden(contract, job.inputs).items():
                    for field, codes in fields.items():
                        assert block.golden(changed, job.inputs)[port][field].tolist() == codes.tolist()


def test_the_harness_sees_planted_faults() -> None:
    contract = MacTileContract.from_preset("rtl", in_lanes=2, out_lanes=1)
    saboteur = Saboteur(contract, BLOCKS["mac_tile"].component(contract))
    assert run_bench(build_component(saboteur, "mac_tile"), contract, "bench_faults") == ""


@pytest.mark.parametrize("name", BLOCKS)
def test_the_bench_covers_the_raw_verilog(name: str) -> None:
    contract = BLOCKS[name].sets()[0]
    folder = build(contract, coverage=True)
    assert run_bench(folder, contract, "bench") == ""
    coverage = read_coverage(folder / "runs" / f"hwsim.rtl.flows.simulation.bench-{SEED}" / "coverage.dat")
    add_to_report(name, coverage)
    assert coverage.lateness() == ""
