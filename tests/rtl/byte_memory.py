"""A memory of bytes, read and written at the addresses that the machine's tasks name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwsim.fabric.task import Transfer

Bytes = NDArray[np.uint8]


class ByteMemory:
    """Beats of `beat_bytes`; what nobody has written is not 0.

    Parameters
    ----------
    end : the first address behind it
    """

    def __init__(self, end: int, beat_bytes: int) -> None:
        self.beat_bytes = beat_bytes
        self._beats = np.full((-(-end // beat_bytes), beat_bytes), 0xA5, dtype=np.uint8)

    def put(self, address: int, numbers: NDArray[np.generic]) -> None:
        """Numbers one after the other, little endian."""
        data = np.ascontiguousarray(numbers).view(np.uint8).ravel()
        self._beats.reshape(-1)[address : address + data.size] = data

    def read(self, transfer: Transfer) -> Bytes:
        """(beats, beat_bytes) in the order of the transfer."""
        return self._beats[self._places(transfer)]

    def write(self, transfer: Transfer, beats: Bytes) -> None:
        """(beats, beat_bytes) in the order of the transfer."""
        places = self._places(transfer)
        assert beats.shape == (len(places), self.beat_bytes), (transfer.fifo, beats.shape, len(places))
        self._beats[places] = beats

    def _places(self, transfer: Transfer) -> NDArray[np.int64]:
        chunks = np.array(transfer.chunks, dtype=np.int64)
        assert not (chunks % self.beat_bytes).any(), f"{transfer.fifo}: chunks begin within beats"
        places = chunks[:, None] // self.beat_bytes + np.arange(transfer.beats)
        return places.ravel()[: transfer.limit]
