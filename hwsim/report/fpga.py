"""A machine on an FPGA: what its units take of the part, and what it reaches."""

from __future__ import annotations

from hwsim.fpga.budget import Budget
from hwsim.report.schema import FpgaCells, FpgaUnitUse, FpgaUse, ResourceUse
from hwsim.rtl.flows.synthesis.result import Cells


def fpga_use(
    budget: Budget,
    *,
    clock_hz: float,
    achieved_clock_hz: float | None = None,
    peak_macs_per_s: float | None = None,
    achieved_macs_per_s: float | None = None,
) -> FpgaUse:
    """The section of a report.

    Parameters
    ----------
    clock_hz : clock that the run counted
    achieved_clock_hz : clock that place and route reached, where it was made
    """
    return FpgaUse(
        board=budget.board_name,
        part=budget.board.part,
        clock_hz=clock_hz,
        achieved_clock_hz=achieved_clock_hz,
        units=[
            FpgaUnitUse(
                unit=unit.unit,
                block=unit.one.block,
                count=unit.count,
                cells=_cells(unit.cells),
                origin=unit.one.origin,
            )
            for unit in budget.units
        ],
        used=_cells(budget.total),
        available=_cells(budget.board.cells),
        included=dict(budget.included),
        uncounted=list(budget.uncounted),
        fits=budget.fits,
        peak_macs_per_s=peak_macs_per_s,
        achieved_macs_per_s=achieved_macs_per_s,
    )


def fpga_resources(fpga: FpgaUse) -> list[ResourceUse]:
    """What the units take of the part, with what there is."""
    return [
        ResourceUse(place="fpga", resource=name, used=used, available=getattr(fpga.available, name))
        for name, used in fpga.used
    ]


def _cells(cells: Cells) -> FpgaCells:
    return FpgaCells(lut=cells.lut, ff=cells.ff, dsp=cells.dsp, bram36=cells.bram36, uram=cells.uram)
