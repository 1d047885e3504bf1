"""Contract of the scores of attention without query reordering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.rtl.plain.unproven import InBlocks, Unproven, without
from hwsim.rtl.qk_reorder.contract import QkReorderContract


@dataclass(frozen=True, kw_only=True)
class QkBlocksContract(Unproven, InBlocks, QkReorderContract):
    """Scores of `slots` queries at once, which all come with the first key of a pass: `slots` beats a cycle then."""

    block: ClassVar[str] = "qk_blocks"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = without(QkReorderContract.presets, "query reordering")
