"""From a mapped graph to PIM-GPT's instructions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from hwsim.dram.fast import PackageProgram, channel_requests
from hwsim.dram.program import Request
from hwsim.engine import cycles_of_ns
from hwsim.machines.pim_gpt.requests import Query, RequestBuilder, bound_cycles, value_chunks
from hwsim.machines.pim_gpt.spec import ELEMENT_BYTES, PimGptSpec
from mapping.errors import MappingError
from mapping.operators import Act, AttentionScores, AttentionValues, Eltwise, Embed, LayerNorm, Linear
from mapping.pim import CachePlacement, MappedGraph, MappedOperator, MatrixPlacement
from mapping.workload import GptWorkload, Step
from rtl.vector_unit.contract import Phase, VectorUnitContract

# Token ids travel to and from the host as 32-bit words.
TOKEN_BYTES = 4


class PimWork(NamedTuple):
    """Work of all channels; `bound` in DRAM cycles is what the placement cannot undercut."""

    program: PackageProgram
    bound: int


class AsicWork(NamedTuple):
    """Work of the ASIC in its cycles."""

    cycles: int
    adds: int
    multiplies: int


class HostWork(NamedTuple):
    """Bytes over the host's link, and the ASIC cycles that the transfer and the host's own work take."""

    cycles: int
    link_bytes: int


class Instruction(NamedTuple):
    """One instruction: the sequencer hands it to `unit` and waits until it is done."""

    name: str
    kind: str
    unit: str
    work: PimWork | AsicWork | HostWork
    row_base: int = 0


@dataclass(frozen=True, kw_only=True)
class Program:
    """The instructions of a run, made step by step, so that memory does not grow with the number of tokens."""

    workload: GptWorkload
    spec: PimGptSpec
    mapped: MappedGraph
    lowering: Lowering

    def steps(self) -> Iterator[Step]:
        """Passes over the layers; with row reuse the prompt goes as many tokens at a time as rows can serve."""
        return self.workload.steps(self.lowering.prompt_queries())

    def instructions(self, step: Step) -> list[Instruction]:
        """The instructions of one pass, in order."""
        return self.lowering.step(step)

    def dump(self, step: Step) -> str:
        """Stable text: the instructions of one step with the requests of the first channel that has any."""
        standard = self.spec.standard
        lines = [f"program {self.workload.name}: step of {step.tokens} at {step.context}"]
        for instruction in self.instructions(step):
            work = instruction.work
            head = f"{instruction.unit:4} {instruction.name} ({instruction.kind})"
            if isinstance(work, AsicWork):
                lines.append(f"{head}: {work.cycles} cycles, {work.adds} adds, {work.multiplies} multiplies")
            elif isinstance(work, HostWork):
                lines.append(f"{head}: {work.cycles} cycles, {work.link_bytes} B")
            else:
                shares = work.program.program_of.tolist()
                place = f"rows from {instruction.row_base}, bound {work.bound} DRAM cycles, programs {shares}"
                lines.append(f"{head}: {place}")
                channel = max(range(len(shares)), key=lambda c: len(work.program.channel(c)))
                for request in channel_requests(work.program, channel, standard):
                    addressed = standard.commands[request.command].kind == "column"
                    lines.append(f"       {_request_text(request, addressed=addressed)}")
        return "\n".join(lines)


def _request_text(request: Request, *, addressed: bool) -> str:
    bank = f" bank {request.bank}" if request.bank >= 0 else ""
    place = f" row {request.row} column {request.column}" if addressed else ""
    repeat = f" x {request.repeat}" if request.repeat > 1 else ""
    return f"{request.command}{bank}{place} x {request.count}{repeat}"


def lower(mapped: MappedGraph, workload: GptWorkload, spec: PimGptSpec) -> Program:
    """Translate a mapped graph into a program.

    Raises
    ------
    MappingError : vectors or the scores of a single head that the ASIC's SRAM cannot hold
    """
    program = Program(
        workload=workload, spec=spec, mapped=mapped, lowering=Lowering(mapped=mapped, workload=workload, spec=spec)
    )
    program.lowering.check()
    return program


@dataclass(frozen=True, kw_only=True)
class Lowering:
    """Turns operators into instructions; work that steps share is made once and kept."""

    mapped: MappedGraph
    workload: GptWorkload
    spec: PimGptSpec
    _products: dict[tuple[int, int, int], PimWork] = field(default_factory=dict, repr=False)

    @property
    def builder(self) -> RequestBuilder:
        return RequestBuilder(
            standard=self.spec.standard,
            accumulators=self.spec.accumulators,
            row_reuse=self.spec.batching == "row_reuse",
        )

    @property
    def unit(self) -> VectorUnitContract:
        return self.spec.vector_unit

    def prompt_queries(self) -> int:
        """Tokens of the prompt that pass the layers together."""
        if self.spec.batching == "token" or not self.workload.prompt:
            return 1
        matrices = self.mapped.placement.matrices.values()
        most = self.workload.prompt * self.workload.batch
        together = max(self.builder.vectors_at_once(matrix, most) for matrix in matrices)
        while together > 1 and self._vector_bytes(together * self.workload.batch) > self.spec.asic.sram_bytes // 2:
            together -= 1
        return together

    def step(self, step: Step) -> list[Instruction]:
        """The instructions of one pass over the layers."""
        passes = _passes(self, step)
        keys, values = _cache_writes(self, step)
        instructions: list[Instruction] = []
        for part in _parts(self, step.tokens, step.batch):
            if isinstance(part, list):
                instructions += part
            elif isinstance(part, AttentionScores):
                instructions += self._attention(part, passes)
            else:
                instructions += (
                    Instruction(f"{part.operator}.k", "kv_cache", "pim", keys, part.base_row),
                    Instruction(f"{part.operator}.v", "kv_cache", "pim", values, part.base_row),
                )
        return instructions

    def check(self) -> None:
        """Check that the ASIC's SRAM holds the vectors of the largest step and the scores of one head.

        Raises
        ------
        MappingError : names what is needed and what there is
        """
        tokens = max(self.prompt_queries() if self.workload.prompt else 1, 1) * self.workload.batch
        sram = self.spec.asic.sram_bytes
        vectors = self._vector_bytes(tokens)
        head = self.workload.context * self.mapped.target.score_bytes
        if vectors + head > sram:
            raise MappingError(
                f"{self.workload.name}: vectors of {tokens} tokens need {vectors} B and one head's scores over "
                f"{self.workload.context} tokens {head} B, the ASIC's SRAM holds {sram} B"
            )

    def score_budget(self, step: Step) -> int:
        """Bytes of SRAM that scores may take beside the step's vectors."""
        return self.spec.asic.sram_bytes - self._vector_bytes(step.tokens)

    def lm_head_cost(self) -> tuple[PackageProgram, int]:
        """What the vocabulary projection would take a token: its DRAM program, and the cycles of ASIC and link."""
        w = self.workload
        matrix = MatrixPlacement.place("lm_head", w.d_model, w.vocab, 0, self.mapped.target)
        parts = [self.unit.layernorm_phases(1, w.d_model), self.unit.argmax_phases(w.vocab)]
        if len(matrix.chunks) > 1:
            parts.append(self.unit.accumulate_phases(w.vocab, len(matrix.chunks)))
        link = (w.d_model * ELEMENT_BYTES, TOKEN_BYTES)
        work = [self.asic_work(phases).cycles for phases in parts]
        work += [self.host_work(moved).cycles for moved in link]
        return self.builder.linear(matrix, 1), sum(work)

    def _vector_bytes(self, tokens: int) -> int:
        """Largest set of vectors that live at once: the residual stream beside an operator's input and output."""
        linears = [m.operator for m in self.mapped.operators if isinstance(m.operator, Linear) and m.unit == "pim"]
        # logits go to the running argmax as they come and are not kept
        widths = [op.d_in + (op.d_out if op.name != "lm_head" else 0) for op in linears]
        return tokens * (self.workload.d_model + max(widths)) * ELEMENT_BYTES

    def _fixed(self, mapped: MappedOperator, tokens: int, batch: int) -> list[Instruction]:
        """Instructions of an operator whose work does not depend on the context."""
        op = mapped.operator
        match op:
            case Linear() if mapped.unit == "pim":
                return self._linear(op, batch if op.name == "lm_head" else tokens)
            case Linear():
                return [self._host_linear(op, batch)]
            case LayerNorm():
                return [self._asic(op.name, op.kind, self.unit.layernorm_phases(tokens, op.width))]
            case Act():
                return [self._asic(op.name, op.kind, self.unit.gelu_phases(tokens * op.width))]
            case Eltwise():
                return [self._asic(op.name, op.kind, self.unit.add_phases(tokens * op.width))]
            case Embed():
                return [self._host(op.name, op.kind, tokens * op.width * ELEMENT_BYTES)]
            case _:
                raise MappingError(f"{op.name}: PIM-GPT has no instruction for {op.kind}")

    def _linear(self, op: Linear, vectors: int) -> list[Instruction]:
        matrix = self.mapped.placement.matrices[op.name]
        shape = (op.d_in, op.d_out, vectors)  # layers share the work of matrices of one shape
        if shape not in self._products:
            self._products[shape] = self._pim(self.builder.linear(matrix, vectors))
        instructions = [Instruction(op.name, op.kind, "pim", self._products[shape], matrix.base_row)]
        parts = len(matrix.chunks) + op.bias
        if parts > 1:  # partial sums of the chunks, and the bias
            sums = self.unit.accumulate_phases(vectors * op.d_out, parts)
            instructions.append(self._asic(f"{op.name}.sum", op.kind, sums))
        return instructions

    def _attention(self, op: AttentionScores, passes: tuple[AttentionPass, ...]) -> list[Instruction]:
        cache = self.mapped.placement.caches[op.inputs[1]]
        name = op.name.removesuffix(".scores")
        instructions = []
        for part in passes:
            instructions += [
                Instruction(op.name, op.kind, "pim", part.scores, cache.base_row),
                Instruction(f"{name}.softmax", "softmax", "asic", part.softmax),
                Instruction(name, AttentionValues.kind, "pim", part.values, cache.base_row),
            ]
            if part.sums:
                instructions.append(Instruction(f"{name}.sum", AttentionValues.kind, "asic", part.sums))
        return instructions

    def _host_linear(self, op: Linear, vectors: int) -> Instruction:
        """The host streams the matrix once from its memory; hidden vectors come in, token ids go back."""
        ns = op.d_in * op.d_out * ELEMENT_BYTES / self.spec.host.memory_gb_per_s
        return self._host(op.name, op.kind, vectors * (op.d_in * ELEMENT_BYTES + TOKEN_BYTES), ns)

    def _host(self, name: str, kind: str, link_bytes: int, work_ns: float = 0.0) -> Instruction:
        return Instruction(name, kind, "host", self.host_work(link_bytes, work_ns))

    def host_work(self, link_bytes: int, work_ns: float = 0.0) -> HostWork:
        """A transfer over the host's link, and the host's own work."""
        host = self.spec.host
        ns = host.link_latency_ns + link_bytes / host.link_gb_per_s + work_ns
        return HostWork(cycles_of_ns(ns, self.spec.asic.clock_hz), link_bytes)

    def _asic(self, name: str, kind: str, phases: tuple[Phase, ...]) -> Instruction:
        return Instruction(name, kind, "asic", self.asic_work(phases))

    def asic_work(self, phases: tuple[Phase, ...]) -> AsicWork:
        """Computing and moving operands go side by side; the slower decides."""
        adds, multiplies = self.unit.operations(phases)
        moved = self.unit.words(phases) * self.spec.internal.bytes
        return AsicWork(max(self.unit.cycles(phases), self.spec.sram.cycles(moved)), adds, multiplies)

    def _pim(self, program: PackageProgram) -> PimWork:
        return PimWork(program, bound_cycles(program, self.spec.standard))

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def any_cache(self) -> CachePlacement:
        """A cache as good as any other: all layers are alike but for their first row."""
        return next(iter(self.mapped.placement.caches.values()))


