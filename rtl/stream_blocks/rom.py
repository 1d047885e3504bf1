"""A table in memory, read within a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Module, Value, unsigned
from amaranth.lib.memory import Memory

from hwsim.rtl.stream_blocks.pipeline import Pipeline


def read_rom(m: Module, name: str, rows: Sequence[int], width: int, address: Value, pipe: Pipeline) -> Value:
    """The row at `address`, a cycle later: call it with the `pipe.stage` that delays the other values.

    Parameters
    ----------
    rows : of `width` bits each, negative ones in two's complement
    address : its lowest bits choose the row; beyond the last row the result is undefined
    """
    mask = (1 << width) - 1
    m.submodules[name] = memory = Memory(shape=unsigned(width), depth=len(rows), init=[row & mask for row in rows])
    port = memory.read_port(domain="sync")
    m.d.comb += [port.addr.eq(address), port.en.eq(pipe.advance)]
    data: Value = port.data
    return data
