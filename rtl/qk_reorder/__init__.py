"""Scores of attention: queries times keys in the skewed order, with constant bandwidth."""
