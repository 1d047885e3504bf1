"""The instructions of GDDR6-AiM: their fields, the DRAM command of each, and their encoding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Field = Literal["opsize", "gpr0", "gpr1", "mask", "bank", "row"]

MAX_CHANNELS = 32  # that a mask can name


class Column(IntEnum):
    """Columns of encoded instructions."""

    OPERATION = 0
    OPSIZE = 1
    MASK = 2
    BANK = 3
    ROW = 4


COLUMNS = tuple(column.name.lower() for column in Column)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One kind of instruction.

    Attributes
    ----------
    fields : what follows the name on a trace line, in this order
    command : the DRAM command of each request; None if channels see no command
    register_mode : its command accesses registers, not the array
    blocking : the host decodes nothing further until every channel has answered
    ordinary : becomes an ordinary read or write, scheduled first-ready first-come first-served
    barrier : goes to every channel and waits for all that came before
    """

    name: str
    fields: tuple[Field, ...]
    command: str | None = None
    register_mode: bool = False
    blocking: bool = False
    ordinary: bool = False
    barrier: bool = False


_ALL = (
    Operation(name="WR_SBK", fields=("gpr0", "mask", "bank", "row"), command="WR", ordinary=True),
    Operation(name="RD_SBK", fields=("gpr0", "mask", "bank", "row"), command="RD", ordinary=True),
    Operation(name="WR_GB", fields=("opsize", "gpr0", "mask"), command="WRGB", register_mode=True),
    Operation(name="WR_BIAS", fields=("gpr0", "mask"), command="WRMAC16", register_mode=True),
    Operation(name="RD_MAC", fields=("gpr0", "mask"), command="RDMAC16", register_mode=True, blocking=True),
    Operation(name="RD_AF", fields=("gpr0", "mask"), command="RDAF16", register_mode=True, blocking=True),
    Operation(name="COPY_BKGB", fields=("opsize", "mask", "bank", "row"), command="RDCP"),
    Operation(name="COPY_GBBK", fields=("opsize", "mask", "bank", "row"), command="WRCP"),
    Operation(name="MAC_SBK", fields=("opsize", "mask", "bank", "row"), command="MAC"),
    Operation(name="MAC_ABK", fields=("opsize", "mask", "row"), command="MAC16"),
    Operation(name="AF", fields=("mask",), command="AF16"),
    Operation(name="EWMUL", fields=("opsize", "mask", "row"), command="EWMUL16"),
    Operation(name="WR_ABK", fields=("gpr0", "mask", "row"), command="WRA16"),
    Operation(name="EWADD", fields=("opsize", "gpr0", "gpr1")),
    Operation(name="SYNC", fields=(), barrier=True, blocking=True),
    Operation(name="EOC", fields=(), barrier=True, blocking=True),
    # `R|W GPR`, `R CFR` and `W CFR` become this operation: a cycle of the host.
    Operation(name="HOST", fields=()),
    Operation(name="WR_CFR", fields=()),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
CODES = {name: code for code, name in enumerate(OPERATIONS)}
TRACE_OPERATIONS = tuple(name for name in OPERATIONS if name not in ("HOST", "WR_CFR"))

ACTIVATION_FUNCTION = 2  # configuration register; 0 and 1 say where operands come from, which changes no time
ACTIVATION_FUNCTIONS = 8  # values of configuration register 2, each with a reserved row


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction as a program in memory holds it.

    `mask` selects channels, bit i the channel `channels - 1 - i` (see docs/aim-trace.md). `opsize` counts columns.
    A write of configuration register `bank` to the value `row` is the operation `WR_CFR`.
    """

    operation: str
    opsize: int = 1
    mask: int = 0
    bank: int = -1
    row: int = -1


def encode(instructions: Iterable[Instruction]) -> Ints:
    """Instructions as an array of shape (n, 5) with columns `COLUMNS`."""
    rows = [(CODES[i.operation], i.opsize, i.mask, i.bank, i.row) for i in instructions]
    return np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS))


def decode(encoded: Ints) -> list[Instruction]:
    """The inverse of `encode`."""
    names = list(OPERATIONS)
    return [
        Instruction(operation=names[code], opsize=opsize, mask=mask, bank=bank, row=row)
        for code, opsize, mask, bank, row in encoded.tolist()
    ]
