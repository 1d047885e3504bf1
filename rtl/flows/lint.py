"""Verilator's lint of the exported Verilog, and its waivers with their reasons."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from hwsim.rtl.flows.toolchain import verilator_environment

# Messages that are typical of generated text and do not point to mistakes.
WAIVERS = {
    "PROCASSINIT": "Amaranth declares registers with an initial value and assigns them in processes",
    "UNUSEDSIGNAL": "slices leave the bits that a shift drops; Yosys keeps the names of signals it has merged",
    "WIDTHEXPAND": "Yosys writes additions that extend their operands by Verilog's own rule",
    "WIDTHTRUNC": "Yosys writes shifts and sums wider than the signal that takes them; the drop is the wrap",
    "CASEINCOMPLETE": "Amaranth assigns what holds otherwise before the case",
    "DECLFILENAME": "all modules of a block lie in one file",
}


def waiver_file() -> str:
    """A Verilator control file with these waivers."""
    rules = [f"// {reason}\nlint_off -rule {rule}" for rule, reason in WAIVERS.items()]
    return "`verilator_config\n" + "\n".join(rules) + "\n"


def lint(verilog: Path, top: str, waivers: Path) -> str:
    """Messages of `verilator --lint-only -Wall` about a file, without the waived ones; empty if none.

    Raises
    ------
    ToolError : Verilator or perl is missing
    """
    command = ["verilator", "--lint-only", "-Wall", "--top-module", top, str(waivers), str(verilog)]
    environment = os.environ | verilator_environment(tools=("perl",), purpose="linting Verilog")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return done.stderr if done.returncode else ""
