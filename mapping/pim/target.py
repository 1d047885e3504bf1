"""The properties of a memory that computes, for the compiler."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.formats import Format


@dataclass(frozen=True, kw_only=True)
class BankGeometry:
    """A memory with a MAC unit in each bank.

    Attributes
    ----------
    machine : name of the machine that has the memory, for messages
    banks : banks per channel, each with a MAC unit that works on one column access at a time
    rows : rows per bank
    columns : column accesses per row
    lanes : elements per column access
    buffer_elements : elements of the vector that a channel can hold for its banks
    fmt : number format of weights, cache and vectors
    """

    machine: str
    channels: int
    banks: int
    rows: int
    columns: int
    lanes: int
    buffer_elements: int
    fmt: Format

    @property
    def row_elements(self) -> int:
        return self.columns * self.lanes

    @property
    def all_banks(self) -> int:
        return self.channels * self.banks

    @property
    def chunk_elements(self) -> int:
        """Longest input that is swept at once: a row, or the buffer if that is smaller."""
        return min(self.row_elements, self.buffer_elements)

    @property
    def bank_bytes(self) -> int:
        return self.rows * self.row_elements * self.fmt.bits // 8

    @property
    def capacity_bytes(self) -> int:
        return self.all_banks * self.rows * self.row_elements * self.fmt.bits // 8

    @property
    def row_bytes_everywhere(self) -> int:
        """Bytes of one row in every bank."""
        return self.all_banks * self.row_elements * self.fmt.bits // 8


@dataclass(frozen=True, kw_only=True)
class PimTarget(BankGeometry):
    """The memory, and sizes of the units outside it.

    Attributes
    ----------
    sram_bytes : working memory outside the DRAM
    score_bytes : bytes of an attention score in that memory
    """

    sram_bytes: int
    score_bytes: int
