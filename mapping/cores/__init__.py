"""Attention patterns on cores that each hold one key: which core holds which key for which rows, in which pass."""
