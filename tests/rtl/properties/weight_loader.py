"""Properties of the weight loader, which does not wait for its banks."""

from __future__ import annotations

from typing import Any

from amaranth import Module, Signal
from amaranth.hdl import Assert, Assume
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hwsim.rtl.weight_loader.component import WeightLoader


class BankProperties(wiring.Component):
    """A weight loader with free inputs; its commands ask for groups that fit a bank.

    Asserted, for weights and biases, everything that the double buffer requires of its users: a word comes only while a
    bank is free for it, a group has no more words than a bank, and only loaded groups are read or released.
    """

    def __init__(self, block: WeightLoader) -> None:
        self.block = block
        streams = block.signature.members
        super().__init__({name: streams[name] for name in ("command", "memory", "read")} | {"ready": In(1)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.block = block = self.block
        for name in ("command", "memory", "read"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(block, name))
        m.d.comb += block.word.ready.eq(self.ready)
        asked = self.command.payload
        fits = (asked.in_tiles != 0) & (asked.out_tiles != 0) & (asked.out_tiles <= block.contract.bias_words)
        fits &= asked.in_tiles * asked.out_tiles <= block.contract.weight_words
        m.d.comb += Assume(~self.command.valid | fits)
        for name in ("weights", "biases"):
            bank = getattr(block, name)
            row = Signal(range(bank.depth + 1), name=f"{name}_row")
            with m.If(bank.load.valid):
                m.d.sync += row.eq(row + 1)
                with m.If(bank.load.payload.last):
                    m.d.sync += row.eq(0)
            m.d.comb += [
                Assert(~bank.load.valid | bank.load.ready),
                Assert(~bank.load.valid | (row < bank.depth)),
                Assert(bank.loaded | ~(bank.enable | bank.release)),
            ]
        return m
