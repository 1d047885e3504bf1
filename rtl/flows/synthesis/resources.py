"""Resources of a block on UltraScale+: from kept synthesis if there is one, otherwise the contract's estimate.

Each figure says where it comes from. `hwsim rtl --resources` shows it for a block, `hwsim fit` for all blocks of a
design. Needs none of the tools.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.flows.synthesis.result import DATA_FILE, Cells, find_synthesis

KINDS = ("lut", "ff", "dsp", "bram36", "uram")  # what `Resources` and `Cells` both count
BRAM36_IN_URAM = 8  # 4,096 x 72 bits as eight of 4,096 x 9


@dataclass(frozen=True, kw_only=True)
class BlockResources:
    """The resources of a block.

    Attributes
    ----------
    estimate : from the contract's `resources()`
    without_uram : the same on a part without UltraRAM
    counted : by Yosys, with UltraRAM available, for exactly these parameters; None if no result is kept
    origin : source of `cells`: the tools that counted, or the estimate
    """

    block: str
    parameters: dict[str, Any]
    estimate: Cells
    without_uram: Cells
    counted: Cells | None
    origin: str

    @property
    def cells(self) -> Cells:
        """The counted resources if there are any, otherwise the estimate."""
        return self.counted or self.estimate

    @property
    def cells_without_uram(self) -> Cells:
        """`cells` with every UltraRAM replaced by what the contract takes instead."""
        if not self.cells.uram:
            return self.cells
        if not self.estimate.uram:  # the contract has none; the block RAMs that hold as much
            return replace(self.cells, uram=0, bram36=self.cells.bram36 + BRAM36_IN_URAM * self.cells.uram)
        more = {kind: getattr(self.without_uram, kind) - getattr(self.estimate, kind) for kind in KINDS}
        found = {kind: getattr(self.cells, kind) + more[kind] for kind in KINDS}
        return replace(self.cells, **{**found, "uram": 0})

    def to_json(self) -> str:
        """The fields, and `cells`."""
        return json.dumps(asdict(self) | {"cells": asdict(self.cells)}, indent=1) + "\n"

    def to_text(self) -> str:
        """One line per source, their ratio, and which of them is used."""
        rows = [("estimate", self.estimate)] + ([("synthesis", self.counted)] if self.counted else [])
        lines = [f"{self.block} on UltraScale+ (xcup)", f"{'':10}" + "".join(f"{kind.upper():>9}" for kind in KINDS)]
        lines += [f"{name:10}" + "".join(f"{getattr(cells, kind):>9g}" for kind in KINDS) for name, cells in rows]
        if self.counted:
            lines.append(f"{'ratio':10}" + "".join(f"{self._ratio(kind):>9}" for kind in KINDS))
        return "\n".join([*lines, f"stands: {self.origin}"]) + "\n"

    def _ratio(self, kind: str) -> str:
        counted = getattr(self.counted, kind)
        return f"{getattr(self.estimate, kind) / counted:.2f}" if counted else "-"


def block_resources(contract: Contract, path: Path = DATA_FILE) -> BlockResources:
    """Resources on UltraScale+ of a block with these parameters.

    Raises
    ------
    RecordError : the data file is invalid
    """
    taken, kept = contract.resources(), find_synthesis(contract, "xcup", path)
    tools = ", ".join(f"{name} {version}" for name, version in kept.tools.items()) if kept else ""
    return BlockResources(
        block=contract.block,
        parameters=contract.parameters(),
        estimate=_cells(taken),
        without_uram=_cells(taken.without_uram),
        counted=kept.total if kept else None,
        origin=f"synthesis ({tools})" if kept else "estimate of the contract; no synthesis of these parameters is kept",
    )


def _cells(resources: Resources) -> Cells:
    return Cells(**{kind: getattr(resources, kind) for kind in KINDS})
