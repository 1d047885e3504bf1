"""What contracts of blocks without a technique have in common: presets of the block with it, and no proof."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without(presets: Mapping[str, Mapping[str, Any]], technique: str) -> dict[str, dict[str, Any]]:
    """A block's presets, whose source says what the design lacks."""
    return {
        name: {**values, "source": f"{values['source']}; without {technique}: a design of ours, without RTL"}
        for name, values in presets.items()
    }


class Unproven:
    """A contract that no RTL is held against, whatever its preset."""

    @property
    def proven(self) -> bool:
        return False


class InBlocks:
    """Attention without reordering: all slots get their queries at the beginning of a pass over the keys.

    A pass ends with all its queries, so the last one has slots without a query where `slots` does not divide the
    tokens; they are fetched, computed and stored all the same, as rows that nobody reads.
    """

    slots: int

    @property
    def reordered(self) -> bool:
        return False

    def blocks(self, tokens: int) -> int:
        """Passes over the keys."""
        return -(-tokens // self.slots)

    def rows(self, tokens: int) -> int:
        """Rows for so many tokens: a key each, in each pass."""
        return self.blocks(tokens) * tokens
