"""Two sets of timing for GDDR6-AiM: the vendor's preset, and what the public simulator makes of it at start.

`preset` is the default: it describes the chip. Instruction traces take the same cycles in both, because AiM's commands
do not wait nRRDS and nRRDL for each other; ordinary reads and writes do. `simulator` is for comparing their cycles with
that simulator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hwsim.data_file import read_data
from hwsim.dram.standards.load import timing_defaults, timing_provenance

STANDARD = "gddr6_aim"
Variant = Literal["preset", "simulator"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
DEFAULT: Variant = "preset"


@dataclass(frozen=True, kw_only=True)
class TimingSet:
    """Every timing parameter of a variant.

    Attributes
    ----------
    clock_hz : of the commands; None keeps the standard's own
    timing : in cycles, by the standard's names
    provenance : grade and source of each
    """

    clock_hz: int | None
    timing: Mapping[str, float]
    provenance: Mapping[str, Mapping[str, Any]]


def timing_set(variant: Variant) -> TimingSet:
    """The timing of a variant: the standard's, with what the variant changes in its place."""
    changes = read_data("hwsim.dram.aim", "variants.yaml")[variant]
    changed = changes.get("timing", {})
    return TimingSet(
        clock_hz=changes.get("clock_hz"),
        timing={**timing_defaults(STANDARD), **{name: entry["value"] for name, entry in changed.items()}},
        provenance={
            **timing_provenance(STANDARD),
            **{name: {k: v for k, v in entry.items() if k != "value"} for name, entry in changed.items()},
        },
    )
