"""Which access of a program needs which transfer: the order that remains when streams run at the same time.

A program's commands fall into three streams: accesses of the banks (`MAC16`, writes), *fills* of the vector buffer
(`WRGB`) and *drains* of the accumulators (`RDMAC16`). Three rules tie them together.

- The transfers of a fill request go to the buffer's columns, beginning with the first. Accesses that compute read these
  columns cyclically, one after the other, until the next fill request.
- The accesses between two drain requests compute the results that the second one reads. They are divided equally among
  these results, one result after the other. Each result goes to the next accumulator, cyclically. A drain request reads
  each result `repeat` times.
- An access that sweeps a row repeatedly may read any column, and its results become complete together.

Two more rules are for speed only, since the pins take long to turn from fills to drains. The first fill of a request
waits for the drains that free accumulators for two groups of accesses: the first ones that read the request's fills,
and those that would come while the pins turn. Once begun, the fills of a request continue without drains between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hwsim.dram.device.standard import Command, Standard
from hwsim.dram.in_order.program import Request, accesses_of
from hwsim.errors import DramError

NONE = -1


@dataclass(frozen=True, kw_only=True)
class StreamCommands:
    """The commands that make up the streams, and the waits between those that touch the same column.

    Attributes
    ----------
    fill, drain, compute : names of the commands
    fill_to_compute, compute_to_fill : cycles
    turnaround : computing accesses that fit between a fill and the next drain
    """

    fill: str
    drain: str
    compute: str
    fill_to_compute: int
    compute_to_fill: int
    turnaround: int

    @classmethod
    def of(cls, standard: Standard) -> StreamCommands:
        """The streams of a standard.

        Raises
        ------
        DramError : it has no vector buffer, or does not say which waits are for the buffer's data
        """

        def only(kind: str, access: str) -> str:
            found = [c.name for c in standard.commands.values() if c.kind == kind and c.access == access]
            if len(found) != 1:
                raise DramError(f"standard {standard.name} has no single {kind} command to {access}, so no streams")
            return found[0]

        fill, drain, compute = only("register", "write"), only("register", "read"), only("column", "compute")
        waits = {(c.preceding, c.following): c.latency for c in standard.constraints if c.hazard}
        if (fill, compute) not in waits:
            raise DramError(f"standard {standard.name} does not mark {fill} -> {compute} as a wait for data")
        wires = {(c.preceding, c.following): c.latency for c in standard.constraints if not c.hazard and c.window == 1}
        return cls(
            fill=fill,
            drain=drain,
            compute=compute,
            fill_to_compute=waits[fill, compute],
            compute_to_fill=waits.get((compute, fill), 0),
            turnaround=-(-wires.get((fill, drain), 0) // wires.get((compute, compute), 1)),
        )


@dataclass(frozen=True, kw_only=True)
class Access:
    """One access of the banks; `fill` and `drain` number the transfers that must be issued before it, or are NONE."""

    command: Command
    bank: int
    row: int
    column: int
    fill: int = NONE
    drain: int = NONE


@dataclass(frozen=True, kw_only=True)
class Dataflow:
    """A program as three streams.

    Attributes
    ----------
    accesses : in order
    fills : for each fill, the number of the last access that reads the data it overwrites, or NONE
    fill_drains : for each fill, the number of the last drain that goes before its request's first one, or NONE
    fill_begins : for each fill, whether it is its request's first one
    drains : for each drain, the number of the access that completes its result, or NONE
    """

    accesses: list[Access]
    fills: list[int]
    fill_drains: list[int]
    fill_begins: list[bool]
    drains: list[int]


def dataflow(requests: Sequence[Request], standard: Standard, accumulators: int) -> Dataflow:
    """Split a program into streams, access by access.

    Raises
    ------
    DramError : more results are computed before they are read than there are accumulators
    """
    names = StreamCommands.of(standard)
    results = _Results(accumulators)
    results.number(requests, names)
    buffer = _Buffer()
    accesses: list[Access] = []
    batches: list[tuple[int, int]] = []  # of fills: the access after them, their number
    for index, request in enumerate(requests):
        command = standard.commands[request.command]
        if command.name == names.fill:
            buffer.fill(request.count * request.repeat)
            batches.append((len(accesses), request.count * request.repeat))
        elif command.name == names.drain:
            results.drain(request)
        elif command.kind == "column":
            computes = command.name == names.compute
            for place, (row, column) in enumerate(accesses_of(request, standard)):
                fill = buffer.read(len(accesses), any_column=request.repeat > 1) if computes else NONE
                drain = results.make(index, place, len(accesses)) if computes else NONE
                accesses.append(
                    Access(command=command, bank=request.bank, row=row, column=column, fill=fill, drain=drain)
                )
        elif request.count:
            raise DramError(f"{command.name} belongs to no stream")
    first: list[int] = []
    begins: list[bool] = []
    for begin, count in batches:
        soon = [access.drain for access in accesses[begin : begin + count + names.turnaround]]
        made_before = [drain for drain in soon if drain >= 0 and results.waits[drain] < begin]
        first += [max(made_before, default=NONE)] * count
        begins += [place == 0 for place in range(count)]
    return Dataflow(accesses=accesses, fills=buffer.waits, fill_drains=first, fill_begins=begins, drains=results.waits)


@dataclass(kw_only=True)
class _Buffer:
    """Columns of the vector buffer: the last fill and the last access of each."""

    waits: list[int] = field(default_factory=list)
    period: int = 0
    position: int = 0
    writer: dict[int, int] = field(default_factory=dict)
    reader: dict[int, int] = field(default_factory=dict)
    any_reader: int = NONE  # the last that may have read any column

    def fill(self, columns: int) -> None:
        if not columns:
            return
        for column in range(columns):
            self.waits.append(max(self.reader.get(column, NONE), self.any_reader))
            self.writer[column] = len(self.waits) - 1
        self.period, self.position = columns, 0

    def read(self, access: int, *, any_column: bool) -> int:
        """The fill that an access waits for."""
        if any_column:
            self.any_reader = access
            self.position += 1
            return len(self.waits) - 1
        if not self.period:
            return NONE
        column = self.position % self.period
        self.position += 1
        self.reader[column] = access
        return self.writer[column]


@dataclass
class _Results:
    """Results and the accumulators that hold them, in order."""

    accumulators: int
    waits: list[int] = field(default_factory=list)  # for each drain
    drained: list[int] = field(default_factory=list)  # for each result, its last drain
    of_request: dict[int, tuple[int, int, int, int, bool]] = field(default_factory=dict)
    made: list[int] = field(default_factory=list)  # accesses since the last drain request
    shared: bool = False
    last: int = NONE

    def number(self, requests: Sequence[Request], names: StreamCommands) -> None:
        """For each request that computes: its first access, and its group's accesses, results and first result."""
        group: list[int] = []
        base = 0
        for index, request in enumerate([*requests, Request(command=names.drain)]):
            if request.command == names.compute:
                group.append(index)
            elif request.command == names.drain and request.count:
                if request.count > self.accumulators and group:
                    raise DramError(f"{request.count} results wait in {self.accumulators} accumulators to be read")
                sizes = [requests[i].count * requests[i].repeat for i in group]
                shared = any(requests[i].repeat > 1 for i in group)
                done = 0
                for i, size in zip(group, sizes, strict=True):
                    self.of_request[i] = (done, sum(sizes), request.count, base, shared)
                    done += size
                base += request.count
                group = []

    def make(self, request: int, place: int, access: int) -> int:
        """Add an access to its result; return the drain that must have freed the result's accumulator."""
        first, accesses, results, base, shared = self.of_request[request]
        self.made.append(access)
        self.shared = shared
        self.last = access
        own = results - 1 if shared else (first + place) * results // accesses
        held = base + own - self.accumulators
        return self.drained[held] if held >= 0 else NONE

    def drain(self, request: Request) -> None:
        for result in range(request.count):
            complete = self.last
            if self.made and not self.shared:
                complete = self.made[-(-(result + 1) * len(self.made) // request.count) - 1]
            self.waits += [complete] * request.repeat
            self.drained.append(len(self.waits) - 1)
        if request.count:
            self.made = []
