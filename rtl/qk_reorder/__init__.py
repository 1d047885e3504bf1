"""Scores of attention: queries against keys in the skewed order, with constant bandwidth."""
