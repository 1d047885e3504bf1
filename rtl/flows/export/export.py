"""All files of an exported block."""

from __future__ import annotations

import json
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.boards import BOARDS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.export.core_file import core_file
from hwsim.rtl.flows.export.readme import readme
from hwsim.rtl.flows.export.vectors import vectors
from hwsim.rtl.flows.export.vivado import OUT_OF_CONTEXT, constraints, vivado_project
from hwsim.rtl.flows.lint import lint, waiver_file
from hwsim.rtl.flows.toolchain import GenerateError, require_package

MANIFEST = "manifest.json"


def export_files(contract: Contract, *, settings: Mapping[str, str], version: str, seed: int = 0) -> dict[str, str]:
    """The files of a block by their path in the folder; the Verilog has passed lint.

    Parameters
    ----------
    settings : how the contract differs from its preset, for the README
    version : of hwsim
    seed : of the random vectors

    Raises
    ------
    ToolError : a package or tool is missing
    GenerateError : Yosys or the lint reported a problem in the Verilog
    """
    name, block = contract.block, BLOCKS[contract.block]
    golden = vectors(block, contract, seed)
    jobs = json.loads(golden["jobs.json"])["jobs"]
    verilog = checked_verilog(contract)
    files = {
        f"{name}.v": verilog,
        f"{name}.vlt": waiver_file(),
        f"{name}.core": core_file(name, block.summary, version),
        "README.md": readme(block, contract, _command(contract, settings), version, jobs),
        "constraints/out_of_context.tcl": OUT_OF_CONTEXT,
        **{f"constraints/{board}.xdc": constraints(board) for board in BOARDS},
        **{f"vectors/{file}": text for file, text in golden.items()},
    }
    for board in BOARDS:
        files |= {f"vivado/{board}/{file}": text for file, text in vivado_project(name, board).items()}
    files[MANIFEST] = _manifest(contract, version, [*files, MANIFEST])
    return files


def checked_verilog(contract: Contract) -> str:
    """The Verilog of a contract's component, free of lint messages.

    Raises
    ------
    ToolError : Amaranth, Yosys, Verilator or perl is missing
    GenerateError : the lint reports a message
    """
    for package in ("amaranth", "pyosys"):
        require_package(package, "writing Verilog")
    from hwsim.rtl.flows.generate import emit_rtlil, to_verilog

    name = contract.block
    verilog = to_verilog(emit_rtlil(BLOCKS[name].component(contract), name))
    with tempfile.TemporaryDirectory() as folder:
        source, waivers = Path(folder) / f"{name}.v", Path(folder) / f"{name}.vlt"
        source.write_text(verilog, encoding="utf-8")
        waivers.write_text(waiver_file(), encoding="utf-8")
        if said := lint(source, name, waivers):
            raise GenerateError(f"{name}: the lint found: {_finding(said, source, verilog)}")
    return verilog


def _finding(said: str, source: Path, verilog: str) -> str:
    """The lint's first line and the text to which it refers, since the file is gone when a user reads this."""
    first = said.strip().splitlines()[0]
    if not (place := re.search(rf"{re.escape(str(source))}:(\d+):\d+: ", first)):
        return first
    line = verilog.splitlines()[int(place[1]) - 1].strip()
    return f"{first.replace(place[0], '')} Line {place[1]} is: {line}"


def _command(contract: Contract, settings: Mapping[str, str]) -> str:
    sets = [f"--set {shlex.quote(f'{key}={value}')}" for key, value in settings.items()]
    return " ".join(["hwsim rtl", contract.block, "--preset", contract.preset, *sets, "--out DIR"])


def _manifest(contract: Contract, version: str, files: list[str]) -> str:
    streams: list[dict[str, Any]] = [
        {
            "name": port.name,
            "direction": port.direction,
            "fields": [{"name": f.name, "format": str(f.format), "lanes": f.lanes} for f in port.fields],
        }
        for port in contract.ports
    ]
    manifest = {
        "hwsim": version,
        "block": contract.block,
        "preset": contract.preset,
        "parameters": contract.parameters(),
        "streams": streams,
        "files": sorted(files),
    }
    return json.dumps(manifest, indent=1) + "\n"
