"""Traces and patterns played on the DRAM engine: what `hwsim dram` and `hwsim aim` do."""
