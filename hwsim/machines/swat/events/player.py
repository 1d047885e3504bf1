"""A pipeline's heads, played event by event: as `RowPlayer`, for small runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from hwsim.dram.random_access.masters import Master, Run
from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.itinerary import Arrivals, Itinerary
from hwsim.machines.swat.events.wiring import ElasticPipeline
from hwsim.machines.swat.rows.player import Heads, Played

APART = 1000  # cycles between bursts that are played alone, without refresh: no burst takes so long


@dataclass(kw_only=True)
class Channels:
    """The channels of a pipeline as they were left; none were used at first.

    Attributes
    ----------
    ports : by name
    busy_until : tick until which the last burst of results is on its way
    """

    ports: dict[str, MemoryPort] = field(default_factory=dict)
    busy_until: int = 0


class EventPlayer:
    """A pipeline in elastic mode and its channels, over the operators of a run; equal to `RowPlayer` to the tick.

    Parameters
    ----------
    channels : of a player for heads of another size on the same pipeline
    """

    def __init__(self, design: Design, channels: Channels | None = None) -> None:
        self.design = design
        self.channels = channels or Channels()

    def play(self, heads: Heads, start: int, *, keep: int = 0) -> Played:
        """Play heads from tick `start` on, an edge of the fabric's clock.

        With a hidden prologue the buffers are full then, and the cores hold what the first row needs. The bursts that
        filled them count with the commands that they take when no refresh is near.

        Parameters
        ----------
        keep : first rows whose times are kept
        """
        itinerary = Itinerary.of([heads.each] * (heads.count - 1) + [heads.last])
        full = self._full(itinerary)
        before = self._commands()
        rows = sum(len(each.rows) for each in itinerary.passes)
        pipeline = ElasticPipeline(
            self.design,
            itinerary,
            ports=self.channels.ports,
            full=full,
            busy_until=self.channels.busy_until,
            keep=min(keep, rows),
        )
        if start:
            pipeline.diagram.env.run(until=start)
        pipeline.diagram.run()
        self.channels.ports = {name: channel.port for name, channel in pipeline.channels.items()}
        self.channels.busy_until = pipeline.z.free
        commands = self._commands()
        commands.subtract(before)
        commands.update(self._filling(itinerary, full))
        return _played(pipeline, start, +commands)

    def _full(self, itinerary: Itinerary) -> dict[str, int]:
        """Bursts that the buffers hold at the start, by channel."""
        if self.design.spec.prologue == "counted":
            return dict.fromkeys(("q", "k", "v"), 0)
        keys = _fitting(itinerary.keys, self.design.layout.key_room)
        return {"q": _fitting(itinerary.queries, self.design.layout.query_room), "k": keys, "v": keys}

    def _commands(self) -> Counter[str]:
        """Commands of all channels so far, without refreshes."""
        rule = self.design.spec.standard.refresh
        counts: Counter[str] = Counter()
        for port in self.channels.ports.values():
            counts.update(port.served().commands)
        if rule:
            del counts[rule.command]
        return counts

    def _filling(self, itinerary: Itinerary, full: Mapping[str, int]) -> Counter[str]:
        """Commands of the bursts that fill the buffers before the start, played one by one without refresh."""
        channel = self.design.spec.channel
        mapping = replace(channel.address_mapping, standard=channel.standard.without_refresh())
        port = MemoryPort(mapping, channel.parameters, [Master(name="filling")])
        for name, count in full.items():
            for burst in _stream(itinerary, name).bursts[:count]:
                port.offer("filling", Run(write=False, address=burst.offset, size=burst.size))
                port.drain()
                port.advance(port.cycle + APART)
        return Counter(port.served().commands)


def _played(pipeline: ElasticPipeline, start: int, commands: Counter[str]) -> Played:
    """What came of it, as the compiled player tells it."""
    load, divide = pipeline.load, pipeline.divide
    return Played(
        begun=start,
        ended=divide.pass_ends[-1],
        written=max(divide.pass_ends[-1], pipeline.z.free),
        busy={name: unit.busy for name, unit in pipeline.stages.items()},
        memory_wait=load.waited,
        room_wait=divide.stalls.get(divide.bursts.cause, 0),
        prologue=load.prologue,
        bursts=sum(engine.moved for engine in (pipeline.q, pipeline.k, pipeline.carry, pipeline.z)),
        drain=sum(left - loaded for left, loaded in zip(divide.pass_ends, load.pass_loads)),
        commands=commands,
        read_bytes={
            "q": pipeline.q.bytes,
            "k": pipeline.k.bytes,
            "v": pipeline.v.bytes,
            "carry": pipeline.carry.bytes,
        },
        written_bytes=pipeline.z.bytes,
        log=pipeline.log.times,
    )


def _stream(itinerary: Itinerary, name: str) -> Arrivals:
    """What is read from a channel."""
    return itinerary.queries if name == "q" else itinerary.keys


def _fitting(stream: Arrivals, room: int) -> int:
    """How many of the first bursts a buffer holds."""
    rows = accumulate(burst.rows for burst in stream.bursts)
    return sum(1 for so_far in rows if so_far <= room)
