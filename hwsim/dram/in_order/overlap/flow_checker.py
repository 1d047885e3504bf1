"""Did a log keep a program's data right? Walks the log and tracks the contents of buffer and accumulators.

It shares no code with the players. It compares the content of each column and accumulator with what the program would
find there if its commands were executed one by one in the program's own order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hwsim.dram.device.log import LoggedCommand
from hwsim.dram.device.standard import Standard
from hwsim.dram.in_order.overlap.dataflow import StreamCommands
from hwsim.dram.in_order.program import Request

ANY = -1  # any column of the buffer


@dataclass(kw_only=True)
class _Expected:
    """A program in its own order.

    Attributes
    ----------
    fills : the column that each transfer goes to
    reads : for each access that computes, the columns it may read and the transfer that each must hold
    results : for each access that computes, the range of results that it may add to
    parts : for each result, the accesses that add to it
    drains : for each drain, its result
    """

    fills: list[int] = field(default_factory=list)
    reads: list[dict[int, int]] = field(default_factory=list)
    results: list[tuple[int, int]] = field(default_factory=list)
    parts: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    drains: list[int] = field(default_factory=list)


def first_broken_flow(
    log: Sequence[LoggedCommand], requests: Sequence[Request], standard: Standard, accumulators: int
) -> str | None:
    """The first command in a program's log that finds wrong data, or None; the channel is idle when `log` begins."""
    names = StreamCommands.of(standard)
    expected = _walk(requests, names)
    sent: list[tuple[int, int]] = []  # (cycle, column) of each fill
    computed: list[int] = []  # cycle of each access that computes
    held: dict[int, set[int]] = defaultdict(set)  # accumulator -> accesses in it
    drained = 0
    for entry in log:
        if entry.command == names.fill:
            column = expected.fills[len(sent)]
            for number in range(len(computed) - 1, -1, -1):
                if computed[number] + names.compute_to_fill <= entry.cycle:
                    break
                if column in expected.reads[number]:
                    return f"{entry}: column {column} is still read by access {number}"
            sent.append((entry.cycle, column))
        elif entry.command == names.compute:
            number = len(computed)
            for column, transfer in expected.reads[number].items():
                arrived = [i for i, (_, at) in enumerate(sent) if at == column]
                if not arrived or arrived[-1] != transfer:
                    return f"{entry}: column {column} does not hold transfer {transfer}"
                if sent[transfer][0] + names.fill_to_compute > entry.cycle:
                    return f"{entry}: transfer {transfer} is still under way"
            for result in range(*expected.results[number]):
                contents = held[result % accumulators]
                if not contents <= expected.parts[result]:
                    return f"{entry}: the accumulator of result {result} still holds another"
                contents.add(number)
            computed.append(entry.cycle)
        elif entry.command == names.drain:
            result = expected.drains[drained]
            if held[result % accumulators] != expected.parts[result]:
                return f"{entry}: result {result} is not complete"
            drained += 1
            if drained == len(expected.drains) or expected.drains[drained] != result:
                held[result % accumulators] = set()
    found = (len(sent), len(computed), drained)
    needed = (len(expected.fills), len(expected.reads), len(expected.drains))
    return None if found == needed else f"found {found} fills, computing accesses and drains, expected {needed}"


def _walk(requests: Sequence[Request], names: StreamCommands) -> _Expected:
    expected = _Expected()
    buffer: dict[int, int] = {}
    period = position = base = 0
    group: list[tuple[int, bool]] = []

    def close(results: int) -> None:
        """Divide the group's accesses among its results."""
        nonlocal base
        shared = any(repeated for _, repeated in group)
        for place, (number, _) in enumerate(group):
            own = place * results // len(group)
            expected.results[number] = (base, base + results) if shared else (base + own, base + own + 1)
        for result in range(results):
            if shared:
                own_part = {number for number, _ in group}
            else:
                own_part = {n for place, (n, _) in enumerate(group) if place * results // len(group) == result}
            expected.parts[base + result] = own_part
        base += results
        group.clear()

    for request in requests:
        issues = request.count * request.repeat
        if request.command == names.fill and issues:
            for column in range(issues):
                buffer[column] = len(expected.fills)
                expected.fills.append(column)
            period, position = issues, 0
        elif request.command == names.compute:
            for place in range(position, position + issues):
                group.append((len(expected.reads), request.repeat > 1))
                expected.results.append((0, 0))
                if request.repeat > 1:
                    expected.reads.append(dict(buffer))
                else:
                    column = place % period if period else ANY
                    expected.reads.append({column: buffer[column]} if period else {})
            position += issues
        elif request.command == names.drain and request.count:
            expected.drains += [base + r for r in range(request.count) for _ in range(request.repeat)]
            close(request.count)
    close(1)
    return expected
