"""Vivado projects through edalize, and their constraints.

A block's streams are wider than a package has pins, so a project synthesises it out of context: its ports are treated
as those of a part of a larger design, and only the clock is constrained.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hwsim.rtl.boards import BOARDS
from hwsim.rtl.flows.toolchain import require_package

OUT_OF_CONTEXT = """\
# the block is a part of a larger design: no buffers at its ports
set_property -name {STEPS.SYNTH_DESIGN.ARGS.MORE OPTIONS} -value {-mode out_of_context} -objects [get_runs synth_1]
"""


def constraints(board: str) -> str:
    """The XDC of a board."""
    b = BOARDS[board]
    return f"# {b.title} ({b.part}), out of context\ncreate_clock -name clk -period {b.period_ns:.3f} [get_ports clk]\n"


def vivado_project(block: str, board: str) -> dict[str, str]:
    """The files of a Vivado project of `<block>.v`, by name; they lie in `vivado/<board>/`.

    Raises
    ------
    ToolError : edalize is not installed
    """
    require_package("edalize", "writing Vivado projects")
    from edalize.flows.vivado import Vivado

    sources = {
        f"../../{block}.v": "verilogSource",
        f"../../constraints/{board}.xdc": "xdc",
        "../../constraints/out_of_context.tcl": "tclSource",
    }
    project = {
        "name": f"{block}_{board}",
        "toplevel": block,
        "files": [{"name": name, "file_type": kind} for name, kind in sources.items()],
        "flow_options": {"part": BOARDS[board].part, "pnr": "none"},
    }
    with tempfile.TemporaryDirectory() as folder:
        Vivado(project, folder).configure()
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())}
