"""The fast memory: the reference's rules compiled by numba; it skips cycles in which nothing can happen.

A channel in which nothing can be issued sleeps until the first cycle that the table allows for one of its candidates,
its next refresh, or a new access that could go first. What repeats itself is entered at once (`repeat.py`).
docs/dram.md has the rules, `state.py` the arrays.
"""

from __future__ import annotations

from hwsim.dram.device.compiled import compiled, inlined
from hwsim.dram.device.tables import FOREVER
from hwsim.dram.random_access.fields import Asking, Channel, Host, Limit, Stop
from hwsim.dram.random_access.port import NEEDS_MORE, end_of_taking, take
from hwsim.dram.random_access.repeat import repeat
from hwsim.dram.random_access.scheduler import step


@compiled
def play(m, kept, until, feeding, eager, log, record):
    """Play the cycles before `until`, or with FOREVER until nothing waits.

    Returns
    -------
    Why it stopped (`fields.Stop`): COMPLETED only if `eager`, MORE_RUNS only if `feeding`.
    """
    channels = m.channels.shape[0]
    while True:
        if _full(m, log, record):
            return Stop.FULL.value
        cycle = m.host[Host.CYCLE]
        if cycle >= until:
            return Stop.REACHED.value
        if eager and m.host[Host.COMPLETED] > 0:
            return Stop.COMPLETED.value
        later = take(m, cycle, feeding)
        if later == NEEDS_MORE:
            return Stop.MORE_RUNS.value
        end_of_taking(m, cycle)
        if not record:
            repeat(m, kept, until)
            cycle = m.host[Host.CYCLE]
        following, served, waiting = FOREVER, False, False
        for c in range(channels):
            if m.channels[c, Channel.WAKE] <= cycle:
                served |= step(m, c, cycle, log, record)
            following = min(following, m.channels[c, Channel.WAKE])
            waiting |= m.channels[c, Channel.LENGTH] > 0 or m.channels[c, Channel.LENGTH + 1] > 0
        asking = False
        for master in range(m.masters.shape[0]):
            asking |= m.masters[master, Asking.RUNS] > 0
        if asking:
            following = min(following, cycle + 1 if served else _next_taking(m, cycle, later))
        elif until == FOREVER and not waiting:
            m.host[Host.CYCLE] = cycle + 1
            return Stop.DONE.value
        m.host[Host.CYCLE] = min(following, until)


@inlined
def _full(m, log, record):
    """Whether one more cycle might not find room in the buffers."""
    more = m.channels.shape[0] + m.limits[Limit.WIDTH]
    return (
        m.host[Host.COMPLETED] + more > m.completions.shape[0]
        or m.host[Host.LONG] + 2 * more > m.long_latencies.shape[0]
        or (record and m.host[Host.LOGGED] + more > log.shape[0])
    )


@inlined
def _next_taking(m, cycle, later):
    """When an access could be taken: at the time that the port knows, or when a limit is released."""
    if m.host[Host.RELEASES] > 0:
        later = min(later, m.releases[m.host[Host.RELEASES] - 1, 0])
    return max(later, cycle + 1)
