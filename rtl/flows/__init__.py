"""The outputs of a block: Verilog, files for other tools, simulation, synthesis."""
