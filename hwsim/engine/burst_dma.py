"""A DMA engine on the fabric's clock that has a DRAM channel for itself: one burst after the other, by tables.

    dma = BurstDma(channel, base, fabric="fabric", memory="hbm", request_ns=50, response_ns=50)
    response = dma.transfer(0, write=False, offset=0, size=2048)
    response = dma.transfer(response, write=False, offset=0, size=2048)

It is equal to a `MemoryPort` of its own to the cycle, and takes a few microseconds a burst (docs/memory_port.md).
"""

from __future__ import annotations

from collections import Counter

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.dram.random_access.bursts import Refreshed, burst_times
from hwsim.engine.clock import TimeBase
from hwsim.errors import MachineError


class BurstDma:
    """One engine and its channel.

    In integers, with all times in ticks of the time base, `//` rounding down, the names being those of the attributes:

        arrival = -(-(tick + request) // memory_period)             # a cycle of the memory
        done = arrival + cycles[index]                              # by the rule of `bursts.py`
        response = -(-(done * memory_period + back) // fabric_period) * fabric_period

    So a request takes effect at the first edge of the memory's clock at or after it has arrived there, and a response
    at the first edge of the fabric's.

    Parameters
    ----------
    base : with the clocks of fabric and memory
    fabric, memory : their names there
    request_ns, response_ns : from the engine to the memory controller and back; rounded up to ticks

    Attributes
    ----------
    request, back, memory_period, fabric_period : in ticks
    free : the tick from which on the next burst may be requested: that of the last response
    bursts, bytes : how many so far, by direction: [reads, writes]
    commands : how many so far, by name, without refreshes

    Raises
    ------
    MachineError : a memory clock that is not the standard's, or ways so short that the channel would not have settled
        when the next burst arrives
    """

    def __init__(
        self,
        channel: BurstChannel,
        base: TimeBase,
        *,
        fabric: str = "fabric",
        memory: str = "memory",
        request_ns: float,
        response_ns: float,
    ) -> None:
        clock, name = base.clocks[memory], channel.standard.name
        if clock.freq_hz != channel.standard.clock_hz:
            raise MachineError(f"DMA engine on {name}: {clock} is not the standard's {channel.standard.clock_hz} Hz")
        self.channel = channel
        self.request, self.back = base.ticks_of_ns(request_ns), base.ticks_of_ns(response_ns)
        self.memory_period, self.fabric_period = clock.period_ticks, base.clocks[fabric].period_ticks
        ways = -(-(self.request + self.back) // self.memory_period)
        if min(request_ns, response_ns) < 0 or ways < channel.settle_cycles:
            raise MachineError(
                f"DMA engine on {name}: request_ns {request_ns:g} and response_ns {response_ns:g} are {ways} cycles of "
                f"the memory, which needs {channel.settle_cycles} to settle between bursts"
            )
        self.free = 0
        self.bursts = [0, 0]
        self.bytes = [0, 0]
        self.commands: Counter[str] = Counter()
        self._refreshed = Refreshed()

    def transfer(self, tick: int, *, write: bool, offset: int, size: int) -> int:
        """Request a burst at a tick; return the tick of the response, a multiple of the fabric's period.

        Parameters
        ----------
        offset, size : bytes within a block of the channel

        Raises
        ------
        MachineError : the burst before it is still on its way
        DramError : a burst that leaves its block
        """
        if tick < self.free:
            raise MachineError(
                f"DMA engine on {self.channel.standard.name}: requests a burst at tick {tick}, "
                f"before the response at {self.free}"
            )
        times = burst_times(self.channel, write=write, offset=offset, size=size)
        arrival = -(-(tick + self.request) // self.memory_period)
        index = self._refreshed.index(times, arrival)
        done = arrival + int(times.cycles[index])
        self.free = -(-(done * self.memory_period + self.back) // self.fabric_period) * self.fabric_period
        self.bursts[write] += 1
        self.bytes[write] += size
        self.commands.update(times.commands(index))
        return self.free

    def refreshes_by(self, tick: int) -> int:
        """Refreshes of the channel that have fallen due before a tick."""
        return self.channel.refreshes_by(-(-tick // self.memory_period))
