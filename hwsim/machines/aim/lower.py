"""From a mapped graph to pieces of AiM instructions and of the host's work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from hwsim.dram.aim.isa import Instruction, encode
from hwsim.engine.clock import cycles_of_ns
from hwsim.machines.aim.bound import bound_cycles, swept_columns
from hwsim.machines.aim.instructions import ProgramBuilder, Query
from hwsim.machines.aim.programs import AimProgram, AimWork, HostWork, Piece, Program
from hwsim.machines.aim.spec import ELEMENT_BYTES, AimSpec
from hwsim.mapping.errors import MappingError
from hwsim.mapping.mapped import VIEW, MappedOperator
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import (
    Act,
    AttentionScores,
    AttentionValues,
    Collective,
    Eltwise,
    Embed,
    Glu,
    HeadNorm,
    LayerNorm,
    Linear,
    RmsNorm,
    Rope,
    Scale,
    Softcap,
    Softmax,
)
from hwsim.mapping.operators.base import rows
from hwsim.mapping.pim.row_mapping import MEMORY_KINDS, RowMapped
from hwsim.mapping.pim.rows import RowCache, RowMatrix
from hwsim.mapping.step import Step

HOST_KINDS = (
    "softmax", "norm", "rmsnorm", "head_norm", "rope", "act", "glu", "eltwise", "scale", "softcap", "embed",
)  # fmt: skip
# The unit that executes an operator kind: the channels, their host, the link to other devices.
UNIT_OF: Mapping[str, str] = {
    **dict.fromkeys(MEMORY_KINDS, "aim"),
    **dict.fromkeys(HOST_KINDS, "host"),
    "collective": "link",
}


def lower(mapped: RowMapped, workload: DecoderWorkload, spec: AimSpec) -> Program:
    """Translate a mapped graph into a program.

    Raises
    ------
    MappingError : an operator that neither the chip nor the host can execute
    """
    lowering = _Lowering(mapped, workload, spec)
    lowering.pieces(next(iter(workload.steps(1))))  # so that unsupported operators are found before anything runs
    return Program(
        workload=workload,
        spec=spec,
        mapped=mapped,
        pieces=lowering.pieces,
        left_out=lowering.lm_head() if workload.run.lm_head == "excluded" else None,
    )


class _Lowering:
    """Turns operators into pieces; layers and neighbouring steps share programs that are equal."""

    def __init__(self, mapped: RowMapped, workload: DecoderWorkload, spec: AimSpec) -> None:
        self.mapped = mapped
        self.workload = workload
        self.spec = spec
        self.builder = ProgramBuilder(channels=spec.channels, accumulators=spec.accumulators)
        self.activated = self._activated()
        # the caches of all layers are equal except for their first row
        self.cache = next(iter(mapped.placement.caches.values()))
        self._product = lru_cache(maxsize=64)(self._make_product)
        self._scores = lru_cache(maxsize=8)(self._make_scores)
        self._values = lru_cache(maxsize=8)(self._make_values)
        self._keys = lru_cache(maxsize=4)(self._make_keys)
        self._value_writes = lru_cache(maxsize=4)(self._make_value_writes)

    def pieces(self, step: Step) -> list[Piece]:
        """The pieces of one pass over the layers."""
        found: list[Piece] = []
        for mapped in self.mapped.operators:
            found += self._operator(mapped, step)
        if self.workload.run.lm_head == "included" and step.outputs:
            found.append(self._host("argmax", "argmax", self.workload.model.vocab * step.batch))
        return found

    def lm_head(self) -> list[Piece]:
        """Cost of the vocabulary projection for one token."""
        w = self.workload.model
        matrix = RowMatrix(
            operator="lm_head", d_in=w.d_model, d_out=w.vocab, base_row=0, target=self.mapped.placement.target
        )
        return [
            self._host("embed", "embed", w.d_model),
            self._host("norm", "norm" if w.norm == "layernorm" else "rmsnorm", w.d_model),
            AimWork("lm_head", "linear", self._product(replace(matrix, operator=""), 1, None), 0),
            self._host("argmax", "argmax", w.vocab),
        ]

    def _operator(self, mapped: MappedOperator, step: Step) -> list[Piece]:
        """The pieces of one operator; each kind of operator has its line here."""
        op = mapped.operator
        shape = self.mapped.graph.tensor(op.name).shape
        vectors = rows(shape[0], step)
        if mapped.unit == VIEW or not vectors:
            return []
        match op:
            case Linear():
                return [self._linear(op, vectors)]
            case _ if op.name in self.mapped.placement.caches:
                return self._cache_writes(self.mapped.placement.caches[op.name], step)
            case AttentionScores():
                queries = self._sweeps(op, step, self.cache.target.banks)
                return [AimWork(op.name, op.kind, self._scores(queries), self._cache_of(op).base_row)]
            case AttentionValues():
                queries = self._sweeps(op, step, self.cache.target.lanes)
                return [AimWork(op.name, op.kind, self._values(queries), self._cache_of(op).base_row)]
            case Softmax():
                return [self._host(op.name, op.kind, op.element_ops(step))]
            case Act() if op.name in self.activated.values():
                return []  # AF has already computed it
            case Glu() if op.name in self.activated.values():
                return [self._host(op.name, "eltwise", vectors * op.width)]  # only the product
            case LayerNorm() | RmsNorm() | Act() | Glu() | Eltwise() | Scale() | Softcap() | Embed():
                return [self._host(op.name, op.kind, vectors * op.width)]
            case HeadNorm():
                return [self._host(op.name, op.kind, vectors * (op.heads + op.kv_heads) * op.d_k)]
            case Rope():
                return [self._host(op.name, op.kind, vectors * op.rotated)]
            case Collective():
                return self._collective(op, vectors)
            case _:
                raise MappingError(f"{op.name}: AiM and its host have no way to carry out {op.kind}")

    def _collective(self, op: Collective, vectors: int) -> list[Piece]:
        """A transfer to other devices; after it, this device adds up its share of a sum."""
        size, link = vectors * op.width * ELEMENT_BYTES, self.spec.link
        if op.function == "send":
            ns, sent = link.send_ns(size), size
        else:
            ns, sent = link.all_reduce_ns(size, op.devices), link.all_reduce_bytes(size, op.devices)
        transfer = HostWork(op.name, op.kind, cycles_of_ns(ns, self.spec.host.clock_hz), sent, "link")
        if not op.share:
            return [transfer]
        sums = vectors * op.share * (op.devices - 1 + op.bias)
        return [transfer, self._host(f"{op.name}.sum", "eltwise", sums)]

    def _linear(self, op: Linear, vectors: int) -> AimWork:
        matrix = self.mapped.placement.matrices[op.name]
        function = None
        if op.name in self.activated:
            act = next(m.operator for m in self.mapped.operators if m.operator.name == self.activated[op.name])
            assert isinstance(act, Act | Glu)
            function = self.spec.af_functions.index(act.function)
        # matrices of the same shape share their work across layers
        program = self._product(replace(matrix, operator="", base_row=0), vectors, function)
        return AimWork(op.name, op.kind, program, matrix.base_row)

    def _activated(self) -> dict[str, str]:
        """Map each matrix to the activation (alone or of a gate) that is its only reader, if AF has the function."""
        graph = self.mapped.graph
        acts = [m.operator for m in self.mapped.operators if isinstance(m.operator, Act | Glu)]
        return {
            act.inputs[0]: act.name
            for act in acts
            if act.function in self.spec.af_functions
            and act.inputs[0] in self.mapped.placement.matrices
            and graph.readers(act.inputs[0]) == (act.name,)
        }

    def _cache_writes(self, cache: RowCache, step: Step) -> list[Piece]:
        tokens = tuple((s, t) for s in range(step.batch) for t in range(step.context - step.queries, step.context))
        chunk = cache.target.chunk_elements
        values = tuple((sequence, token // chunk * chunk) for sequence, token in tokens)
        return [
            AimWork(f"{cache.operator}.k", "kv_cache", self._keys(tokens), cache.base_row),
            AimWork(f"{cache.operator}.v", "kv_cache", self._value_writes(values), cache.base_row),
        ]

    def _cache_of(self, op: AttentionScores | AttentionValues) -> RowCache:
        return self.mapped.placement.caches[self.mapped.graph.origin(op.inputs[1])]

    def _sweeps(self, op: AttentionScores | AttentionValues, step: Step, together: int) -> tuple[Query, ...]:
        """The queries of a step; their ranges are widened to whole groups of `together` tokens swept at once."""
        found = []
        for sequence in range(step.batch):
            for query in range(step.queries):
                first, last = op.pattern.keys(step.context - step.queries + query, step.context)
                found.append(Query(sequence, first // together * together, -(-last // together) * together))
        return tuple(found)

    def _make_product(self, matrix: RowMatrix, vectors: int, function: int | None) -> AimProgram:
        return self._program(self.builder.linear(matrix, vectors, function))

    def _make_keys(self, tokens: tuple[tuple[int, int], ...]) -> AimProgram:
        return self._program(self.builder.write_keys(self.cache, list(tokens)))

    def _make_value_writes(self, tokens: tuple[tuple[int, int], ...]) -> AimProgram:
        return self._program(self.builder.write_values(self.cache, list(tokens)))

    def _make_scores(self, queries: tuple[Query, ...]) -> AimProgram:
        return self._program(self.builder.scores(self.cache, queries))

    def _make_values(self, queries: tuple[Query, ...]) -> AimProgram:
        return self._program(self.builder.values(self.cache, queries))

    def _program(self, instructions: Iterable[Instruction]) -> AimProgram:
        encoded = encode(instructions)
        standard = self.spec.standard
        return AimProgram(
            encoded=encoded,
            bound=bound_cycles(encoded, self.spec.channels, standard),
            accesses=swept_columns(encoded, standard),
        )

    def _host(self, name: str, kind: str, elements: int) -> HostWork:
        if kind not in self.spec.host.passes:
            raise MappingError(f"{name}: the host has no throughput for {kind} (host.passes.{kind})")
        return HostWork(name, kind, self.spec.host.cycles(kind, elements), elements)
