"""Reciprocal and reciprocal square root: normalise, a table of polynomials, shift back."""
