"""Contract of the bank's MAC unit: multipliers, an adder tree, an accumulator; one column access at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import BF16, FLOATS, FP32, Format
from hwsim.rtl.contract import Contract, ContractError, Resources

FORMATS = ("operand", "tree", "accumulator", "output")


@dataclass(frozen=True, kw_only=True)
class MacUnitContract(Contract):
    """Parameters of the MAC unit.

    The unit takes a column access in passes of `lanes` elements. In a pass each lane rounds its product to `tree`;
    the tree adds neighbours in pairs, every sum rounded to `tree`, an odd last one waiting for the next level;
    the tree's sum is rounded to `accumulator` and added to the accumulator in that format. Passes come in the order
    of elements, column accesses in the order of the row, and an accumulator begins at 0. When it is read, its
    value is rounded to `output`. The paper states 16 BF16 multipliers and an adder tree; the order within the tree
    and all formats but the operands' are our reading.

    Attributes
    ----------
    lanes : multipliers
    column_elements : elements of a column access
    operand : format of weights and inputs; with BF16 a product is exact in FP32 down to 2^-149
    tree : format of products and of the sums in the tree
    accumulator : format of the running sum
    output : format in which results cross the pins
    """

    block: ClassVar[str] = "mac_unit"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": "PIM-GPT: 16 BF16 multipliers and an adder tree a bank; formats of sums assumed"}
    }

    lanes: int = 16
    column_elements: int = 16
    operand: Format = BF16
    tree: Format = FP32
    accumulator: Format = FP32
    output: Format = BF16

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 1 << 12)
        self.require_range("column_elements", 1, 1 << 12)
        for name in FORMATS:
            fmt = getattr(self, name)
            if fmt not in FLOATS.values():
                raise ContractError(f"{self.block}: {name} must be one of {', '.join(FLOATS)}, got {fmt}")

    @property
    def passes(self) -> int:
        """Passes that a column access takes; lanes beyond its elements stay idle."""
        return -(-self.column_elements // self.lanes)

    def cycles(self, work: int) -> int:
        """Cycles of `work` column accesses that follow each other.

        The latency of the tree is not included: the accumulators are read after the sweep, and neither the paper nor
        GDDR6-AiM's table has a wait for it.
        """
        return work * self.passes

    def resources(self) -> Resources:
        return Resources(multipliers=self.lanes, adders=self.lanes)  # lanes - 1 in the tree, 1 for the accumulator
