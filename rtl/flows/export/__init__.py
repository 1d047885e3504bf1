"""A block as files for other tools: Verilog, FuseSoC core, Vivado projects, test vectors."""
