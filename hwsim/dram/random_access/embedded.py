"""A memory inside another kernel: what `MemoryPort` does, as compiled functions on its arrays (docs/memory_port.md).

A kernel gets `MemoryPort.arrays`, calls `offer`, then `advance` cycle by cycle or `advance_to_completion`, and reads
`Memory.completions`. It is compiled with `device.compiled.compiled_outside`.
"""

from __future__ import annotations

import numpy as np

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.random_access.fields import Asking, Host, RunField, Stop
from hwsim.dram.random_access.kernel import play

# numba compiles a function anew for each plain constant that it is called with, and once for these.
NO, YES = np.int64(0), np.int64(1)


@inlined
def offer(m, master, write, address, stride, count, size, arrival, ticket):
    """Append a run of a master; False if the port has no room for it. The caller keeps to the limits of `Run.check`."""
    waiting = m.masters[master, Asking.RUNS]
    if waiting == m.runs.shape[1]:
        return False
    place = (m.masters[master, Asking.HEAD] + waiting) % m.runs.shape[1]
    m.runs[master, place, RunField.WRITE] = write
    m.runs[master, place, RunField.ADDRESS] = address
    m.runs[master, place, RunField.STRIDE] = stride
    m.runs[master, place, RunField.COUNT] = count
    m.runs[master, place, RunField.SIZE] = size
    m.runs[master, place, RunField.ARRIVAL] = arrival
    m.runs[master, place, RunField.TICKET] = ticket
    m.runs[master, place, RunField.BEATS] = 0
    m.runs[master, place, RunField.TIMED] = 0
    m.masters[master, Asking.RUNS] = waiting + 1
    return True


@compiled
def advance(m, kept, until):
    """Play the cycles before `until`; False if completions must be taken first, because there is no room for more."""
    return play(m, kept, until, NO, NO, m.recent, NO) != Stop.FULL


@compiled
def advance_to_completion(m, kept, until):
    """As `advance`, and stop as soon as a completion is known, which may lie later than the memory's cycle."""
    return play(m, kept, until, NO, YES, m.recent, NO) != Stop.FULL


@inlined
def known(m):
    """Number of completions that were not taken, rows of `Memory.completions`: cycle, ticket, beat."""
    return m.host[Host.COMPLETED]


@inlined
def take_completions(m):
    """All known completions were read."""
    m.host[Host.COMPLETED] = 0
