"""A FuseSoC core file (CAPI2): the Verilog with a target to lint it and one for each board."""

from __future__ import annotations

from typing import Any

import yaml

from hwsim.rtl.boards import BOARDS


def core_file(block: str, summary: str, version: str) -> str:
    """The text of `<block>.core`; paths are relative to it."""
    core = {
        "name": f"hwsim:rtl:{block}:{version}",
        "description": summary,
        "filesets": {
            "rtl": {"files": [f"{block}.v"], "file_type": "verilogSource"},
            "waivers": {"files": [f"{block}.vlt"], "file_type": "vlt"},
            **{
                board: {
                    "files": [
                        {f"constraints/{board}.xdc": {"file_type": "xdc"}},
                        {"constraints/out_of_context.tcl": {"file_type": "tclSource"}},
                    ]
                }
                for board in BOARDS
            },
        },
        "targets": {
            "default": {"filesets": ["rtl"], "toplevel": block},
            "lint": {
                "filesets": ["rtl", "waivers"],
                "toplevel": block,
                "flow": "lint",
                "flow_options": {"tool": "verilator", "verilator_options": ["-Wall"]},
            },
            **{board: _board_target(block, board) for board in BOARDS},
        },
    }
    return "CAPI=2:\n" + yaml.safe_dump(core, sort_keys=False, width=120)


def _board_target(block: str, board: str) -> dict[str, Any]:
    return {
        "filesets": ["rtl", board],
        "toplevel": block,
        "flow": "vivado",
        "flow_options": {"part": BOARDS[board].part, "pnr": "none"},
    }
