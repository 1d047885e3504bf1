"""Two sets of timing for GDDR6-AiM: the vendor's preset, and what the public simulator makes of it at start.

They are the bins of standard `gddr6_aim`. `preset` is the default: it describes the chip. Instruction traces take the
same cycles in both, because AiM's commands do not wait nRRDS and nRRDL for each other; ordinary reads and writes do.
`simulator` is for comparing their cycles with that simulator's.
"""

from __future__ import annotations

from typing import Literal, get_args

STANDARD = "gddr6_aim"
Variant = Literal["preset", "simulator"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
DEFAULT: Variant = "preset"
