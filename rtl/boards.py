"""The supported boards, and the resources of their FPGAs."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.rtl.flows.synthesis.result import Cells


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board's FPGA, and the target clock for a block on it.

    Attributes
    ----------
    part : as Vivado names it
    clock_hz : constraint on `clk`; a target for the tools, not a result
    cells : resources of the part; two registers per LUT, as in every UltraScale+
    """

    title: str
    part: str
    clock_hz: int
    cells: Cells

    @property
    def period_ns(self) -> float:
        return 1e9 / self.clock_hz


# Counts as prjcombine's table of UltraScale+ devices has them (the U55C's part is a renamed XCVU37P).
BOARDS = {
    "zcu102": Board(
        title="AMD ZCU102",
        part="xczu9eg-ffvb1156-2-e",
        clock_hz=300_000_000,  # Edge-MoE's target
        cells=Cells(lut=274_080, ff=548_160, dsp=2_520, bram36=912),
    ),
    "zcu104": Board(
        title="AMD ZCU104",
        part="xczu7ev-ffvc1156-2-e",
        clock_hz=300_000_000,
        cells=Cells(lut=230_400, ff=460_800, dsp=1_728, bram36=312, uram=96),
    ),
    "u55c": Board(
        title="AMD Alveo U55C",
        part="xcu55c-fsvh2892-2L-e",
        clock_hz=300_000_000,
        cells=Cells(lut=1_303_680, ff=2_607_360, dsp=9_024, bram36=2_016, uram=960),
    ),
}
