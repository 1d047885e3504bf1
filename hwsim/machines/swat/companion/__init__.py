"""Beside SWAT's attention on the same FPGA, ours: a matrix unit and lanes for vectors (docs/swat_companion.md)."""
