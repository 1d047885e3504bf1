"""Compiled functions that are called without numba, from machine code that is kept between processes."""
