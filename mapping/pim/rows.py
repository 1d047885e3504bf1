"""Placement for memories whose instructions address whole rows: every vector that is swept begins on a new row."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.errors import MappingError
from hwsim.mapping.pim.placement import Address, ceil_div
from hwsim.mapping.pim.target import BankGeometry


@dataclass(frozen=True, kw_only=True)
class RowMatrix:
    """A weight matrix: a row holds one chunk of the inputs of one output.

    Outputs form groups with one in each bank; group g lies in channel g mod channels, slot g // channels. The rows of a
    chunk's slots follow each other, chunk after chunk.
    """

    operator: str
    d_in: int
    d_out: int
    base_row: int
    target: BankGeometry

    @property
    def groups(self) -> int:
        return ceil_div(self.d_out, self.target.banks)

    @property
    def slots(self) -> int:
        """Outputs of the fullest bank."""
        return ceil_div(self.groups, self.target.channels)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Inputs of each chunk."""
        longest = self.target.chunk_elements
        return tuple(min(longest, self.d_in - first) for first in range(0, self.d_in, longest))

    @property
    def rows(self) -> int:
        """Rows that it takes in every bank."""
        return self.slots * len(self.chunks)

    def row(self, chunk: int, slot: int) -> int:
        """Row of a slot's chunk, counted from the matrix's first row."""
        return chunk * self.slots + slot

    def channels(self, slot: int) -> int:
        """How many channels, from the first on, have outputs in a slot."""
        return min(self.target.channels, self.groups - slot * self.target.channels)

    def address(self, output: int, element: int) -> Address:
        """Where the weight of (output, input element) lies."""
        group, bank = divmod(output, self.target.banks)
        slot, channel = divmod(group, self.target.channels)
        chunk, within = divmod(element, self.target.chunk_elements)
        column, lane = divmod(within, self.target.lanes)
        return Address(channel, bank, self.base_row + self.row(chunk, slot), column, lane)


@dataclass(frozen=True, kw_only=True)
class RowCache:
    """Reserved rows for K and V of one layer and `batch` sequences of up to `context` tokens.

    K: token t lies in bank t mod banks; after as many tokens as there are banks comes the next channel. A token's heads
    follow each other in its row, whole heads only. V: a row holds one dimension of one head over the tokens; groups of
    `banks` dimensions, one in each bank, go to the channels in turn.
    """

    operator: str
    heads: int
    kv_heads: int
    d_k: int
    d_v: int
    context: int
    batch: int
    base_row: int
    target: BankGeometry

    def __post_init__(self) -> None:
        if self.d_k > self.target.chunk_elements:
            raise MappingError(
                f"{self.operator}: a head of {self.d_k} elements does not fit a row and buffer "
                f"of {self.target.chunk_elements}"
            )

    @property
    def share(self) -> int:
        """Query heads for each head of keys and values."""
        return self.heads // self.kv_heads

    @property
    def head_columns(self) -> int:
        """Column accesses of one head's key; a part-filled last one is padding."""
        return ceil_div(self.d_k, self.target.lanes)

    @property
    def heads_a_row(self) -> int:
        """Heads of keys in a row: at most as many as the vector buffer holds queries for."""
        return min(self.kv_heads, self.target.chunk_elements // (self.head_columns * self.target.lanes))

    @property
    def key_rows(self) -> int:
        """Rows of one token's key."""
        return ceil_div(self.kv_heads, self.heads_a_row)

    @property
    def k_rows(self) -> int:
        """Rows per sequence for K, in every bank."""
        return ceil_div(self.context, self.target.all_banks) * self.key_rows

    @property
    def head_groups(self) -> int:
        """Groups of dimensions per head."""
        return ceil_div(self.d_v, self.target.banks)

    @property
    def groups(self) -> int:
        return self.kv_heads * self.head_groups

    @property
    def places(self) -> int:
        """Groups in the fullest channel."""
        return ceil_div(self.groups, self.target.channels)

    @property
    def parts(self) -> int:
        """Rows for one dimension over all tokens."""
        return ceil_div(self.context, self.target.chunk_elements)

    @property
    def rows(self) -> int:
        """Rows of all sequences."""
        return self.batch * (self.k_rows + self.places * self.parts)

    def k_home(self, token: int) -> tuple[int, int, int]:
        """(channel, bank, slot) of a token's key."""
        rest, bank = divmod(token, self.target.banks)
        slot, channel = divmod(rest, self.target.channels)
        return channel, bank, slot

    def k_row(self, sequence: int, slot: int, part: int) -> int:
        """Row of a slot's heads `part * heads_a_row` and following, counted from the cache's first."""
        return sequence * (self.rows // self.batch) + slot * self.key_rows + part

    def v_row(self, sequence: int, place: int, part: int) -> int:
        """Row of a place's tokens `part * chunk_elements` and following, counted from the cache's first."""
        return sequence * (self.rows // self.batch) + self.k_rows + place * self.parts + part

    def place_heads(self, place: int) -> tuple[int, ...]:
        """The head of keys and values that each channel has at a place; channels after the last one have none."""
        first = place * self.target.channels
        last = min(first + self.target.channels, self.groups)
        return tuple(group // self.head_groups for group in range(first, last))

    def k_address(self, sequence: int, token: int, head: int, element: int) -> Address:
        """Where element `element` of a head's key of a token lies."""
        channel, bank, slot = self.k_home(token)
        part, place = divmod(head, self.heads_a_row)
        column, lane = divmod(element, self.target.lanes)
        row = self.base_row + self.k_row(sequence, slot, part)
        return Address(channel, bank, row, place * self.head_columns + column, lane)

    def v_address(self, sequence: int, token: int, head: int, element: int) -> Address:
        """Where element `element` of a head's value of a token lies."""
        group, bank = divmod(element, self.target.banks)
        place, channel = divmod(head * self.head_groups + group, self.target.channels)
        part, within = divmod(token, self.target.chunk_elements)
        column, lane = divmod(within, self.target.lanes)
        return Address(channel, bank, self.base_row + self.v_row(sequence, place, part), column, lane)
