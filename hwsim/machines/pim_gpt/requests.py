"""DRAM programs of PIM-GPT: how a sweep of weights, keys or values becomes requests to the channels.

In all of them the vector goes to the channel's buffer (`WRGB`), all banks multiply and accumulate (`MAC16`), and
the accumulators are read (`RDMAC16`) before they would overflow. Rows count from the operator's first row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.package import PackageProgram
from hwsim.dram.in_order.program import ALL_BANKS, Field, Request, encode
from hwsim.mapping.errors import MappingError
from hwsim.mapping.pim import CachePlacement, MatrixPlacement
from hwsim.mapping.pim.placement import ceil_div

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Query:
    """The part of a token's attention in an instruction: keys [first, last), query heads [head, head_end)."""

    sequence: int
    first: int
    last: int
    head: int
    head_end: int

    @property
    def heads(self) -> int:
        return self.head_end - self.head


class ColumnRun(NamedTuple):
    """Results `first` to `first + results` of a sweep, each for `members` vectors in the buffer."""

    first: int
    results: int
    members: int


class Share(NamedTuple):
    """Neighbouring query heads that share a head of keys and values."""

    key_head: int
    members: int


@dataclass(frozen=True, kw_only=True)
class RequestBuilder:
    """Builds programs for a standard; the same arguments give equal programs."""

    standard: Standard
    accumulators: int
    row_reuse: bool
    transfers_a_result: int = 1

    def vectors_at_once(self, matrix: MatrixPlacement, vectors: int) -> int:
        """Vectors that one opened row serves."""
        if not self.row_reuse:
            return 1
        longest = max(chunk.columns * matrix.target.lanes for chunk in matrix.chunks)
        return max(1, min(vectors, matrix.target.buffer_elements // longest, self.accumulators))

    def linear(self, matrix: MatrixPlacement, vectors: int) -> PackageProgram:
        """Multiply `vectors` vectors by a matrix."""
        return self._package(self._linear(matrix, channel, vectors) for channel in range(matrix.target.channels))

    def scores(self, cache: CachePlacement, queries: tuple[Query, ...]) -> PackageProgram:
        """Q K^T of some queries."""
        channels = range(cache.target.channels)
        return self._package(
            [request for query in queries for request in self._scores(cache, channel, query)] for channel in channels
        )

    def values(self, cache: CachePlacement, queries: tuple[Query, ...]) -> PackageProgram:
        """Probabilities times V of some queries."""
        channels = range(cache.target.channels)
        return self._package(
            [request for query in queries for request in self._values(cache, channel, query)] for channel in channels
        )

    def write_keys(self, cache: CachePlacement, tokens: Iterable[tuple[int, int]]) -> PackageProgram:
        """Write the keys of some (sequence, token), each into its bank."""
        programs: list[list[Request]] = [[] for _ in range(cache.target.channels)]
        for sequence, token in tokens:
            channel, bank, slot = cache.k_home(token)
            row, column = self._place(cache.k_base(sequence), slot * cache.key_columns)
            programs[channel].append(Request(command="WR", bank=bank, row=row, column=column, count=cache.key_columns))
        return self._package(programs)

    def write_values(self, cache: CachePlacement, tokens: Iterable[tuple[int, int]]) -> PackageProgram:
        """Write the values of some (sequence, token): one column in a row for each group of dimensions.

        One transfer carries an element for each bank; the other elements of the column are masked.
        """
        programs: list[list[Request]] = [[] for _ in range(cache.target.channels)]
        for sequence, token in tokens:
            part, within = divmod(token, cache.target.row_elements)
            for channel, program in enumerate(programs):
                for place in range(len(cache.groups(channel))):
                    row = cache.v_base(sequence) + place * cache.dimension_rows + part
                    program.append(Request(command="WRA16", row=row, column=within // cache.target.lanes))
        return self._package(programs)

    def _linear(self, matrix: MatrixPlacement, channel: int, vectors: int) -> Iterator[Request]:
        slots = matrix.slots(channel)
        if not slots:
            return
        together = self.vectors_at_once(matrix, vectors)
        for done in range(0, vectors, together):
            group = min(together, vectors - done)
            for chunk in matrix.chunks:
                yield Request(command="WRGB", count=group * chunk.columns)
                batch = self.accumulators // group
                for slot in range(0, slots, batch):
                    outputs = min(batch, slots - slot)
                    row, column = self._place(0, chunk.base_column + slot * chunk.columns)
                    yield Request(command="MAC16", row=row, column=column, count=outputs * chunk.columns, repeat=group)
                    yield self._read(outputs * group)

    def _scores(self, cache: CachePlacement, channel: int, query: Query) -> Iterator[Request]:
        slots = _slots(cache, channel, query)
        if not slots:
            return
        width = cache.head_columns
        heads_at_once = cache.target.buffer_elements // (width * cache.target.lanes)
        if heads_at_once < 1:
            raise MappingError(
                f"{cache.operator}: a head of {cache.head_dim} elements does not fit the vector buffer "
                f"of {cache.target.buffer_elements}"
            )
        for head in range(query.head, query.head_end, heads_at_once):
            end = min(head + heads_at_once, query.head_end)
            yield Request(command="WRGB", count=(end - head) * width)
            yield from self._sweep(cache.k_base(query.sequence), self._key_runs(cache, slots, head, end), width)

    def _key_runs(self, cache: CachePlacement, slots: range, head: int, end: int) -> Iterator[ColumnRun]:
        """The keys by which the query heads [head, end) in the buffer are multiplied, slot by slot.

        Query heads of a group sweep the same keys one after the other while their row is open.
        """
        for parts in self._shared(cache, head, end):
            if len(parts) == cache.heads:  # a bank's tokens lie back to back: one run
                yield ColumnRun(slots[0] * cache.heads, len(slots) * cache.heads, parts[0].members)
                continue
            first = parts[0].key_head
            for slot in slots:
                yield ColumnRun(slot * cache.heads + first, len(parts), parts[0].members)

    def _shared(self, cache: CachePlacement, head: int, end: int) -> Iterator[list[Share]]:
        """Group the query heads [head, end) by the key head that they share; neighbours of equal size are joined."""
        together: list[Share] = []
        for share in _shares(cache, head, end, self.accumulators):
            follows = together and share.key_head == together[-1].key_head + 1
            if together and not (follows and share.members == together[0].members):
                yield together
                together = []
            together.append(share)
        yield together

    def _sweep(self, base_row: int, runs: Iterable[ColumnRun], width: int) -> Iterator[Request]:
        """Sweep runs with `width` columns per result; read whenever the accumulators are full."""
        pending = 0
        for first, results, members in runs:
            done = 0
            while done < results:
                part = min(results - done, (self.accumulators - pending) // members)
                if part:
                    row, column = self._place(base_row, (first + done) * width)
                    yield Request(command="MAC16", row=row, column=column, count=part * width, repeat=members)
                    done, pending = done + part, pending + part * members
                if not part or pending == self.accumulators:
                    yield self._read(pending)
                    pending = 0
        if pending:
            yield self._read(pending)

    def _values(self, cache: CachePlacement, channel: int, query: Query) -> Iterator[Request]:
        lanes = cache.target.lanes
        places: dict[int, list[int]] = defaultdict(list)  # of this channel's groups of dimensions, by head
        for place, group in enumerate(cache.groups(channel)):
            places[group // cache.head_groups].append(place)
        for first, last in value_chunks(cache, query):
            part, start = divmod(first, cache.target.row_elements)
            columns = ceil_div(start + last - first, lanes) - start // lanes
            held = cache.target.buffer_elements // (columns * lanes)  # query heads whose probabilities the buffer holds
            pending = 0
            for share in _shares(cache, query.head, query.head_end, min(held, self.accumulators)):
                if share.key_head not in places:
                    continue
                yield Request(command="WRGB", count=share.members * columns)
                for place in places[share.key_head]:
                    if pending + share.members > self.accumulators:
                        yield self._read(pending)
                        pending = 0
                    row = cache.v_base(query.sequence) + place * cache.dimension_rows + part
                    yield Request(command="MAC16", row=row, column=start // lanes, count=columns, repeat=share.members)
                    pending += share.members
                    if pending == self.accumulators:
                        yield self._read(pending)
                        pending = 0
            if pending:
                yield self._read(pending)

    def _read(self, results: int) -> Request:
        """Read `results` accumulators of every bank."""
        return Request(command="RDMAC16", count=results, repeat=self.transfers_a_result)

    def _place(self, base_row: int, column: int) -> tuple[int, int]:
        row, within = divmod(column, self.standard.columns)
        return base_row + row, within

    def _package(self, programs: Iterable[Iterable[Request]]) -> PackageProgram:
        return PackageProgram.of([encode(list(requests), self.standard) for requests in programs])


def _shares(cache: CachePlacement, head: int, end: int, most: int) -> Iterator[Share]:
    """Group the query heads [head, end) by the key head that they share, at most `most` at once."""
    while head < end:
        key_head = head // cache.group
        members = min(end, (key_head + 1) * cache.group, head + most) - head
        yield Share(key_head, members)
        head += members


def value_chunks(cache: CachePlacement, query: Query) -> list[tuple[int, int]]:
    """Ranges of tokens whose probabilities fit the buffer and whose values lie in one row; each gives a partial sum."""
    longest = cache.target.chunk_elements
    cuts = [query.first, *range((query.first // longest + 1) * longest, query.last, longest), query.last]
    return list(pairwise(cuts))


def bound_cycles(program: PackageProgram, standard: Standard, *, first_row_open: bool = False) -> int:
    """Lower bound on cycles for any order of commands, from the rows and columns that a program touches.

    With `first_row_open` the first row may have been opened earlier, during other units' work.

    Each opened row counts tRCD and tRP, each column access tCCD, each written V row tRCD + tCCD + tWR + tRP (the last
    row's tWR + tRP may overlap later work). Transfers, refresh and everything that these can hide are not counted. The
    longest channel decides.
    """
    p = standard.params
    names = list(standard.commands)
    mac, write_all = names.index("MAC16"), names.index("WRA16")
    worst = 0
    for index in range(len(program.offsets) - 1):
        requests = program.requests[program.offsets[index] : program.offsets[index + 1]]
        columns = requests.T
        sweeps = (columns[Field.COMMAND] == mac) & (columns[Field.BANK] == ALL_BANKS)
        row, column, count = (columns[field][sweeps] for field in (Field.ROW, Field.COLUMN, Field.COUNT))
        accesses = int((count * columns[Field.REPEAT][sweeps]).sum())
        last_row = row + (column + count - 1) // standard.columns
        rows = int((last_row - row + 1).sum()) - int((row[1:] == last_row[:-1]).sum())
        writes = int(columns[Field.COUNT][columns[Field.COMMAND] == write_all].sum())
        if first_row_open:
            rows = max(rows - 1, 0)
        cycles = rows * (p["nRCD"] + p["nRP"]) + accesses * p["nCCD"]
        recovery = p["nWR"] + p["nRP"]
        opening = p.get("nRCDWR", p["nRCD"])
        cycles += writes * (opening + p["nCCD"] + recovery)
        if writes:
            cycles -= recovery + (opening if first_row_open else 0)
        worst = max(worst, cycles)
    return worst


def _slots(cache: CachePlacement, channel: int, query: Query) -> range:
    """Slots of a channel's banks that hold keys of the query's range."""
    channels, all_banks = cache.target.channels, cache.target.all_banks
    first = query.first + (channel - query.first) % channels
    if first >= query.last:
        return range(0)
    last = query.last - 1 - (query.last - 1 - channel) % channels
    return range(first // all_banks, last // all_banks + 1)
