"""Prove one block at one set of parameters: run the bench in Verilator and report the result.

Importing this needs none of the tools; running names those that are missing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.toolchain import GenerateError, require_package, verilator_environment

if TYPE_CHECKING:
    from hwsim.rtl.flows.simulation.build import Verdict

PURPOSE = "simulating RTL"


@dataclass(frozen=True, kw_only=True)
class ExactJob:
    """A job that was never stalled: its cycles, in RTL and contract alike."""

    check: str
    job: str
    cycles: int


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """The result of the bench for a block.

    Attributes
    ----------
    checks : each check of the bench that ran, and whether the block passed it; `held_back` runs if the contract states
        a backlog
    exact : jobs whose outputs equal the golden model's bit for bit, and whose cycles equal the contract's
    complaint : the first differences; empty if there is none
    """

    block: str
    parameters: dict[str, int | float | bool | str]
    seed: int
    checks: dict[str, bool]
    exact: tuple[ExactJob, ...]
    complaint: str

    @property
    def passed(self) -> bool:
        return not self.complaint

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    def to_text(self) -> str:
        """One line per check; for runs without stalls, the number of jobs and cycles."""
        lines = [f"{self.block} in Verilator, seed {self.seed}"]
        for name, passed in self.checks.items():
            cycles = [job.cycles for job in self.exact if job.check == name]
            told = f"  {len(cycles)} jobs of {min(cycles)} to {max(cycles)} cycles" if cycles else ""
            lines.append(f"  {name:18} {'passed' if passed else 'FAILED'}{told}")
        if self.passed:
            if "held_back" not in self.checks:
                lines.append(f"  {'held_back':18} no backlog stated")
            lines.append("outputs equal the golden model's bit for bit; never stalled, cycles equal the contract's")
        return "\n".join([*lines, *([self.complaint] if self.complaint else [])]) + "\n"


def simulate(contract: Contract, builds: Path, seed: int, say: Callable[[str], None]) -> Simulation:
    """Build a block's simulation, or reuse one from `builds`, and run the bench on it.

    Raises
    ------
    ToolError : Verilator, a compiler or a package is missing; says how to get it
    GenerateError : Yosys or the build failed, or `builds` cannot be written
    """
    verilator_environment(purpose=PURPOSE)
    for package in ("amaranth", "cocotb", "pyosys"):
        require_package(package, PURPOSE)
    from hwsim.rtl.flows.simulation.build import build, run_bench

    try:
        say(f"building {contract.block} with Verilator")
        folder = build(contract, builds)
        say(f"running the bench of {contract.block}")
        verdict = run_bench(folder, contract, "hwsim.rtl.flows.simulation.bench", seed=seed)
    except OSError as cause:
        raise GenerateError(f"{cause.filename or builds}: cannot be written: {cause.strerror or cause}") from None
    return Simulation(
        block=contract.block,
        parameters=contract.parameters(),
        seed=seed,
        checks=dict(verdict.checks),
        exact=_exact_jobs(verdict),
        complaint=verdict.complaint,
    )


def _exact_jobs(verdict: Verdict) -> tuple[ExactJob, ...]:
    path = verdict.folder / "exact.csv"
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(ExactJob(check=c, job=job, cycles=int(cycles)) for c, job, cycles in csv.reader(file))