class AttentionPass(NamedTuple):
    """Attention of as many queries and heads as the ASIC's SRAM can hold the scores of."""

    scores: PimWork
    softmax: AsicWork
    values: PimWork
    sums: AsicWork | None


# A run of instructions that are the same in every step, or what the instructions of the step are to be made for.
Part = list[Instruction] | AttentionScores | CachePlacement


@lru_cache(maxsize=4)
def _parts(lowering: Lowering, tokens: int, batch: int) -> tuple[Part, ...]:
    """A step's instructions, with a place left where the work depends on the context: attention, cache writes."""
    parts: list[Part] = []
    caches = lowering.mapped.placement.caches

    def fixed(instructions: list[Instruction]) -> None:
        if parts and isinstance(parts[-1], list):
            parts[-1].extend(instructions)
        else:
            parts.append(instructions)

    for mapped in lowering.mapped.operators:
        op = mapped.operator
        if isinstance(op, AttentionScores):
            parts.append(op)
        elif op.name in caches:
            parts.append(caches[op.name])
        elif op.kind not in ("softmax", "attention_values"):  # these come with their scores
            fixed(lowering._fixed(mapped, tokens, batch))
    if lowering.workload.lm_head == "pim":
        argmax = lowering.unit.argmax_phases(lowering.workload.vocab) * batch
        fixed([lowering._asic("argmax", "eltwise", argmax), lowering._host("token", "embed", TOKEN_BYTES * batch)])
    return tuple(parts)


