"""Trees of adders with a register every few levels; `rtl.stream_blocks.adder_tree` builds them."""

from __future__ import annotations

from hwsim.rtl.contract import Resources
from hwsim.rtl.estimates import adder, register


def tree_stages(terms: int, levels: int) -> int:
    """Registers from `terms` terms to their sum, with `levels` levels of adders between two registers."""
    return -(-(terms - 1).bit_length() // levels)


def tree_resources(terms: int, levels: int, width_bits: int) -> Resources:
    """Resources of such a tree."""
    kept = [-(-terms >> stage * levels) for stage in range(1, tree_stages(terms, levels) + 1)]
    return adder(width_bits) * (terms - 1) + register(width_bits) * sum(kept)
