"""Wraps any block so that it has only a few pins and place and route can time it."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwsim.rtl.instances import add_instance


class FewPins(wiring.Component):
    """A shift register drives all inputs of a component, another takes all its outputs and shifts them out.

    So every path into and out of the component begins and ends at a register, and no part of it can be optimised away,
    since each output is observed.
    """

    def __init__(self, component: Any, name: str) -> None:
        self.component = component
        self.name = name
        super().__init__({"serial_in": In(1), "load": In(1), "serial_out": Out(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        block = add_instance(m, "block", self.name, self.component)
        members = [(Value.cast(value), member) for _, member, value in self.component.signature.flatten(block)]
        inputs = Cat(*(value for value, member in members if member.flow == wiring.In))
        outputs = Cat(*(value for value, member in members if member.flow == wiring.Out))
        drive, seen = Signal(len(inputs), reset_less=True), Signal(len(outputs), reset_less=True)
        m.d.sync += [drive.eq(Cat(self.serial_in, drive)), seen.eq(Cat(0, seen))]
        with m.If(self.load):
            m.d.sync += seen.eq(outputs)
        m.d.comb += [inputs.eq(drive), self.serial_out.eq(seen[-1])]
        return m
