"""Numerics: machines' golden models against float64."""
