"""Operators as AiM instructions: which vectors go to the buffers, which rows are swept, which results are read.

Every product has the same form: WR_GB brings a vector to the channels' buffers, then groups of at most `accumulators`
results are begun by WR_BIAS, swept by MAC_ABK and read by RD_MAC. WR_BIAS carries the bias, or the partial sum of the
previous chunk, or zero. Instructions go to all channels of a mask at once, except WR_SBK and WR_ABK, which carry one
channel's data. Rows are counted from the operator's first row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from hwsim.dram.aim.isa import ACTIVATION_FUNCTION, Instruction
from hwsim.mapping.pim.placement import ceil_div
from hwsim.mapping.pim.rows import RowCache, RowMatrix


class Query(NamedTuple):
    """A new token: its sequence and the range of tokens that it attends to."""

    sequence: int
    first: int
    last: int


class Sweep(NamedTuple):
    """One result of each bank: `columns` of a row on some channels."""

    row: int
    columns: int
    mask: int


@dataclass(frozen=True, kw_only=True)
class ProgramBuilder:
    """Makes the instructions of operators.

    Attributes
    ----------
    accumulators : number of results that may be begun before they are read
    """

    channels: int
    accumulators: int

    def linear(self, matrix: RowMatrix, vectors: int, function: int | None) -> Iterator[Instruction]:
        """Products of a matrix with each vector, plus the bias.

        Parameters
        ----------
        function : value of configuration register 2 if the chip applies an activation function to y, otherwise None
        """
        slots = [self._first(matrix.channels(slot)) for slot in range(matrix.slots)]
        for _ in range(vectors):
            if function is not None:
                yield Instruction(operation="WR_CFR", bank=ACTIVATION_FUNCTION, row=function)
            for chunk, inputs in enumerate(matrix.chunks):
                columns = ceil_div(inputs, matrix.target.lanes)
                yield self._buffer(columns, slots[0])
                sweeps = [Sweep(matrix.row(chunk, slot), columns, mask) for slot, mask in enumerate(slots)]
                whole = chunk == len(matrix.chunks) - 1
                yield from self._results(sweeps, activated=whole and function is not None)

    def write_keys(self, cache: RowCache, tokens: list[tuple[int, int]]) -> Iterator[Instruction]:
        """Write each token's key into the rows of one bank; tokens are (sequence, position)."""
        for sequence, token in tokens:
            channel, bank, slot = cache.k_home(token)
            for part in range(cache.key_rows):
                row = cache.k_row(sequence, slot, part)
                write = Instruction(operation="WR_SBK", mask=self._one(channel), bank=bank, row=row)
                yield from [write] * (cache.head_columns * self._heads(cache, part))

    def write_values(self, cache: RowCache, tokens: list[tuple[int, int]]) -> Iterator[Instruction]:
        """Write each token's value, one element per dimension's row; a WR_ABK carries the elements of one channel."""
        for sequence, token in tokens:
            for place in range(cache.places):
                row = cache.v_row(sequence, place, token // cache.target.chunk_elements)
                for channel in range(len(cache.place_heads(place))):
                    yield Instruction(operation="WR_ABK", mask=self._one(channel), row=row)

    def scores(self, cache: RowCache, queries: tuple[Query, ...]) -> Iterator[Instruction]:
        """Products of each query's heads with the keys of its range; one result per bank's token and head."""
        for query in queries:
            slots = list(self._slots(cache, query))
            everyone = 0
            for _, mask in slots:
                everyone |= mask
            for part in range(cache.key_rows):
                heads = self._heads(cache, part)
                for _ in range(cache.share):  # query heads that share a head of keys, one after the other
                    yield self._buffer(heads * cache.head_columns, everyone)
                    sweeps = [
                        Sweep(cache.k_row(query.sequence, slot, part), cache.head_columns, mask)
                        for slot, mask in slots
                        for _ in range(heads)
                    ]
                    yield from self._results(sweeps)

    def values(self, cache: RowCache, queries: tuple[Query, ...]) -> Iterator[Instruction]:
        """Sums of values weighted by each query's probabilities, which differ by head and so by channel."""
        chunk, lanes = cache.target.chunk_elements, cache.target.lanes
        for query in queries:
            for part in range(query.first // chunk, ceil_div(query.last, chunk)):
                last = min(query.last, (part + 1) * chunk) - part * chunk
                columns = ceil_div(last, lanes)
                for heads, places in groupby(range(cache.places), cache.place_heads):
                    rows = [cache.v_row(query.sequence, place, part) for place in places]
                    mask = self._first(len(heads))
                    for _ in range(cache.share):
                        yield from self._probabilities(heads, columns)
                        yield from self._results([Sweep(row, columns, mask) for row in rows])

    def _probabilities(self, heads: tuple[int, ...], columns: int) -> Iterator[Instruction]:
        """Send to each channel's buffer the probabilities of the head whose values the channel holds."""
        for _, group in groupby(range(len(heads)), heads.__getitem__):
            yield self._buffer(columns, sum(map(self._one, group)))

    def _results(self, sweeps: list[Sweep], *, activated: bool = False) -> Iterator[Instruction]:
        """Begin, sweep and read results, as many at a time as there are accumulators."""
        for first in range(0, len(sweeps), self.accumulators):
            group = sweeps[first : first + self.accumulators]
            yield from [Instruction(operation="WR_BIAS", mask=sweep.mask) for sweep in group]
            for sweep in group:
                yield Instruction(operation="MAC_ABK", opsize=sweep.columns, mask=sweep.mask, row=sweep.row)
            if activated:
                yield from [Instruction(operation="AF", mask=sweep.mask) for sweep in group]
            read = "RD_AF" if activated else "RD_MAC"
            yield from [Instruction(operation=read, mask=sweep.mask) for sweep in group]

    def _slots(self, cache: RowCache, query: Query) -> Iterator[tuple[int, int]]:
        """Slots with keys of the query's range, each with the channels that have such keys."""
        banks = cache.target.banks
        begin, end = query.first // banks, ceil_div(query.last, banks)  # in groups of one token a bank
        for slot in range(begin // self.channels, ceil_div(end, self.channels)):
            low = max(begin - slot * self.channels, 0)
            high = min(end - slot * self.channels, self.channels)
            yield slot, self._first(high) & ~self._first(low)

    def _heads(self, cache: RowCache, part: int) -> int:
        """Heads of keys in a part of a token's rows."""
        return min(cache.heads_a_row, cache.kv_heads - part * cache.heads_a_row)

    def _buffer(self, columns: int, mask: int) -> Instruction:
        return Instruction(operation="WR_GB", opsize=columns, mask=mask)

    def _one(self, channel: int) -> int:
        """The mask of one channel: bit i is channel `channels - 1 - i`."""
        return 1 << (self.channels - 1 - channel)

    def _first(self, count: int) -> int:
        """The mask of the first channels."""
        return ((1 << count) - 1) << (self.channels - count)
