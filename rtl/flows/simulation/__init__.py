"""Blocks in Verilator: the harness, the bench that every block must pass, and the code that builds and runs them."""
