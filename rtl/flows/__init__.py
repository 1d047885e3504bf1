"""What is made of a block: Verilog, files for other tools, simulation, synthesis."""
