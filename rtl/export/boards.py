"""The boards that projects are written for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board's FPGA, and the clock that a block on it is asked to meet.

    Attributes
    ----------
    part : as Vivado names it
    clock_hz : constraint on `clk`; an aim for the tools, no result of theirs
    """

    title: str
    part: str
    clock_hz: int

    @property
    def period_ns(self) -> float:
        return 1e9 / self.clock_hz


BOARDS = {
    "zcu102": Board(title="AMD ZCU102", part="xczu9eg-ffvb1156-2-e", clock_hz=300_000_000),  # as Edge-MoE asks for
    "zcu104": Board(title="AMD ZCU104", part="xczu7ev-ffvc1156-2-e", clock_hz=300_000_000),
    "u55c": Board(title="AMD Alveo U55C", part="xcu55c-fsvh2892-2L-e", clock_hz=300_000_000),
}
