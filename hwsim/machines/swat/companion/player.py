"""The companion at work: tiles are read, computed and written, each step beside the others; weights come beside all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hwsim.dram.random_access.burst_channel import BurstChannel
from hwsim.engine.clock import TimeBase
from hwsim.machines.swat.companion.chain import BurstChain
from hwsim.machines.swat.companion.design import Companion
from hwsim.machines.swat.companion.streams import Layout
from hwsim.machines.swat.companion.weights import Need, WeightBuffer
from hwsim.machines.swat.companion.work import CompanionWork, Pass


@dataclass(frozen=True, kw_only=True)
class Played:
    """An operator that has run, in ticks; busy and waits add up to its time.

    Attributes
    ----------
    matrix, vector : in which the unit was busy
    rows_wait : in which it waited for rows to be read
    weights_wait : for weights, and for nothing else
    writes_wait : for rows to be written, at the end and before their bank could be used again
    row_bytes : that were read and written, without weights
    passes : of an operator, each by itself; a pass has none
    """

    begun: int
    ended: int
    matrix: int = 0
    vector: int = 0
    rows_wait: int = 0
    weights_wait: int = 0
    writes_wait: int = 0
    row_bytes: int = 0
    passes: tuple[Played, ...] = ()

    def then(self, other: Played) -> Played:
        """An operator with another pass right after this."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in _SUMS}
        return Played(begun=self.begun, ended=other.ended, passes=(*self.passes, other), **sums)


_SUMS = ("matrix", "vector", "rows_wait", "weights_wait", "writes_wait", "row_bytes")


class CompanionPlayer:
    """Plays operators one after the other.

    A pass has two banks of rows that are read and two of rows that are written. The DMA engine of each channel takes,
    in this order: rows of tile 0, rows of tile 1, and from when tile k is computed on, results of tile k and rows of
    tile k + 2. A unit begins when the rows of its tile are there and the results of the tile two before have left; all
    responses of DMA engines come at edges of the fabric's clock.

    Parameters
    ----------
    channel : one of HBM's; all are alike
    base : with the clocks `fabric` and `memory`
    request_ns, response_ns : ways of a burst from its DMA engine to the memory and back

    Attributes
    ----------
    rows, weights : the two groups of channels, with what they moved
    ticks : of each operator kind; they add up to the time of all operators
    """

    def __init__(
        self,
        companion: Companion,
        channel: BurstChannel,
        base: TimeBase,
        *,
        request_ns: float,
        response_ns: float,
    ) -> None:
        self.companion = companion
        self.clock = base.clocks["fabric"]
        self.layout = _layout(companion.channels, channel)
        self.rows, self.weights = (
            BurstChain(channels, channel, base, request_ns=request_ns, response_ns=response_ns)
            for channels in (companion.channels, companion.weight_channels)
        )
        self.buffer = WeightBuffer(companion.buffer_bytes, self.weights, _layout(companion.weight_channels, channel))
        self.ticks: Counter[str] = Counter()

    def run(self, work: CompanionWork, at: int, following: CompanionWork | None = None) -> Played:
        """Run an operator from a tick on, an edge of the fabric's clock at which all before it has ended.

        Parameters
        ----------
        following : the next operator with weights; they are loaded in the background
        """
        played = Played(begun=at, ended=at)
        needs = [*_needs(work), *(_needs(following) if following else ())]
        for number, each in enumerate(work.passes):
            after = next((need for need in needs[number + 1 :] if need.size_bytes), None)
            played = played.then(self._pass(each, needs[number], after, played.ended))
        self.ticks[work.kind] += played.ended - played.begun
        return played

    def _pass(self, work: Pass, need: Need, after: Need | None, at: int) -> Played:
        """A pass from a tick on; the buffer takes the next weights at once if they fit, else when this is computed."""
        weights, moved = self.buffer.begin(need, at), sum(self.rows.bytes)
        self.buffer.prefetch(after, at)
        read = [self._read(work, number, at) for number in range(min(2, work.tiles))]  # when rows are there
        written: list[int] = []  # when results have left
        now = max(read[0], weights)
        rows_wait, weights_wait, writes_wait = read[0] - at, now - read[0], 0
        for number in range(work.tiles):
            left = written[number - 2] if number >= 2 else now
            writes_wait += max(0, left - now)
            rows_wait += max(0, read[number] - max(now, left))
            computed = max(now, left, read[number]) + self.clock.ticks(work.tile_cycles(number))
            written.append(self._write(work, number, computed))
            if number + 2 < work.tiles:
                read.append(self._read(work, number + 2, computed))
            now = computed
        self.buffer.end()
        self.buffer.prefetch(after, now)
        return Played(
            begun=at,
            ended=written[-1],
            matrix=self.clock.ticks(work.busy_cycles) if work.engine == "matrix" else 0,
            vector=self.clock.ticks(work.busy_cycles) if work.engine == "vector" else 0,
            rows_wait=rows_wait,
            weights_wait=weights_wait,
            writes_wait=writes_wait + written[-1] - now,
            row_bytes=sum(self.rows.bytes) - moved,
        )

    def _read(self, work: Pass, number: int, tick: int) -> int:
        """When the rows of a tile are there that are requested at a tick, or when the channels are free."""
        first, rows = work.tile(number)
        for stream in work.reads:
            tick = self.rows.move(tick, stream.shares(first, rows, self.layout), write=False)
        return tick

    def _write(self, work: Pass, number: int, tick: int) -> int:
        """When the results of a tile have left that are written from a tick on."""
        first, rows = work.tile(number)
        return self.rows.move(tick, work.write.shares(first, rows, self.layout), write=True)


def _layout(channels: int, channel: BurstChannel) -> Layout:
    return Layout(channels=channels, block_bytes=channel.block_bytes, column_bytes=channel.standard.column_bytes)


def _needs(work: CompanionWork) -> list[Need]:
    """The weights of each pass."""
    return [
        Need(operator=work.name, number=number, size_bytes=each.weight_bytes) for number, each in enumerate(work.passes)
    ]
