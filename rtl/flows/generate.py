"""From a component to Verilog: as Amaranth writes it, and optimised by Yosys for simulation."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from amaranth import Fragment, Value
from amaranth.back import rtlil
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from hwsim.rtl.flows.toolchain import YOSYS, GenerateError, require_package
from hwsim.rtl.instances import find_parts

# The raw text keeps Amaranth's processes and names, for reading, lint and coverage. Signals without bits, such as a
# counter for a single beat, would be written as ranges from -1 to 0.
RAW = (
    "proc -nomux -norom",
    "memory_collect",
    "clean_zerowidth",
    "delete s:0",
    "write_verilog -norename -noattr {out}",
)
# Amaranth writes a register as a next state and a flip-flop; with enables and resets inferred, Verilator is far faster.
OPTIMISED = (
    "proc",
    "opt_expr",
    "opt_clean",
    "opt",
    "opt_dff",
    "opt_expr",
    "wreduce",
    "peepopt",
    "opt_clean",
    "memory_dff",
    "memory_collect",
    "clean",
    "write_verilog -noattr {out}",
)


# Amaranth calls element i of an array `array[i]`, which is also how Yosys's ABC passes call bit i of `array`.
INDEXED = re.compile(r"(?<=\s)(\\[^\s\[]+)((?:\[\d+\][^\s\[]*)+)")


def emit_rtlil(component: Any, name: str) -> str:
    """RTLIL of a component as module `name`, followed by the parts that it instantiates, each once.

    Elements of arrays are called `array.i`.

    Raises
    ------
    GenerateError : two different parts share a name
    """
    modules: dict[str, str] = {}
    _emit(component, name, modules)
    return INDEXED.sub(lambda found: found[1] + re.sub(r"\[(\d+)\]", r".\1", found[2]), "\n".join(modules.values()))


def _emit(component: Any, name: str, modules: dict[str, str]) -> None:
    fragment = Fragment.get(component, None)
    text = rtlil.convert(fragment, name=name, ports=_flat_ports(component), emit_src=False)
    if modules.setdefault(name, text) != text:
        raise GenerateError(f"two different parts are called {name}")
    parts = {instance.module: instance.part for instance in find_parts(fragment)}
    for module, part in parts.items():
        _emit(part, module, modules)


def _flat_ports(component: Any) -> dict[str, Any]:
    """The ports of a component by their names in Verilog, with directions."""
    return {
        "__".join(map(str, path)): (
            Value.cast(value),
            PortDirection.Input if member.flow == wiring.In else PortDirection.Output,
        )
        for path, member, value in component.signature.flatten(component)
    }


def to_verilog(rtlil_text: str, *, optimise: bool = False) -> str:
    """Verilog of RTLIL.

    Raises
    ------
    GenerateError : with the last lines that Yosys said
    """
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "design.il", Path(folder) / "design.v"
        source.write_text(rtlil_text, encoding="utf-8")
        run_yosys([f"read_rtlil {source}", *(p.format(out=out) for p in (OPTIMISED if optimise else RAW))])
        return out.read_text(encoding="utf-8")


def run_yosys(passes: list[str]) -> str:
    """Run Yosys passes in a separate process; return what it printed.

    Raises
    ------
    ToolError : Yosys is not installed
    GenerateError : with the last lines that Yosys said
    """
    require_package("pyosys", "running Yosys")
    done = subprocess.run([sys.executable, "-c", YOSYS, *passes], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-5:]
        raise GenerateError("yosys failed: " + " / ".join(said))
    return done.stdout
