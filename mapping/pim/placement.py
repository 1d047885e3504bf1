"""The place of every weight and every cache entry: explicit values from element to (channel, bank, row, column)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hwsim.mapping.errors import MappingError
from hwsim.mapping.pim.target import PimTarget


class Address(NamedTuple):
    """One element in the memory; `lane` counts elements within the column access."""

    channel: int
    bank: int
    row: int
    column: int
    lane: int


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A run of inputs that is swept at once: `columns` column accesses for each output, outputs back to back."""

    first_input: int
    inputs: int
    columns: int
    base_column: int  # of slot 0, in column accesses from the matrix's first row


@dataclass(frozen=True, kw_only=True)
class MatrixPlacement:
    """A weight matrix, its outputs split evenly over channels, then over the banks of each.

    Output j of a channel's share lies in bank j mod banks, slot j // banks; in each bank the slots of a chunk
    follow each other without gaps, so that rows are filled. Every matrix begins on a new row.
    """

    operator: str
    d_in: int
    d_out: int
    base_row: int
    chunks: tuple[Chunk, ...]
    target: PimTarget

    @classmethod
    def place(cls, operator: str, d_in: int, d_out: int, base_row: int, target: PimTarget) -> MatrixPlacement:
        slots = ceil_div(ceil_div(d_out, target.channels), target.banks)
        chunks, base = [], 0
        for first in range(0, d_in, target.chunk_elements):
            inputs = min(target.chunk_elements, d_in - first)
            columns = ceil_div(inputs, target.lanes)
            chunks.append(Chunk(first_input=first, inputs=inputs, columns=columns, base_column=base))
            base += slots * columns
        return cls(operator=operator, d_in=d_in, d_out=d_out, base_row=base_row, chunks=tuple(chunks), target=target)

    @property
    def rows(self) -> int:
        """Rows that it takes in every bank."""
        slots = self.slots(0)  # channel 0 has the largest share
        return ceil_div(sum(slots * chunk.columns for chunk in self.chunks), self.target.columns)

    def outputs(self, channel: int) -> int:
        """Outputs of one channel's share."""
        share, rest = divmod(self.d_out, self.target.channels)
        return share + (channel < rest)

    def slots(self, channel: int) -> int:
        """Outputs per bank of one channel; the last slot is padded if the banks do not divide the share."""
        return ceil_div(self.outputs(channel), self.target.banks)

    def address(self, output: int, element: int) -> Address:
        """Where the weight of (output, input element) lies."""
        share, rest = divmod(self.d_out, self.target.channels)
        longer = rest * (share + 1)
        if output < longer:
            channel, local = divmod(output, share + 1)
        else:
            channel, local = divmod(output - longer, share)
            channel += rest
        slot, bank = divmod(local, self.target.banks)
        chunk = self.chunks[element // self.target.chunk_elements]
        column, lane = divmod(element - chunk.first_input, self.target.lanes)
        row, column = divmod(chunk.base_column + slot * chunk.columns + column, self.target.columns)
        return Address(channel, bank, self.base_row + row, column, lane)

    @property
    def padding_elements(self) -> int:
        """Places that sweeps read in addition to the weights: part-filled columns and slots without an output."""
        columns = sum(chunk.columns for chunk in self.chunks)
        swept = sum(self.slots(c) for c in range(self.target.channels)) * self.target.banks * columns
        return swept * self.target.lanes - self.d_in * self.d_out


@dataclass(frozen=True, kw_only=True)
class CachePlacement:
    """Reserved space for K and V of one layer and `batch` sequences of up to `context` tokens.

    K is row-major: token t lies in one bank (t mod all banks; neighbouring tokens in neighbouring channels),
    heads concatenated, a bank's tokens back to back. V is column-major: each dimension's sequence of tokens is
    contiguous and begins on a row; a group of `banks` dimensions of one head, one in each bank, shares a channel, and
    groups go to the channels in turn.

    Attributes
    ----------
    heads : heads of keys and values
    group : query heads that share each of them
    """

    operator: str
    heads: int
    group: int = 1
    head_dim: int
    context: int
    batch: int
    base_row: int
    target: PimTarget

    @property
    def head_columns(self) -> int:
        """Column accesses of one head's key; a part-filled last one is padding."""
        return ceil_div(self.head_dim, self.target.lanes)

    @property
    def key_columns(self) -> int:
        """Column accesses of one token's key, all heads."""
        return self.heads * self.head_columns

    @property
    def k_rows(self) -> int:
        """Rows per sequence for K, in every bank."""
        return ceil_div(ceil_div(self.context, self.target.all_banks) * self.key_columns, self.target.columns)

    @property
    def head_groups(self) -> int:
        """Groups of dimensions per head."""
        return ceil_div(self.head_dim, self.target.banks)

    @property
    def dimension_rows(self) -> int:
        """Rows of one dimension's sequence of tokens."""
        return ceil_div(self.context, self.target.row_elements)

    def groups(self, channel: int) -> tuple[int, ...]:
        """The groups of dimensions of one channel, in the order of their places."""
        return tuple(range(channel, self.heads * self.head_groups, self.target.channels))

    @property
    def v_rows(self) -> int:
        """Rows per sequence for V, in every bank."""
        return len(self.groups(0)) * self.dimension_rows

    @property
    def rows(self) -> int:
        """Rows of all sequences."""
        return self.batch * (self.k_rows + self.v_rows)

    def k_base(self, sequence: int) -> int:
        """First row of a sequence's K, counted from the placement's own first row."""
        return sequence * (self.k_rows + self.v_rows)

    def v_base(self, sequence: int) -> int:
        """First row of a sequence's V, counted from the placement's own first row."""
        return self.k_base(sequence) + self.k_rows

    def k_home(self, token: int) -> tuple[int, int, int]:
        """(channel, bank, slot) of a token's key."""
        rest, channel = divmod(token, self.target.channels)
        slot, bank = divmod(rest, self.target.banks)
        return channel, bank, slot

    def k_address(self, sequence: int, token: int, head: int, element: int) -> Address:
        """Where element `element` of a head's key of a token lies."""
        channel, bank, slot = self.k_home(token)
        column, lane = divmod(element, self.target.lanes)
        linear = slot * self.key_columns + head * self.head_columns + column
        row, column = divmod(linear, self.target.columns)
        return Address(channel, bank, self.base_row + self.k_base(sequence) + row, column, lane)

    def v_address(self, sequence: int, token: int, head: int, element: int) -> Address:
        """Where element `element` of a head's value of a token lies."""
        group, bank = divmod(element, self.target.banks)
        place, channel = divmod(head * self.head_groups + group, self.target.channels)
        part, within = divmod(token, self.target.row_elements)
        column, lane = divmod(within, self.target.lanes)
        row = self.base_row + self.v_base(sequence) + place * self.dimension_rows + part
        return Address(channel, bank, row, column, lane)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Everything that lies in the memory, by operator."""

    target: PimTarget
    matrices: dict[str, MatrixPlacement]
    caches: dict[str, CachePlacement]

    @property
    def weight_rows(self) -> int:
        return sum(matrix.rows for matrix in self.matrices.values())

    @property
    def cache_rows(self) -> int:
        return sum(cache.rows for cache in self.caches.values())

    @property
    def rows(self) -> int:
        """Rows in use, in every bank."""
        return self.weight_rows + self.cache_rows

    @property
    def padding_bytes(self) -> int:
        """Bytes that weight sweeps read in vain."""
        elements = sum(matrix.padding_elements for matrix in self.matrices.values())
        return elements * self.target.fmt.bits // 8

    def heading(self) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        target = self.target
        return (
            f"{target.channels} channels x {target.banks} banks, {self.rows} of {target.rows} rows a bank, "
            f"padding {self.padding_bytes} B"
        )

    def places(self, operator: str) -> str:
        """See `hwsim.mapping.mapped.Placement`."""
        if operator in self.matrices:
            matrix = self.matrices[operator]
            chunks = " + ".join(str(chunk.inputs) for chunk in matrix.chunks)
            return (
                f"rows {matrix.base_row}..{matrix.base_row + matrix.rows - 1}, inputs {chunks}, "
                f"{matrix.slots(0)} outputs a bank, padding {matrix.padding_elements}"
            )
        if operator in self.caches:
            cache = self.caches[operator]
            last = cache.base_row + cache.rows - 1
            return f"rows {cache.base_row}..{last}, K {cache.k_rows}, V {cache.v_rows}"
        return ""

    def verify(self) -> None:
        """Check that placements do not overlap and lie within the banks.

        Raises
        ------
        MappingError : two operators share a row, or one lies outside
        """
        used = 0
        blocks: list[MatrixPlacement | CachePlacement] = [*self.matrices.values(), *self.caches.values()]
        for block in sorted(blocks, key=lambda b: b.base_row):
            if block.base_row < used:
                raise MappingError(f"{block.operator}: row {block.base_row} belongs to another operator")
            used = block.base_row + block.rows
        if used > self.target.rows:
            raise MappingError(f"{self.rows} rows a bank in use, but {used} of {self.target.rows} are needed")
