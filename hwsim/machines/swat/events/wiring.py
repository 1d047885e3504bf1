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
from hwsim.machines.swat.spec import CHANNELS
from hwsim.machines.swat.stages import Stage, stages_of
from hwsim.rtl.contract import Contract


class ElasticPipeline:
    """The units of a pipeline, connected, for what some heads do.

    Parameters
    ----------
    ports : the channels as they were left by what was played before
    full : bursts of q, and of k and v, that the buffers hold at the start
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
        self.diagram = diagram = Diagram(spec.time_base)
        stages = stages_of(design)
        self.log = log = RowLog(keep, stages)

        self.load = load = LoadUnit(diagram, stages[0], design.scheduler, log, itinerary, extra=spec.extra)
        between = [StageUnit(diagram, stage, _contract(design, stage), log) for stage in stages[1:-1]]
        self.divide = divide = DivideUnit(diagram, stages[-1], design.divider, log, itinerary.passes)
        self.stages: dict[str, StageUnit] = {unit.name: unit for unit in (load, *between, divide)}
        for unit in self.stages.values():
            for name, port in unit.inputs.items():
                double_buffer(self.stages[name].output_to(unit.stage), port)
        connect(divide.passed, load.passed, depth=1)

        keys, queries = itinerary.keys, itinerary.queries
        q = Reader(diagram, "q.dma", spec, stream=queries, room=layout.query_room, full=full["q"])
        k = Reader(diagram, "k.dma", spec, stream=keys, room=layout.key_room, full=full["k"])
        v = Reader(diagram, "v.dma", spec, stream=keys, room=layout.key_room, full=full["v"])
        carry = CarriedReader(diagram, "carry.dma", spec, itinerary=itinerary, room=layout.carried_room)
        self.readers = {"q": q, "k": k, "v": v, "carry": carry}
        _buffer(q, load.q, load.q_freed)
        _buffer(k, load.k, load.k_freed)
        _buffer(v, load.v, load.v_freed)
        _buffer(carry, load.carry, load.carry_freed)

        self.writer = z = Writer(diagram, "z.dma", spec, busy_until=busy_until)
        double_buffer(divide.bursts, z.bursts)
        connect(z.written, carry.written, depth=1)

        masters: dict[str, list[MemoryMaster]] = {name: [reader.memory] for name, reader in self.readers.items()}
        masters["carry"].append(z.swapped)
        masters["z"] = [z.memory, carry.swapped]
        self.channels = {name: _channel(design, diagram, name, masters[name], ports.get(name)) for name in CHANNELS}


def _buffer(reader: Reader, arrived: In[int], freed: Out[int]) -> None:
    """A buffer between a reader and LOAD: whatever it holds finds a place on the way."""
    connect(reader.arrived, arrived, depth=reader.room)
    connect(freed, reader.freed, depth=reader.room)


def _channel(
    design: Design, diagram: Diagram, name: str, masters: list[MemoryMaster], played: MemoryPort | None
) -> SharedMemory:
    channel = design.spec.channel
    return SharedMemory(
        diagram,
        f"hbm.{name}",
        diagram.clocks["memory"],
        masters=masters,
        mapping=channel.address_mapping,
        parameters=channel.parameters,
        played=played,
    )


def _contract(design: Design, stage: Stage) -> Contract:
    """Of the unit that a stage is in."""
    contracts: dict[str, Contract] = {
        "qk": design.core,
        "sv": design.core,
        "max1": design.maxima,
        "max2": design.maxima,
        "zred1": design.vectors,
        "zred2": design.vectors,
        "rowsum1": design.sums,
        "rowsum2": design.sums,
    }
    return contracts[stage.unit]
