"""The block diagram of a pipeline in elastic mode.

channels q, k, v -> a reader each -> LOAD -> QK -> ... -> DIV&OUT -> writer -> channel z, or carry in turn
             channel carry, or z -> reader -> LOAD
"""

from __future__ import annotations

from collections.abc import Mapping

from hwsim.dram.random_access.memory_port import MemoryPort
from hwsim.engine.diagram import Diagram
from hwsim.engine.port import In, Out, connect, double_buffer
from hwsim.engine.shared_memory import MemoryMaster, SharedMemory
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.events.dma import CarriedReader, Reader, Writer
from hwsim.machines.swat.events.itinerary import Itinerary
from hwsim.machines.swat.events.load import LoadUnit
from hwsim.machines.swat.events.stages import DivideUnit, RowLog, StageUnit
from hwsim.machines.swat.parts import stage_units
from hwsim.machines.swat.spec import CHANNELS
from hwsim.machines.swat.stages import stages_of


class ElasticPipeline:
    """The units of a pipeline, connected, for what some heads do.

    Parameters
    ----------
    ports : the channels as they were left by what was played before
    full : bursts that the buffers of q, k and v hold at the start
    busy_until : tick until which the writer is busy with what was played before
    keep : first rows whose times are kept
    """

    def __init__(
        self,
        design: Design,
        itinerary: Itinerary,
        *,
        ports: Mapping[str, MemoryPort],
        full: Mapping[str, int],
        busy_until: int,
        keep: int,
    ) -> None:
        spec, layout = design.spec, design.layout
        self.design = design
        self.diagram = diagram = Diagram(spec.time_base)
        self.log = RowLog(keep, stages_of(design))

        self.load, between, self.divide = self._make_stages(itinerary)
        keys, queries = itinerary.keys, itinerary.queries
        self.q = Reader(diagram, "q.dma", spec, stream=queries, room=layout.query_room, full=full["q"])
        self.k = Reader(diagram, "k.dma", spec, stream=keys, room=layout.key_room, full=full["k"])
        self.v = Reader(diagram, "v.dma", spec, stream=keys, room=layout.key_room, full=full["v"])
        self.carry = CarriedReader(diagram, "carry.dma", spec, itinerary=itinerary, room=layout.carried_room)
        self.z = Writer(diagram, "z.dma", spec, busy_until=busy_until)

        self.stages: dict[str, StageUnit] = {unit.name: unit for unit in (self.load, *between, self.divide)}
        self._connect()
        masters = {
            "q": [self.q.memory],
            "k": [self.k.memory],
            "v": [self.v.memory],
            "z": [self.z.memory, self.carry.swapped],
            "carry": [self.z.swapped, self.carry.memory],
        }
        self.channels = {name: self._channel(name, masters[name], ports.get(name)) for name in CHANNELS}

    def _make_stages(self, itinerary: Itinerary) -> tuple[LoadUnit, tuple[StageUnit, ...], DivideUnit]:
        first, *between, last = stages_of(self.design)
        stated = {unit.name: unit for unit in stage_units(self.design)}
        return (
            LoadUnit(self.diagram, first, stated[first.unit], self.log, itinerary, self.design),
            tuple(StageUnit(self.diagram, stage, stated[stage.unit], self.log) for stage in between),
            DivideUnit(self.diagram, last, stated[last.unit], self.log, itinerary.passes),
        )

    def _connect(self) -> None:
        for unit in self.stages.values():
            for name, port in unit.inputs.items():
                double_buffer(self.stages[name].output_to(unit.stage), port)
        connect(self.divide.passed, self.load.passed, depth=1)
        _buffer(self.q, self.load.q, self.load.q_freed)
        _buffer(self.k, self.load.k, self.load.k_freed)
        _buffer(self.v, self.load.v, self.load.v_freed)
        _buffer(self.carry, self.load.carry, self.load.carry_freed)
        double_buffer(self.divide.bursts, self.z.bursts)
        connect(self.z.written, self.carry.written, depth=1)

    def _channel(self, name: str, masters: list[MemoryMaster], played: MemoryPort | None) -> SharedMemory:
        channel = self.design.spec.channel
        return SharedMemory(
            self.diagram,
            f"hbm.{name}",
            self.diagram.clocks["memory"],
            masters=masters,
            mapping=channel.address_mapping,
            parameters=channel.parameters,
            played=played,
        )


def _buffer(reader: Reader, arrived: In[int], freed: Out[int]) -> None:
    """A buffer between a reader and LOAD: whatever it holds finds a place on the way."""
    connect(reader.arrived, arrived, depth=reader.room)
    connect(freed, reader.freed, depth=reader.room)
