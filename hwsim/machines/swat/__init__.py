"""SWAT: window attention on an FPGA, row by row."""
