"""One of several registers by its number."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Array, Value


def select(registers: Sequence[Value], index: Value) -> Value:
    """The register `index`, the last one beyond it: each code has its case, or Verilog calls the choice incomplete."""
    missing = (1 << len(index)) - len(registers)
    chosen: Value = Array([*registers, *[registers[-1]] * missing])[index]
    return chosen
