"""What contracts estimate against what synthesis counted, block by block.

python benchmarks/resources.py                 # the table, from the kept results
python benchmarks/resources.py --synthesise    # first synthesise every parameter set again (minutes)
python benchmarks/resources.py --synthesise exp rsqrt
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from hwsim.rtl.blocks import BLOCKS
from hwsim.rtl.contract import Contract
from hwsim.rtl.flows.synthesis.resources import KINDS
from hwsim.rtl.flows.synthesis.result import DATA_FILE, Synthesis, read_records, records_text
from hwsim.rtl.flows.synthesis.run import synthesise
from hwsim.rtl.flows.toolchain import GenerateError


def contracts(name: str) -> list[Contract]:
    """The presets as they are, then the parameter sets of the tests."""
    block = BLOCKS[name]
    presets = [block.contract.from_preset(preset) for preset in block.contract.presets]
    unique = {str(c.parameters()): c for c in [*presets, *block.sets()]}
    return list(unique.values())


def synthesise_all(names: Iterable[str]) -> None:
    """Every set on UltraScale+, the two small ones on ECP5 with place and route; kept after each."""
    for name in names:
        for i, contract in enumerate(contracts(name)):
            for target in ("xcup", "ecp5") if contract in BLOCKS[name].sets()[:2] else ("xcup",):
                print(f"{name} {i} {target}", flush=True)
                try:
                    result = synthesise(contract, target, lambda _text: None)
                except GenerateError as error:  # too large for any ECP5
                    print(f"  {error}")
                    continue
                records = read_records() if DATA_FILE.exists() else []
                DATA_FILE.write_text(records_text([*records, result]), encoding="utf-8")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--synthesise"]:
        synthesise_all(arguments[1:] or BLOCKS)
    records = read_records()
    print("UltraScale+, Yosys synth_xilinx: model / synthesis = ratio\n")
    for result in (r for r in records if r.target == "xcup" and r.block in BLOCKS):
        print(f"{result.block}: {changes(result)}")
        print("   " + "   ".join(compared(result)))
    print("\nECP5, nextpnr: Fmax with registers at all ports\n")
    for result in (r for r in records if r.route is not None):
        assert result.route is not None
        print(f"{result.block}: {result.route.fmax_hz / 1e6:6.1f} MHz on {result.route.device}: {changes(result)}")


def model(result: Synthesis) -> Contract:
    return BLOCKS[result.block].contract.from_parameters(result.parameters)


def changes(result: Synthesis) -> str:
    """The preset, or how the parameters differ from preset `rtl`."""
    block = BLOCKS[result.block].contract
    base = block.from_preset("rtl").parameters()
    if result.parameters == block.from_preset("published").parameters() != base:
        return "preset published"
    return ", ".join(f"{k}={v}" for k, v in result.parameters.items() if base[k] != v) or "preset rtl"


def compared(result: Synthesis) -> Iterable[str]:
    estimate, counted = model(result).resources(), result.total
    for kind in KINDS:
        ours, theirs = getattr(estimate, kind), getattr(counted, kind)
        if ours or theirs:
            ratio = f"{ours / theirs:.2f}" if theirs else "-"
            yield f"{kind} {ours} / {theirs:g} = {ratio}"


if __name__ == "__main__":
    main(sys.argv[1:])
