"""Blocks in Verilator: the harness, the bench that every block must pass, and what builds and runs them."""
