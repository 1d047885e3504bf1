"""Contract of attention's values without query reordering, or with probabilities that lie in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hwsim.rtl.contract import Resources
from hwsim.rtl.mv.contract import MvContract
from hwsim.rtl.plain.unproven import InBlocks, Unproven, without


@dataclass(frozen=True, kw_only=True)
class MvWeightsContract(Unproven, MvContract):
    """Values weighted by probabilities that come ready, in the skewed order: no exponential, no info."""

    block: ClassVar[str] = "mv_weights"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(MvContract.presets, "the single-pass softmax")

    @property
    def takes_info(self) -> bool:
        return False

    @property
    def probability_stages(self) -> int:
        """Clock edges from a head's probabilities to those of all slots: a register."""
        return 1

    def resources(self) -> Resources:
        """Those of the block less its exponentials."""
        own = MvContract.resources(self)
        return difference(own, self._probability_unit() * self.exp_units)


@dataclass(frozen=True, kw_only=True)
class MvBlocksContract(Unproven, InBlocks, MvContract):
    """Values for `slots` queries at once, which all come and leave together: `slots` beats a cycle then."""

    block: ClassVar[str] = "mv_blocks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(MvContract.presets, "query reordering")


@dataclass(frozen=True, kw_only=True)
class MvWeightsBlocksContract(InBlocks, MvWeightsContract):
    """Both."""

    block: ClassVar[str] = "mv_weights_blocks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(
        MvContract.presets, "the single-pass softmax and query reordering"
    )


def difference(whole: Resources, part: Resources) -> Resources:
    """Resources of a block without a part of it."""
    names = ("adders", "multipliers", "sram_bytes", "lut", "ff", "dsp", "bram36", "uram")
    return replace(whole, **{name: getattr(whole, name) - getattr(part, name) for name in names})
