"""Lanes with floating-point operators, through which rows of elements pass."""
