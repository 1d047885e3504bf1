"""Which keys a query attends to: patterns as sets of (query, key) pairs, exact in number (docs/patterns.md)."""

from typing import Literal

from hwsim.mapping.patterns.after import After
from hwsim.mapping.patterns.algebra import Intersection, Union
from hwsim.mapping.patterns.axial import Axial
from hwsim.mapping.patterns.block_local import BlockLocal
from hwsim.mapping.patterns.causal import Causal
from hwsim.mapping.patterns.full import Full
from hwsim.mapping.patterns.global_tokens import GlobalTokens
from hwsim.mapping.patterns.key_sets import Spans
from hwsim.mapping.patterns.memory_slots import MemorySlots
from hwsim.mapping.patterns.parse import KINDS, parse_pattern
from hwsim.mapping.patterns.pattern import Pattern
from hwsim.mapping.patterns.random_blocks import RandomBlocks
from hwsim.mapping.patterns.segment import CrossSegment, Segment
from hwsim.mapping.patterns.strided import Strided, StridedHeads
from hwsim.mapping.patterns.window import Window
from hwsim.mapping.patterns.window2d import Window2d

PatternName = Literal["full", "causal", "window"]  # those that a decoder's workload names

__all__ = [
    "KINDS",
    "After",
    "Axial",
    "BlockLocal",
    "Causal",
    "CrossSegment",
    "Full",
    "GlobalTokens",
    "Intersection",
    "MemorySlots",
    "Pattern",
    "PatternName",
    "RandomBlocks",
    "Segment",
    "Spans",
    "Strided",
    "StridedHeads",
    "Union",
    "Window",
    "Window2d",
    "parse_pattern",
]
