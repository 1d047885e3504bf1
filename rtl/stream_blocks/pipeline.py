"""A pipeline whose stages all advance together, or all wait."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amaranth import Module, Signal, Value, ValueLike

from hwsim.rtl.contract import ContractError


class Pipeline:
    """Registers stage by stage: after `s = pipe.stage(valid=..., product=a * b)`, `s.product` is one cycle later.

    Parameters
    ----------
    m : module that holds the registers
    advance : whether the stages advance; in front of a stream it is `~valid | ready` (see `advances`)

    The value called `valid` starts at 0 and is reset; the others carry data and are not reset.
    """

    def __init__(self, m: Module, advance: ValueLike) -> None:
        self.m = m
        self.advance = advance
        self.depth = 0

    def stage(self, **values: ValueLike) -> SimpleNamespace:
        """One register for each value, of its shape; none for a value without bits, which Verilog does not have."""
        self.depth += 1
        registers = {
            name: Signal(_shape(value), name=f"{name}_{self.depth}", reset_less=name != "valid")
            for name, value in values.items()
            if len(Value.cast(value))
        }
        with self.m.If(self.advance):
            self.m.d.sync += [register.eq(values[name]) for name, register in registers.items()]
        return SimpleNamespace(**(values | registers))

    def stages(self, count: int, **values: ValueLike) -> SimpleNamespace:
        """`count` stages one after the other."""
        current = SimpleNamespace(**values)
        for _ in range(count):
            current = self.stage(**vars(current))
        return current

    def require_depth(self, block: str, latency: int) -> None:
        """Check that there are as many stages as the contract says.

        Raises
        ------
        ContractError : the number differs
        """
        if self.depth != latency:
            raise ContractError(f"{block}: the contract states {latency} stages, the component has {self.depth}")


def advances(sink: Any) -> Value:
    """Whether a pipeline that ends in the stream `sink` may advance."""
    return ~sink.valid | sink.ready


def _shape(value: ValueLike) -> Any:
    """The shape of a value, its layout if it has one."""
    return value.shape() if hasattr(value, "shape") else Value.cast(value).shape()
