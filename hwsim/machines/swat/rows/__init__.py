"""Rows through the stages: what a head's rows load, compute and write, and when."""
