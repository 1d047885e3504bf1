"""From a mapped graph to PIM-GPT's instructions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hwsim.dram.in_order.overlap.package import OverlappedPackage
from hwsim.dram.in_order.package import PackageProgram
from hwsim.engine.clock import cycles_of_ns
from hwsim.machines.pim_gpt.instructions import AsicWork, HostWork, Instruction, PimWork, Program, Results
from hwsim.machines.pim_gpt.requests import Query, RequestBuilder, bound_cycles, value_chunks
from hwsim.machines.pim_gpt.spec import ELEMENT_BYTES, PimGptSpec
from hwsim.mapping.errors import CapacityError, MappingError
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
)
from hwsim.mapping.patterns import Pattern
from hwsim.mapping.pim import CachePlacement, MatrixPlacement, PimMapped
from hwsim.mapping.step import Step
from hwsim.rtl.vector_unit.contract import Phases

# Token ids travel to and from the host as 32-bit words.
TOKEN_BYTES = 4
# Numbers of groups of heads into which the schedule `overlap` may split softmax and values.
GROUPS_TRIED = (1, 2, 3, 4)

# Instructions that are the same in every step, or the operators whose instructions depend on the step.
Part = list[Instruction] | AttentionScores | CachePlacement


class HeadGroup(NamedTuple):
    """The softmax and values of some heads; `sums` if values come in several chunks."""

    softmax: AsicWork
    values: PimWork
    sums: AsicWork | None


class AttentionPass(NamedTuple):
    """Attention of the queries and heads whose scores fit the SRAM at the same time."""

    scores: PimWork
    groups: tuple[HeadGroup, ...]


def lower(mapped: PimMapped, workload: DecoderWorkload, spec: PimGptSpec) -> Program:
    """Translate a mapped graph into a program.

    Raises
    ------
    MappingError : vectors or the scores of a single head that the ASIC's SRAM cannot hold
    """
    lowering = _Lowering(mapped, workload, spec)
    lowering.check_sram()
    return Program(
        workload=workload,
        spec=spec,
        mapped=mapped,
        queries_at_once=lowering.queries_at_once,
        instructions=lowering.step,
        left_out=lowering.lm_head_cost() if workload.run.lm_head == "excluded" else None,
    )


class _Lowering:
    """Turns operators into instructions.

    The work of a step depends only on the step, not on the layer. Each step occurs once, and consecutive steps often
    touch the same columns, so a small cache suffices for a run of any length.
    """

    def __init__(self, mapped: PimMapped, workload: DecoderWorkload, spec: PimGptSpec) -> None:
        self.mapped = mapped
        self.workload = workload
        self.spec = spec
        self.unit = spec.vector_unit
        self.builder = RequestBuilder(
            standard=spec.standard,
            accumulators=spec.accumulators,
            row_reuse=spec.batching == "row_reuse",
            transfers_a_result=spec.transfers_a_result,
        )
        # the caches of all layers are equal except for their first row
        self.cache = next(iter(mapped.placement.caches.values()))
        self.overlaps = spec.schedule == "overlap"
        self.queries_at_once = self._queries_at_once()
        self._places = {
            m.operator.name: self._find_places(m.operator)
            for m in mapped.operators
            if isinstance(m.operator, AttentionScores)
        }
        self._product = lru_cache(maxsize=64)(self._make_product)
        self._parts = lru_cache(maxsize=4)(self._make_parts)
        self._scores = lru_cache(maxsize=8)(self._make_scores)
        self._values = lru_cache(maxsize=64)(self._make_values)
        self._alone = lru_cache(maxsize=32)(self._cycles_alone)
        self._value_writes = lru_cache(maxsize=8)(self._make_value_writes)

    def step(self, step: Step) -> list[Instruction]:
        """The instructions of one pass over the layers."""
        tokens = [(s, t) for s in range(step.batch) for t in range(step.context - step.queries, step.context)]
        lanes = self.cache.target.lanes
        keys = self._pim(self.builder.write_keys(self.cache, tokens))
        values = self._value_writes(tuple((sequence, token // lanes * lanes) for sequence, token in tokens))
        passes = lru_cache(lambda pattern: self._attention_passes(pattern, step, values))
        instructions: list[Instruction] = []
        for part in self._parts(step.tokens, step.outputs):
            if isinstance(part, list):
                instructions += part
            elif isinstance(part, AttentionScores):
                instructions += self._attention(part, passes(part.pattern), values if self.overlaps else None)
            else:
                instructions.append(
                    Instruction(f"{part.operator}.k", "kv_cache", "pim", keys, part.base_row, part_of=part.operator)
                )
                if not self.overlaps:
                    instructions.append(_write_of_values(part, values))
        return instructions

    def check_sram(self) -> None:
        """Check that the ASIC's SRAM holds the vectors of the largest step and the scores of one head.

        Raises
        ------
        MappingError : names the bytes needed and the bytes available
        """
        tokens = self.queries_at_once * self.workload.run.batch
        sram = self.spec.asic.sram_bytes
        vectors = self._vector_bytes(tokens)
        head = self.workload.run.context * self.mapped.placement.target.score_bytes
        if vectors + head > sram:
            raise CapacityError(
                f"{self.workload.name}: vectors of {tokens} tokens need {vectors} B and one head's scores over "
                f"{self.workload.run.context} tokens {head} B, the ASIC's SRAM holds {sram} B"
            )

    def lm_head_cost(self) -> tuple[PackageProgram, int]:
        """Cost of the vocabulary projection for one token: its DRAM program, and the cycles of ASIC and link."""
        w = self.workload.model
        matrix = MatrixPlacement.place("lm_head", w.d_model, w.vocab, 0, self.mapped.placement.target)
        norm = self.unit.layernorm_phases if w.norm == "layernorm" else self.unit.rmsnorm_phases
        parts = [norm(1, w.d_model), self.unit.argmax_phases(w.vocab)]
        if len(matrix.chunks) > 1:
            parts.append(self.unit.accumulate_phases(w.vocab, len(matrix.chunks)))
        link = (self._embedded_bytes(), TOKEN_BYTES)
        work = [self._asic_work(phases).cycles for phases in parts]
        work += [self._host_work(moved).cycles for moved in link]
        return self.builder.linear(matrix, 1), sum(work)

    def _queries_at_once(self) -> int:
        """Tokens of the prompt that pass the layers together: as many as a row can serve and half the SRAM can hold.

        The other half is left for attention scores.
        """
        batch = self.workload.run.batch
        if self.spec.batching == "token" or not self.workload.run.prompt:
            return 1
        most = self.workload.run.prompt * batch
        together = max(self.builder.vectors_at_once(m, most) for m in self.mapped.placement.matrices.values())
        held = self.spec.asic.sram_bytes // 2 // self._vector_bytes(batch)
        return max(1, min(together, held, self.workload.run.prompt))

    def _embedded_bytes(self) -> int:
        """Bytes from the host for a token: its embedding, and a cosine and a sine per pair that RoPE turns.

        Layers that turn alike share them; those of another base have their own.
        """
        ropes = {(op.theta, op.turned) for op in (m.operator for m in self.mapped.operators) if isinstance(op, Rope)}
        angles = sum(turned for _, turned in ropes) * self.spec.internal.bytes
        return self.workload.model.d_model * ELEMENT_BYTES + angles

    def _vector_bytes(self, tokens: int) -> int:
        """Largest set of vectors that are live at once: the residual stream and an operator's input and output."""
        return tokens * self._widest * ELEMENT_BYTES

    @cached_property
    def _widest(self) -> int:
        """Elements of a token in that set."""
        linears = [m.operator for m in self.mapped.operators if isinstance(m.operator, Linear) and m.unit == "pim"]
        # logits go to the running argmax as they arrive and are not stored
        widths = [op.d_in + (op.d_out if op.role != "lm_head" else 0) for op in linears]
        # a gated MLP's second matrix reads its input while the result of the first is stored
        d = self.workload.model.d_model
        widths += [d + 2 * m.operator.width for m in self.mapped.operators if isinstance(m.operator, Glu)]
        return d + max(widths)

    def _make_parts(self, tokens: int, outputs: int) -> tuple[Part, ...]:
        """A step's instructions, with a placeholder where the work depends on the context: attention, cache writes.

        Parameters
        ----------
        tokens : vectors that pass the layers
        outputs : vectors that pass what follows the layers; none for a prompt's inner tokens
        """
        parts: list[Part] = []
        caches = self.mapped.placement.caches

        def fixed(instructions: list[Instruction]) -> None:
            if parts and isinstance(parts[-1], list):
                parts[-1].extend(instructions)
            else:
                parts.append(instructions)

        for mapped in self.mapped.operators:
            op = mapped.operator
            if isinstance(op, AttentionScores):
                parts.append(op)
            elif op.name in caches:
                parts.append(caches[op.name])
            elif op.kind in ("softmax", "attention_values"):
                continue  # these are added with their scores
            elif mapped.unit != VIEW:
                vectors = outputs if self.mapped.graph.tensor(op.name).shape[0] == "outputs" else tokens
                fixed(self._fixed(mapped, vectors) if vectors else [])
        if outputs and self._projects_on_pim:
            argmax = self.unit.argmax_phases(self.workload.model.vocab) * outputs
            fixed([self._asic("argmax", "eltwise", argmax), self._host("token", "embed", TOKEN_BYTES * outputs)])
        return tuple(parts)

    @property
    def _projects_on_pim(self) -> bool:
        return self.workload.run.lm_head == "included" and self.spec.lm_head == "pim"

    def _fixed(self, mapped: MappedOperator, vectors: int) -> list[Instruction]:
        """Instructions of an operator whose work does not depend on the context."""
        op = mapped.operator
        match op:
            case Linear() if mapped.unit == "pim":
                return self._linear(op, vectors)
            case Linear():
                return [self._host_linear(op, vectors)]
            case LayerNorm():
                return [self._asic(op.name, op.kind, self.unit.layernorm_phases(vectors, op.width))]
            case RmsNorm():
                return [self._asic(op.name, op.kind, self.unit.rmsnorm_phases(vectors, op.width))]
            case Rope():
                return [self._asic(op.name, op.kind, self.unit.rope_phases(vectors * op.rotated))]
            case Act():
                work = self._by_element(vectors * op.width, self._activation(op))
                return [Instruction(op.name, op.kind, "asic", work)]
            case Glu():
                self._activation(op)
                return [self._asic(op.name, op.kind, self.unit.glu_phases(vectors * op.width, op.function))]
            case HeadNorm():
                norm = self.unit.layernorm_phases if op.function == "layernorm" else self.unit.rmsnorm_phases
                return [self._asic(op.name, op.kind, norm(vectors * (op.heads + op.kv_heads), op.d_k))]
            case Eltwise():
                work = self._by_element(vectors * op.width, self.unit.add_phases)
                return [Instruction(op.name, op.kind, "asic", work)]
            case Collective():
                return self._collective(op, vectors)
            case Embed():
                return [self._host(op.name, op.kind, vectors * self._embedded_bytes())]
            case _:
                raise MappingError(f"{op.name}: PIM-GPT has no instruction for {op.kind}")

    def _activation(self, op: Act | Glu) -> Callable[[int], Phases]:
        """The phases of an activation function.

        Raises
        ------
        MappingError : a function for which the ASIC's adders and multipliers have no algorithm
        """
        known = {"gelu": self.unit.gelu_phases, "silu": self.unit.silu_phases}
        if op.function not in known:
            raise MappingError(
                f"{self.spec.name}: {op.name}: the ASIC has no algorithm for {op.function}; it runs {', '.join(known)}"
            )
        return known[op.function]

    def _collective(self, op: Collective, vectors: int) -> list[Instruction]:
        """A transfer to other devices; after it, this device adds up its share of a sum."""
        size, link = vectors * op.width * ELEMENT_BYTES, self.spec.link
        if op.function == "send":
            ns, moved = link.send_ns(size), size
        else:
            ns, moved = link.all_reduce_ns(size, op.devices), link.all_reduce_bytes(size, op.devices)
        work = HostWork(cycles_of_ns(ns, self.spec.asic.clock_hz), moved)
        instructions = [Instruction(op.name, op.kind, "link", work)]
        if op.share:
            sums = self.unit.accumulate_phases(vectors * op.share, op.devices + op.bias)
            instructions.append(self._asic(f"{op.name}.sum", op.kind, sums)._replace(part_of=op.name))
        return instructions

    def _linear(self, op: Linear, vectors: int) -> list[Instruction]:
        matrix = self.mapped.placement.matrices[op.name]
        # matrices of the same shape share their work across layers
        work = self._product(replace(matrix, operator="", base_row=0), vectors)
        instructions = [Instruction(op.name, op.kind, "pim", work, matrix.base_row)]
        parts = len(matrix.chunks) + op.bias
        if parts > 1:  # partial sums of the chunks, and the bias
            sums = self._by_element(vectors * op.d_out, lambda n: self.unit.accumulate_phases(n, parts))
            instructions.append(Instruction(f"{op.name}.sum", op.kind, "asic", sums, part_of=op.name))
        return instructions

    def _attention(
        self, op: AttentionScores, passes: list[AttentionPass], new_values: PimWork | None
    ) -> list[Instruction]:
        """Scores, softmax and values of all passes.

        `new_values` are written after the first pass's scores, which do not need them, so that the first softmax hides
        the write. Scores and this write then both wait for the instruction before the write of the keys.
        """
        cache, softmax, values = self._places[op.name]
        instructions: list[Instruction] = []
        for number, attention in enumerate(passes):
            begin = len(instructions)
            ahead = 2 if self.overlaps and number == 0 else 1  # past the write of the keys
            instructions.append(Instruction(op.name, op.kind, "pim", attention.scores, cache.base_row, ahead))
            if new_values and number == 0:
                instructions.append(_write_of_values(cache, new_values, after=3))
            first_softmax = len(instructions)
            for group in attention.groups:
                after = len(instructions) - begin
                instructions.append(Instruction(softmax, "softmax", "asic", group.softmax, after=after))
            for place, group in enumerate(attention.groups):
                after = len(instructions) - first_softmax - place
                instructions.append(
                    Instruction(values, AttentionValues.kind, "pim", group.values, cache.base_row, after)
                )
                if group.sums:
                    sums = Instruction(f"{values}.sum", AttentionValues.kind, "asic", group.sums, part_of=values)
                    instructions.append(sums)
        return instructions

    def _find_places(self, op: AttentionScores) -> tuple[CachePlacement, str, str]:
        """The cache of an attention, and its softmax and values."""
        graph = self.mapped.graph
        (softmax,) = graph.readers(op.name)
        (values,) = graph.readers(softmax)
        return self.mapped.placement.caches[graph.origin(op.inputs[1])], softmax, values

    def _attention_passes(self, pattern: Pattern, step: Step, new_values: PimWork) -> list[AttentionPass]:
        """Group the queries' heads so that their scores fit the SRAM, and create the work of each group."""
        budget = self.spec.asic.sram_bytes - self._vector_bytes(step.tokens)
        score_bytes = self.mapped.placement.target.score_bytes
        heads = self.workload.model.heads
        groups: list[list[Query]] = [[]]
        room = budget
        for sequence in range(step.batch):
            for query in range(step.queries):
                first, last = pattern.keys(step.context - step.queries + query, step.context)
                row_bytes = (last - first) * score_bytes
                head = 0
                while head < heads:
                    fit = min(heads - head, room // row_bytes)
                    if fit < 1:
                        groups.append([])
                        room = budget
                        continue
                    groups[-1].append(Query(sequence=sequence, first=first, last=last, head=head, head_end=head + fit))
                    room -= fit * row_bytes
                    head += fit
        kept = [tuple(group) for group in groups if group]
        return [self._attention_pass(group, None if number else new_values) for number, group in enumerate(kept)]

    def _attention_pass(self, queries: tuple[Query, ...], new_values: PimWork | None) -> AttentionPass:
        scores = self._scores(tuple(_whole_slots(self.cache, query) for query in queries))
        if not self.overlaps:
            return AttentionPass(scores, (self._head_group(queries),))
        ways = [tuple(self._head_group(part) for part in _split_heads(queries, n)) for n in GROUPS_TRIED]
        writing = self._alone(new_values.program) if new_values else 0
        return AttentionPass(scores, min(ways, key=lambda groups: self._time_alone(groups, writing)))

    def _head_group(self, queries: tuple[Query, ...]) -> HeadGroup:
        softmax: Phases = ()
        sums: Phases = ()
        for query in queries:
            softmax += self.unit.softmax_phases(query.heads, query.last - query.first)
            parts = len(value_chunks(self.cache, query))
            if parts > 1:
                sums += self.unit.accumulate_phases(query.heads * self.cache.head_dim, parts)
        return HeadGroup(
            self._asic_work(softmax),
            self._values(tuple(_whole_columns(self.cache, query) for query in queries)),
            self._asic_work(sums) if sums else None,
        )

    def _time_alone(self, groups: tuple[HeadGroup, ...], writing: int) -> int:
        """Ticks of softmax and values on an idle machine; the softmax of one group overlaps the values of another.

        The package first spends some cycles on writing.
        """
        clocks = self.spec.time_base.clocks
        asic, pim = 0, writing * clocks["dram"].period_ticks
        for group in groups:
            asic += group.softmax.cycles * clocks["asic"].period_ticks
            pim = max(asic, pim) + self._alone(group.values.program) * clocks["dram"].period_ticks
            if group.sums:
                pim += group.sums.cycles * clocks["asic"].period_ticks
        return pim

    def _cycles_alone(self, program: PackageProgram) -> int:
        """DRAM cycles of a program whose first rows are already open."""
        spec = self.spec
        package = OverlappedPackage(spec.standard.without_refresh(), spec.channels, spec.accumulators)
        ready = sum(spec.standard.params.values())
        return package.play_overlapped(program, 0, ready=ready).finish - ready

    def _make_product(self, matrix: MatrixPlacement, vectors: int) -> PimWork:
        work = self._pim(self.builder.linear(matrix, vectors))
        return work._replace(results=self._results(matrix, vectors, work.program)) if self.overlaps else work

    def _results(self, matrix: MatrixPlacement, vectors: int, program: PackageProgram) -> Results | None:
        """How outputs become complete while the last vector's last chunk is processed."""
        if self.builder.vectors_at_once(matrix, vectors) > 1:
            return None
        channels = np.array([c for c in range(matrix.target.channels) if matrix.slots(c)])
        outputs = np.array([matrix.outputs(c) for c in channels])
        slots = np.array([matrix.slots(c) for c in channels])
        transfers = self.spec.transfers_a_result
        drains = program.issues(self.spec.standard.command_ids["RDMAC16"])[channels]
        slot = np.arange(slots.max())[:, None]
        # a channel that has fewer slots than others stays at its last slot
        drain = drains - (slots - np.minimum(slot + 1, slots)) * transfers - 1
        done = np.minimum((slot + 1) * matrix.target.banks, outputs).sum(axis=1)
        return Results(channels, drain, tuple(((vectors - 1) * matrix.d_out + done).tolist()))

    def _make_scores(self, queries: tuple[Query, ...]) -> PimWork:
        return self._pim(self.builder.scores(self.cache, queries))

    def _make_values(self, queries: tuple[Query, ...]) -> PimWork:
        return self._pim(self.builder.values(self.cache, queries))

    def _make_value_writes(self, tokens: tuple[tuple[int, int], ...]) -> PimWork:
        """Writes of values; tokens in the same column access are written by equal programs."""
        return self._pim(self.builder.write_values(self.cache, tokens))

    def _pim(self, program: PackageProgram) -> PimWork:
        return PimWork(program, bound_cycles(program, self.spec.standard, first_row_open=self.overlaps))

    def _asic(self, name: str, kind: str, phases: Phases) -> Instruction:
        return Instruction(name, kind, "asic", self._asic_work(phases))

    def _asic_work(self, phases: Phases) -> AsicWork:
        """Computing and moving operands overlap; the slower one decides."""
        adds, multiplies = self.unit.operations(phases)
        moved = self.unit.words(phases) * self.spec.internal.bytes
        return AsicWork(max(self.unit.cycles(phases), self.spec.sram.cycles(moved)), adds, multiplies)

    def _by_element(self, elements: int, phases: Callable[[int], Phases]) -> AsicWork:
        """Element-wise work, so that parts of it can be done as their elements arrive."""
        cycles_of = lru_cache(maxsize=1024)(lambda n: self._asic_work(phases(n)).cycles)
        return self._asic_work(phases(elements))._replace(elements=elements, cycles_of=cycles_of)

    def _host_linear(self, op: Linear, vectors: int) -> Instruction:
        """The host streams the matrix once from its memory; it receives hidden vectors and returns token ids."""
        ns = op.d_in * op.d_out * ELEMENT_BYTES / self.spec.host.memory_gb_per_s
        return self._host(op.name, op.kind, vectors * (op.d_in * ELEMENT_BYTES + TOKEN_BYTES), ns)

    def _host(self, name: str, kind: str, link_bytes: int, work_ns: float = 0.0) -> Instruction:
        return Instruction(name, kind, "host", self._host_work(link_bytes, work_ns))

    def _host_work(self, link_bytes: int, work_ns: float = 0.0) -> HostWork:
        """A transfer over the host's link, and the host's own work."""
        host = self.spec.host
        ns = host.link_latency_ns + link_bytes / host.link_gb_per_s + work_ns
        return HostWork(cycles_of_ns(ns, self.spec.asic.clock_hz), link_bytes)


def _write_of_values(cache: CachePlacement, work: PimWork, *, after: int = 1) -> Instruction:
    name, base = f"{cache.operator}.v", cache.base_row
    return Instruction(name, "kv_cache", "pim", work, base, after, part_of=cache.operator)


def _split_heads(queries: tuple[Query, ...], groups: int) -> Iterator[tuple[Query, ...]]:
    """Split the queries' heads into groups of about equal size; empty groups are left out."""
    first, end = min(query.head for query in queries), max(query.head_end for query in queries)
    cuts = [first + (end - first) * i // groups for i in range(groups + 1)]
    for low, high in pairwise(cuts):
        parts = (replace(q, head=max(q.head, low), head_end=min(q.head_end, high)) for q in queries)
        kept = tuple(part for part in parts if part.heads > 0)
        if kept:
            yield kept


def _whole_slots(cache: CachePlacement, query: Query) -> Query:
    """The query, with its keys widened to all that the sweep of K reads: banks work in lockstep, slot by slot."""
    channels, all_banks = cache.target.channels, cache.target.all_banks
    first, last = query.first, query.last
    if first % all_banks <= all_banks - channels:  # every channel has keys of this slot from `first` on
        first -= first % all_banks
    if last % all_banks >= channels:  # every channel has keys of this slot before `last`
        last += -last % all_banks
    return replace(query, first=first, last=last)


def _whole_columns(cache: CachePlacement, query: Query) -> Query:
    """The query, with its keys widened to the whole column accesses that the sweep of V reads."""
    lanes = cache.target.lanes
    return replace(query, first=query.first // lanes * lanes, last=-(-query.last // lanes) * lanes)
