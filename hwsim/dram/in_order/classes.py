"""Channels of equal state and equal program are played once.

Two states are equal for the future if nothing that is played from a cycle on can tell them apart. Rows and the next
refresh must be the same. A first allowed cycle may differ where both values lie at or before the first cycle in which
the channels can issue anything: it then holds nothing back. A past issue may differ where the longest wait after both
is over by that cycle.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import NEVER


@compiled
def regroup(s, reach, program_of, start):
    """Put the channels of equal state and program into one class, before the programs are played from `start` on.

    `reach` is the longest wait after an issue.
    """
    for c in range(1, s.class_of.size):
        if s.class_of[c] != s.class_of[0] or program_of[c] != program_of[0]:
            _merge(s, reach, start)
            _split(s, program_of)
            return


@inlined
def members(s, c):
    """How many channels a channel stands for."""
    number = 0
    for other in range(c, s.class_of.size):
        number += s.class_of[other] == c
    return number


@compiled
def _merge(s, reach, start):
    """Put channels into one class whose states can no longer be told apart."""
    channels = s.class_of.size
    for a in range(channels):
        if s.class_of[a] != a:
            continue
        for b in range(a + 1, channels):
            if s.class_of[b] == b and _alike(s, reach, a, b, start):
                for c in range(b, channels):
                    if s.class_of[c] == b:
                        s.class_of[c] = a


@compiled
def _alike(s, reach, a, b, start):
    """Whether two channels are equal for all that is played from `start` on."""
    banks = s.banks
    first = min(start, s.due[a])  # a refresh that fell due while the channel was idle comes before the program
    if s.due[a] != s.due[b] or not _equal_after(banks.open_rows[a], banks.open_rows[b], NEVER):
        return False
    if banks.last_issue[a] != banks.last_issue[b] and max(banks.last_issue[a], banks.last_issue[b]) >= first:
        return False
    for node in range(banks.allowed.shape[1]):
        if not _equal_after(banks.allowed[a, node], banks.allowed[b, node], first):
            return False
    past = first - reach
    return _equal_after(banks.history[a], banks.history[b], past) and _equal_after(
        s.data_issues[a], s.data_issues[b], past
    )


@compiled
def _equal_after(xs, ys, cycle):
    """Whether two lists of cycles are equal where they lie after `cycle`."""
    i = 0
    while i < xs.size and (xs[i] == ys[i] or max(xs[i], ys[i]) <= cycle):
        i += 1
    return i == xs.size


@compiled
def _split(s, program_of):
    """Put channels that are about to play different programs into different classes.

    Going backwards, no channel is changed before those after it have looked at it.
    """
    for c in range(s.class_of.size - 1, -1, -1):
        first = _first_alike(s.class_of, program_of, c)
        if first == c and s.class_of[c] != c:
            _copy(s, c, s.class_of[c])
        s.class_of[c] = first


@inlined
def _first_alike(class_of, program_of, c):
    """The first channel of the same class and program."""
    for d in range(c):
        if class_of[d] == class_of[c] and program_of[d] == program_of[c]:
            return d
    return c


@compiled
def _copy(s, to, source):
    """Give a channel the state of another."""
    banks = s.banks
    s.due[to] = s.due[source]
    banks.common_row[to] = banks.common_row[source]
    banks.open_banks[to] = banks.open_banks[source]
    banks.last_issue[to] = banks.last_issue[source]
    _copy_all(banks.open_rows[to], banks.open_rows[source])
    _copy_all(banks.history[to], banks.history[source])
    _copy_all(s.data_issues[to], s.data_issues[source])
    for node in range(banks.allowed.shape[1]):
        _copy_all(banks.allowed[to, node], banks.allowed[source, node])


@compiled
def _copy_all(to, source):
    for i in range(to.size):
        to[i] = source[i]
