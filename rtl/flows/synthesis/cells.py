"""From Yosys's statistics to the resources of each module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hwsim.rtl.flows.synthesis.result import Cells, Part

LUT, FF, CARRY, DSP, URAM = (Cells(**{name: 1}) for name in ("lut", "ff", "carry", "dsp", "uram"))

# Resources of a cell. Memories of LUTs as UltraScale+ counts them; INV becomes a LUT unless a pin absorbs it.
CELLS: Mapping[str, Cells] = {
    **{f"LUT{n}": LUT for n in range(1, 7)},
    **dict.fromkeys(("INV", "SRL16E", "SRLC16E", "SRLC32E"), LUT),
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), FF),
    **dict.fromkeys(("CARRY4", "CARRY8", "CCU2C"), CARRY),
    **dict.fromkeys(("DSP48E2", "MULT18X18D"), DSP),
    "RAM32X1S": LUT,
    "RAM64X1S": LUT,
    "RAM32X1D": LUT * 2,
    "RAM64X1D": LUT * 2,
    "RAM128X1S": LUT * 2,
    "RAM128X1D": LUT * 4,
    "RAM256X1S": LUT * 4,
    "RAM256X1D": LUT * 8,
    "RAM512X1S": LUT * 8,
    "RAM32M": LUT * 4,
    "RAM64M": LUT * 4,
    "RAM32M16": LUT * 8,
    "RAM64M8": LUT * 8,
    "RAMB36E2": Cells(bram36=1),
    "RAMB18E2": Cells(bram36=0.5),
    "DP16KD": Cells(bram36=0.5),
    "URAM288": URAM,
    "TRELLIS_FF": FF,
    "TRELLIS_DPR16X4": LUT * 4,
    # multiplexers after LUTs, which are part of their slices
    **dict.fromkeys(("MUXF7", "MUXF8", "MUXF9", "PFUMX", "L6MUX21"), Cells()),
}


def read_parts(statistics: Mapping[str, Any], top: str) -> tuple[Part, ...]:
    """Resources of each module, the top first, from the output of `stat -json`."""
    modules = {name.removeprefix("\\"): module["num_cells_by_type"] for name, module in statistics["modules"].items()}
    counts = Counter({top: 1})
    for name in _outside_in(modules, top):
        for kind, count in modules[name].items():
            if kind in modules:
                counts[kind] += count * counts[name]
    return tuple(Part(module=name, count=count, cells=_cells(modules[name], modules)) for name, count in counts.items())


def _outside_in(modules: Mapping[str, Mapping[str, int]], top: str) -> Iterator[str]:
    """Each module after all modules that contain it."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for kind in modules[name]:
                if kind in modules:
                    visit(kind)
            order.append(name)

    visit(top)
    return reversed(order)


def _cells(kinds: Mapping[str, int], modules: Mapping[str, Any]) -> Cells:
    own = {kind: count for kind, count in kinds.items() if kind not in modules}
    return sum((CELLS.get(kind, Cells(other=1)) * count for kind, count in own.items()), Cells())
