"""Simulations of the tests: one folder for all builds, one seed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.generate import emit_rtlil, to_verilog
from hwsim.rtl.flows.lint import lint as lint_verilog
from hwsim.rtl.flows.lint import waiver_file
from hwsim.rtl.flows.simulation import build as simulation

BUILDS = Path(__file__).parents[2] / "build" / "rtl"
SEED = int(os.environ.get("HWSIM_SEED", "20231028"))


def build(contract: Contract, *, coverage: bool = False) -> Path:
    """Folder of the simulation of a contract's component."""
    return simulation.build(contract, BUILDS, coverage=coverage)


def build_component(component: Any, name: str) -> Path:
    """Folder of the simulation of a component."""
    return simulation.build_component(component, name, BUILDS)


def run_bench(folder: Path, contract: Contract, bench: str, *, seed: int = SEED) -> str:
    """The complaint of a bench; empty if none. `bench` is the one for all blocks, or one of tests/rtl/benches."""
    module = "hwsim.rtl.flows.simulation.bench" if bench == "bench" else f"tests.rtl.benches.{bench}"
    return simulation.run_bench(folder, contract, module, seed=seed).complaint


def lint(contract: Contract, folder: Path) -> str:
    """Messages of Verilator's lint about the raw text, except waived ones; empty if none."""
    path, waivers = folder / f"{contract.block}.v", folder / f"{contract.block}.vlt"
    path.write_text(to_verilog(emit_rtlil(BLOCKS[contract.block].component(contract), contract.block)))
    waivers.write_text(waiver_file())
    return lint_verilog(path, contract.block, waivers)
