"""Units on an FPGA, to the cycle: pipelined loops joined by FIFOs, AXI ports, and the memory that these share."""
