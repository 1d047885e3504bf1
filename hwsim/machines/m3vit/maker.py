"""Makes the instructions of one step: names, rows of memory, units with their cycles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from hwsim.fabric.task import Task
from hwsim.machines.m3vit import parts
from hwsim.machines.m3vit.activations import Activations
from hwsim.machines.m3vit.instructions import Instruction, Load, Work
from hwsim.machines.m3vit.pipelines import Rows, Stage, load_task, row_of_units
from hwsim.machines.m3vit.programs import M3vitMapped
from hwsim.machines.m3vit.sizes import Sizes
from hwsim.machines.m3vit.spec import STREAM_PORT, M3vitSpec
from hwsim.machines.m3vit.weights import Part, WeightMap
from hwsim.mapping.operators import Attention, Linear, Operator, PatchEmbed, Role, Route
from hwsim.mapping.step import Step


@dataclass(frozen=True, kw_only=True, eq=False)
class Maker:
    """What all instructions of a step are made with.

    Attributes
    ----------
    number : of the step in the run, with which names begin
    """

    spec: M3vitSpec
    mapped: M3vitMapped
    sizes: Sizes
    activations: Activations
    step: Step
    number: int

    @property
    def weights(self) -> WeightMap:
        return self.mapped.placement

    @property
    def tokens(self) -> int:
        """Of all images that pass together."""
        return self.step.tokens

    @cached_property
    def _operators(self) -> dict[tuple[int | None, str], Operator]:
        """By layer, and by what they are to the model or else by their kind."""
        return {(op.layer, op.role or op.kind): op for op in self.mapped.graph.operators}

    @property
    def layers(self) -> range:
        return range(1 + max(layer for layer, _ in self._operators if layer is not None))

    @property
    def embed(self) -> PatchEmbed:
        op = self._operators[None, "embed"]
        assert isinstance(op, PatchEmbed)
        return op

    @property
    def last(self) -> Operator:
        """The operator that makes the results."""
        return self.mapped.graph.operators[-1]

    def operator(self, layer: int | None, role: Role) -> Operator | None:
        return self._operators.get((layer, role))

    def linear(self, layer: int, role: Role) -> Linear:
        op = self._operators[layer, role]
        assert isinstance(op, Linear)
        return op

    def attention(self, layer: int) -> Attention:
        op = self._operators[layer, "attention"]
        assert isinstance(op, Attention)
        return op

    def gate(self, layer: int) -> Part | None:
        """The gate of a layer for the step's task; None in a layer without experts."""
        route = self.operator(layer, "route")
        if not isinstance(route, Route):
            return None
        return self.weights.gates[route.name][self.step.task if route.gates > 1 else 0]

    def label(self, name: str) -> str:
        """A name that is unique in the run."""
        return f"{self.number}:{name}"

    def loaded(self, part: Part) -> str:
        """The name of the load of a part that comes once a step."""
        return self.label(f"{part.name}.load")

    def rows(self, buffer: str, tokens: int, elements: int, *, skipped: int = 0) -> Rows | None:
        """Rows of a buffer in memory; None where it is on the chip."""
        return self.activations.rows(buffer, tokens, elements, skipped=skipped)

    def added_to(self, elements: int) -> Stage:
        """The adder of a branch to the stream, which it reads and writes."""
        reads = self.activations.rows("x", self.tokens, elements, port=STREAM_PORT)
        return self.adder(elements, reads=reads, writes=self.rows("x", self.tokens, elements))

    def matrix(self, d_in: int, d_out: int, *, reads: Rows | None = None, writes: Rows | None = None) -> Stage:
        engine = self.spec.head_engine
        tiles = engine.matrix_tiles(d_in, d_out)
        return Stage(unit="engine", interval=tiles, latency=tiles + engine.latency, reads=reads, writes=writes)

    def norm(self, width: int, *, reads: Rows | None = None, writes: Rows | None = None) -> Stage:
        contract = parts.layer_norm(self.spec, width)
        return Stage(unit="norm", interval=contract.beats, latency=contract.cycles(1), reads=reads, writes=writes)

    def gelu(self, width: int, *, writes: Rows | None = None) -> Stage:
        beats = -(-width // self.spec.gelu.lanes)
        return Stage(unit="gelu", interval=beats, latency=beats + self.spec.gelu_lanes.latency, writes=writes)

    def adder(self, width: int, *, reads: Rows | None = None, writes: Rows | None = None) -> Stage:
        adder = self.spec.adder
        beats = -(-width // adder.lanes)
        return Stage(unit="adder", interval=beats, latency=beats + adder.latency, reads=reads, writes=writes)

    def load(self, part: Part, after: Sequence[str] = (), *, name: str = "", room: bool = True) -> Load:
        """The load of a part.

        Parameters
        ----------
        name : where the same part comes several times in a step
        room : whether it takes up room of its own
        """
        label = self.label(name) if name else self.loaded(part)
        ports, axi = self.spec.weight_ports, self.spec.axi
        task = _load_task(part, ports, axi.width_bits // 8, axi.burst_beats).renamed(label)
        return Load(
            name=label,
            region=part.region,
            room_bytes=part.size_bytes if room else 0,
            part_bytes=part.size_bytes,
            task=task,
            after=tuple(after),
        )

    def work(
        self,
        op: Operator,
        stages: Sequence[Stage],
        tokens: int,
        *,
        name: str = "",
        needs: Sequence[str] = (),
        frees: Sequence[str] = (),
        tiles: int = 0,
        macs: int = 0,
        opens_step: bool = False,
        gate: str | None = None,
    ) -> Work:
        """Tokens through a row of units."""
        label = self.label(name or op.name)
        task = row_of_units(label, op.kind, stages, tokens, self.spec.token_fifo)
        return Work(
            name=label, kind=op.kind, operator=op.name, task=task, needs=tuple(needs), frees=tuple(frees), tiles=tiles,
            macs=macs, opens_step=opens_step, gate=gate,
        )  # fmt: skip

    def through(
        self, op: Linear, part: Part, stages: Sequence[Stage], *, gate: str | None = None, frees: Sequence[str] = ()
    ) -> Iterator[Instruction]:
        """All tokens through a part of a matrix, after its load.

        Parameters
        ----------
        gate : the load of a gate that comes behind the matrix
        frees : loads that nobody needs once the tokens have passed
        """
        yield self.load(part)
        own = (self.loaded(part), *([gate] if gate else ()))
        tiles = self.tokens * self.spec.head_engine.matrix_tiles(part.d_in, part.d_out)
        yield self.work(
            op, stages, self.tokens, name=part.name, needs=own, frees=(*own, *frees), tiles=tiles,
            macs=self.tokens * part.d_in * part.d_out, gate=gate,
        )  # fmt: skip


@lru_cache(maxsize=4096)
def _load_task(part: Part, ports: tuple[str, ...], beat_bytes: int, burst: int) -> Task:
    return load_task(part.name, part.address, part.size_bytes, ports, beat_bytes=beat_bytes, burst=burst)
