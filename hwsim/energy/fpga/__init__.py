"""Energy of machines on an FPGA: what a run did (`FpgaCounts`) times a table of coefficients for its board."""

from hwsim.energy.fpga.breakdown import FpgaTable, break_down_fpga, fpga_table
from hwsim.energy.fpga.counts import FpgaCounts, Operations, PortTraffic, UnitWork

__all__ = ["FpgaCounts", "FpgaTable", "Operations", "PortTraffic", "UnitWork", "break_down_fpga", "fpga_table"]