# The work of a step depends on the step alone, not on the layer; neighbouring steps come once each, so a short
# memory suffices and a run of any length needs no more.
@lru_cache(maxsize=8)
def _passes(lowering: Lowering, step: Step) -> tuple[AttentionPass, ...]:
    """Group the queries' heads so that their scores fit, and make the work of each group."""
    budget = lowering.score_budget(step)
    score_bytes = lowering.mapped.target.score_bytes
    groups: list[list[Query]] = [[]]
    room = budget
    pattern, heads = lowering.workload.pattern, lowering.workload.heads
    for sequence in range(step.batch):
        for query in range(step.queries):
            first, last = pattern.keys(step.context - step.queries + query, step.context)
            head = 0
            while head < heads:
                fit = min(heads - head, room // ((last - first) * score_bytes))
                if fit < 1:
                    groups.append([])
                    room = budget
                    continue
                groups[-1].append(Query(sequence=sequence, first=first, last=last, head=head, head_end=head + fit))
                room -= fit * (last - first) * score_bytes
                head += fit
    return tuple(_attention_pass(lowering, tuple(group)) for group in groups if group)


def _attention_pass(lowering: Lowering, queries: tuple[Query, ...]) -> AttentionPass:
    cache, unit = lowering.any_cache, lowering.unit
    softmax: tuple[Phase, ...] = ()
    sums: tuple[Phase, ...] = ()
    for query in queries:
        softmax += unit.softmax_phases(query.heads, query.last - query.first)
        parts = len(value_chunks(cache, query))
        if parts > 1:
            sums += unit.accumulate_phases(query.heads * cache.head_dim, parts)
    return AttentionPass(
        scores=_scores_work(lowering, tuple(_whole_slots(cache, query) for query in queries)),
        softmax=lowering.asic_work(softmax),
        values=_values_work(lowering, tuple(_whole_columns(cache, query) for query in queries)),
        sums=lowering.asic_work(sums) if sums else None,
    )


@lru_cache(maxsize=8)
def _values_work(lowering: Lowering, queries: tuple[Query, ...]) -> PimWork:
    return lowering._pim(lowering.builder.values(lowering.any_cache, queries))


@lru_cache(maxsize=8)
def _scores_work(lowering: Lowering, queries: tuple[Query, ...]) -> PimWork:
    return lowering._pim(lowering.builder.scores(lowering.any_cache, queries))


def _whole_slots(cache: CachePlacement, query: Query) -> Query:
    """The query with its keys widened to all that the sweep of K reads: banks work in step, slot by slot."""
    channels, all_banks = cache.target.channels, cache.target.all_banks
    first, last = query.first, query.last
    if first % all_banks <= all_banks - channels:  # every channel has keys of this slot from `first` on
        first -= first % all_banks
    if last % all_banks >= channels:  # every channel has keys of this slot before `last`
        last += -last % all_banks
    return replace(query, first=first, last=last)


def _whole_columns(cache: CachePlacement, query: Query) -> Query:
    """The query with its keys widened to whole column accesses: what the sweep of V really reads."""
    lanes = cache.target.lanes
    return replace(query, first=query.first // lanes * lanes, last=-(-query.last // lanes) * lanes)


@lru_cache(maxsize=8)
def _cache_writes(lowering: Lowering, step: Step) -> tuple[PimWork, PimWork]:
    cache = lowering.any_cache
    tokens = [(s, t) for s in range(step.batch) for t in range(step.context - step.queries, step.context)]
    lanes = cache.target.lanes
    columns = tuple((sequence, token // lanes * lanes) for sequence, token in tokens)
    return lowering._pim(lowering.builder.write_keys(cache, tokens)), _value_writes(lowering, columns)


@lru_cache(maxsize=8)
def _value_writes(lowering: Lowering, tokens: tuple[tuple[int, int], ...]) -> PimWork:
    """Writes of values; tokens of one column access are written by equal programs."""
    return lowering._pim(lowering.builder.write_values(lowering.any_cache, tokens))
