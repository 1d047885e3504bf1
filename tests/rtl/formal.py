"""Proofs with SymbiYosys, on the native Yosys and ABC of the pyosys package.

SymbiYosys calls `yosys` and `yosys-abc`; its own WebAssembly build of Yosys takes most of a minute for its first start,
so it gets a small wrapper around pyosys instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyosys

from hwsim.rtl.flows.generate import emit_rtlil
from tests.rtl.simulation import BUILDS

FOLDER = BUILDS / "formal"

YOSYS = """#!{python}
import os, sys
from pyosys import libyosys
arguments = sys.argv[1:]
script = arguments[-1]
log = arguments[arguments.index("-ql") + 1]
sys.stdout.flush()
os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
libyosys.run_pass("script " + script, libyosys.Design())
"""

TASK = """[options]
{options}
aigsmt none

[engines]
abc {engine}

[script]
read_rtlil design.il
prep -top design

[files]
{design}
"""


INDUCTION = "read_aiger {aiger}; fold; strash; orpos; ind -F {frames}"


def prove(component: Any, name: str) -> str:
    """Prove a component's assertions by PDR; return "" if they hold, otherwise SymbiYosys's output."""
    return _run(component, name, "mode prove", "pdr")


def search(component: Any, name: str, cycles: int) -> str:
    """Look for a violation within some cycles of reset; return "" if there is none, otherwise SymbiYosys's output."""
    return _run(component, name, f"mode bmc\ndepth {cycles}", "bmc3")


def prove_by_induction(component: Any, name: str, steps: int = 1) -> str:
    """Prove assertions that hold because they held in the `steps` cycles before; return as `prove` does.

    For sums and counts: PDR finds clauses of single bits, and a sum needs exponentially many of them.
    """
    if said := search(component, name, steps + 1):
        return said
    command = INDUCTION.format(aiger=FOLDER / name / "proof/model/design_aiger.aig", frames=steps + 1)
    done = subprocess.run([_tools() / "yosys-abc", "-c", command], capture_output=True, text=True, check=False)
    return "" if "Networks are equivalent" in done.stdout else done.stdout + done.stderr


def _run(component: Any, name: str, options: str, engine: str) -> str:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    design, task = folder / "design.il", folder / "proof.sby"
    design.write_text(emit_rtlil(component, "design"))
    task.write_text(TASK.format(design=design, options=options, engine=engine))
    path = os.pathsep.join([str(_tools()), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["yowasp-sby", "-f", str(task)],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _tools() -> Path:
    """A folder with `yosys` and `yosys-abc`."""
    folder = FOLDER / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    yosys, abc = folder / "yosys", folder / "yosys-abc"
    yosys.write_text(YOSYS.format(python=sys.executable))
    yosys.chmod(0o755)
    abc.unlink(missing_ok=True)
    abc.symlink_to(Path(pyosys.__file__).parent / "yosys-abc")
    return folder
