"""A lower bound on an operator's cycles, in any order of its commands."""

from __future__ import annotations

from hwsim.dram.aim.isa import CODES, COLUMNS, Ints
from hwsim.dram.device.standard import Standard

_SWEEP = CODES["MAC_ABK"]


def bound_cycles(encoded: Ints, channels: int, standard: Standard) -> int:
    """Cycles from the first to the last column that an operator's MAC_ABKs sweep, in the busiest channel.

    Columns of a row are nCCDL apart; a change of row takes nRTP, nRP and nRCDRDMAC. Transfers, mode switches and the
    first row's activate are not counted.
    """
    p = standard.params
    switch = p["nRTP"] + p["nRP"] + p["nRCDRDMAC"]
    opsize, mask, row = _sweeps(encoded)
    worst = 0
    for channel in range(channels):
        mine = (mask >> channel & 1).astype(bool)
        rows = len(set(row[mine].tolist()))
        if rows:
            worst = max(worst, (int(opsize[mine].sum()) - rows) * p["nCCDL"] + (rows - 1) * switch + 1)
    return worst


def swept_columns(encoded: Ints, standard: Standard) -> int:
    """Columns that an operator's MAC_ABKs sweep, each bank of each channel counted."""
    opsize, mask, _ = _sweeps(encoded)
    swept: int = sum(n * m.bit_count() for n, m in zip(opsize.tolist(), mask.tolist(), strict=True))
    return swept * standard.banks


def _sweeps(encoded: Ints) -> tuple[Ints, Ints, Ints]:
    """opsize, mask and row of the MAC_ABKs."""
    sweeps = encoded[encoded[:, 0] == _SWEEP]
    opsize, mask, row = (sweeps[:, COLUMNS.index(name)] for name in ("opsize", "mask", "row"))
    return opsize, mask, row
