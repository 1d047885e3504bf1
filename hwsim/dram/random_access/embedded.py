"""A memory inside another kernel: what `MemoryPort` does, as compiled functions on its arrays.

port = MemoryPort(mapping, parameters, [Master(name="dma")])
memory, kept = port.arrays

@compiled
def load(memory, kept, rows):                       # in a module of its own
for row in range(rows):
offer(memory, 0, False, row * 4096, 64, 64, 64, memory.host[Host.CYCLE], row)
while known(memory) == 0:
advance(memory, kept, memory.host[Host.CYCLE] + 1)
...
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.random_access.kernel import play
from hwsim.dram.random_access.state import Asking, Host, RunField


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
    return play(m, kept, until, False, False, m.recent, False) != 0


@compiled
def advance_to_completion(m, kept, until):
    """As `advance`, and stop as soon as a completion is known, which may lie later than the memory's cycle."""
    return play(m, kept, until, False, True, m.recent, False) != 0


@inlined
def known(m):
    """Number of completions that were not taken, rows of `Memory.completions`: cycle, ticket, beat."""
    return m.host[Host.COMPLETED]


@inlined
def take_completions(m):
    """All known completions were read."""
    m.host[Host.COMPLETED] = 0
