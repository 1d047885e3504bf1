"""What a channel is asked to do: runs of column accesses and register transfers, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.errors import DramError

ALL_BANKS = -1


class Field(IntEnum):
    """Columns of encoded requests; see `Request`."""

    COMMAND = 0
    BANK = 1
    ROW = 2
    COLUMN = 3
    COUNT = 4
    REPEAT = 5


@dataclass(frozen=True, kw_only=True)
class Request:
    """`count` accesses of one command, from (row, column) on and through the following rows.

    In each row that the run touches, its columns are swept `repeat` times before the next row. A register
    command (`WRGB`) has no address and is issued `count * repeat` times. The controller opens rows as needed.
    """

    command: str
    bank: int = ALL_BANKS
    row: int = 0
    column: int = 0
    count: int = 1
    repeat: int = 1


def accesses_of(request: Request, standard: Standard) -> Iterator[tuple[int, int]]:
    """(row, column) of each access of a request of column accesses."""
    width = standard.columns
    linear = request.row * width + request.column
    end = linear + request.count
    while linear < end:
        stop = min(end, (linear // width + 1) * width)
        for _ in range(request.repeat):
            yield from (divmod(place, width) for place in range(linear, stop))
        linear = stop


def encode(requests: Iterable[Request], standard: Standard) -> NDArray[np.int64]:
    """Requests as an array of shape (n, len(Field)), commands by their index in the standard.

    Raises
    ------
    DramError : a command or an address that the standard does not have
    """
    ids = standard.command_ids
    rows = []
    for request in requests:
        _check(request, standard)
        rows.append((ids[request.command], request.bank, request.row, request.column, request.count, request.repeat))
    return np.array(rows, dtype=np.int64).reshape(-1, len(Field))


def decode(encoded: NDArray[np.int64], standard: Standard) -> list[Request]:
    """The inverse of `encode`."""
    names = list(standard.commands)
    return [
        Request(command=names[c], bank=bank, row=row, column=column, count=count, repeat=repeat)
        for c, bank, row, column, count, repeat in encoded.tolist()
    ]


def _check(request: Request, standard: Standard) -> None:
    command = standard.commands.get(request.command)
    if command is None:
        raise DramError(f"{standard.name} has no command {request.command!r}")
    if command.kind not in ("column", "register", "other"):
        raise DramError(f"{request.command} is issued by the controller, not by a program")
    if request.count < 0 or request.repeat < 1:
        raise DramError(
            f"{request.command}: count {request.count} and repeat {request.repeat} must be at least 0 and 1"
        )
    if command.kind != "column":
        if request.bank != ALL_BANKS:
            raise DramError(f"{request.command} names no bank, got bank {request.bank}")
        return
    single = standard.banks_below(command.scope) < standard.banks
    only = standard.banks == 1 and request.bank == 0  # the only bank has both names
    if (single != (request.bank != ALL_BANKS) and not only) or not -1 <= request.bank < standard.banks:
        raise DramError(f"{request.command}: bank {request.bank} is not one of the {standard.banks} of its scope")
    last = request.row * standard.columns + request.column + max(request.count, 1) - 1
    if request.row < 0 or not 0 <= request.column < standard.columns or last >= standard.rows * standard.columns:
        raise DramError(
            f"{request.command}: row {request.row}, column {request.column}, count {request.count} "
            f"leaves the bank of {standard.rows} rows x {standard.columns} columns"
        )
