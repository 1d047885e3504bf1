"""What the units of Edge-MoE did in a run, as far as energy and utilisation depend on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.instructions import Instruction


@dataclass
class WorkCounts:
    """Operations and words by unit, padding included.

    Attributes
    ----------
    macs : unit -> multiply-accumulates of matrices
    functions : (unit, function) -> results of everything else that takes multipliers; `operations.py` has their DSPs
    read, written : (unit, memory) -> words of memories on the chip; `memories.py` has their widths
    passes : passes over matrices
    """

    macs: Counter[str] = field(default_factory=Counter)
    functions: Counter[tuple[str, str]] = field(default_factory=Counter)
    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    passes: int = 0

    def add(self, instructions: Iterable[Instruction], design: Design) -> None:
        """Count the work of some instructions."""
        for instruction in instructions:
            self._count(instruction, design)

    def _count(self, instruction: Instruction, design: Design) -> None:
        unit = instruction.unit
        match instruction.work:
            case work.LoadPatchWeights():
                self.written[unit, "patch weights"] += design.patch_embed.weight_beats
                self.written[unit, "patch biases"] += design.patch_embed.out_tiles
            case work.LoadNorms() as job:
                self._load_norms(unit, job, design)
            case work.LoadWeights() as job:
                self.written[unit, "weight banks"] += job.part.words
                if job.matrix.bias and not job.part.accumulates:
                    self.written[unit, "bias banks"] += job.part.out_tiles
            case work.LoadGate():
                assert design.gate is not None
                self.written[unit, "gate weights"] += design.gate.tiles
            case work.EmbedPatches() as job:
                self._embed(unit, job, design)
            case work.Normalise() as job:
                self._normalise(unit, job.tokens, design)
            case work.Multiply() as job:
                self._multiply(unit, job, design)
            case work.ComputeScores() as job:
                self._scores(unit, job.tokens, design)
            case work.PassOverScores() as job:
                self._pass_over_scores(unit, job, design)
            case work.ComputeValues() as job:
                self._values(unit, job.tokens, design)
            case work.Choose() as job:
                self._choose(unit, job.tokens, design)
            case work.Add() | work.Fill():
                pass  # neither multiplies, and both work on beats as they pass

    def _load_norms(self, unit: str, job: work.LoadNorms, design: Design) -> None:
        """Weights wait in the loader until their biases come; then both go to the unit."""
        weights = sum(row == 0 for _, row in job.vectors)
        biases = len(job.vectors) - weights
        self.written[unit, "norm vector"] += weights * design.norm_loader.vector_beats
        self.read[unit, "norm vector"] += biases * design.norm_loader.vector_beats
        self.written["layernorm", "norms"] += biases * design.layernorm.beats

    def _embed(self, unit: str, job: work.EmbedPatches, design: Design) -> None:
        c, stripes = design.patch_embed, job.command.stripes
        iterations = stripes * c.stripe_iterations
        self.macs[unit] += iterations * c.in_lanes * c.out_lanes
        self.read[unit, "patch weights"] += iterations * c.out_lanes
        self.read[unit, "patch biases"] += stripes * c.stripe_patches * c.out_tiles
        self.written[unit, "stripes"] += stripes * c.stripe_beats
        self.read[unit, "stripes"] += iterations

    def _normalise(self, unit: str, tokens: int, design: Design) -> None:
        beats = tokens * design.layernorm.beats
        self.functions[unit, "norm"] += beats
        self.functions[unit, "root"] += tokens
        self.written[unit, "norm queue"] += beats
        self.read[unit, "norm queue"] += beats
        self.read[unit, "norms"] += beats

    def _multiply(self, unit: str, job: work.Multiply, design: Design) -> None:
        """A token's inputs are kept while its first outputs are computed, and read again for the others."""
        c, command = design.linears[unit], job.command
        inputs, outputs = command.tokens * command.in_tiles, command.tokens * command.out_tiles
        tiles = command.tokens * command.words
        self.macs[unit] += tiles * c.in_lanes * c.out_lanes
        self.functions[unit, "gelu"] += command.use_gelu * outputs * c.out_lanes
        self.functions[unit, "score"] += command.use_score * outputs * c.out_lanes
        self.read[unit, "weight banks"] += tiles
        self.read[unit, "bias banks"] += outputs
        for memory in ("input FIFO", "inputs"):
            self.written[unit, memory] += inputs
        self.read[unit, "input FIFO"] += inputs
        self.read[unit, "inputs"] += tiles - inputs
        if command.use_expert:
            self.read["gate", "expert queues"] += command.tokens
        self.passes += 1

    def _scores(self, unit: str, tokens: int, design: Design) -> None:
        c, rows = design.qk, design.qk.rows(tokens)
        self.macs[unit] += rows * c.token_beats * c.channels * c.slots
        self.functions[unit, "scale"] += rows * c.heads * c.slots
        if design.single_pass:
            self.functions["softmax", "sum"] += rows * c.heads * c.slots
            self.functions["softmax", "reciprocal"] += design.queries * c.heads
        self.written[unit, "queries"] += design.queries * c.token_beats
        self.read[unit, "queries"] += rows * c.token_beats * c.slots

    def _pass_over_scores(self, unit: str, job: work.PassOverScores, design: Design) -> None:
        """The maximum takes no multiplier; exponentials do, and what makes probabilities of them."""
        c = design.softmax
        scores = c.rows(job.tokens) * c.heads * c.slots
        if job.which == "exponentials":
            self.functions[unit, "exponential"] += scores
            self.functions[unit, "reciprocal"] += design.queries * c.heads
        elif job.which == "normalise":
            self.functions[unit, "quotient"] += scores

    def _values(self, unit: str, tokens: int, design: Design) -> None:
        c, rows = design.mv, design.mv.rows(tokens)
        self.macs[unit] += rows * c.token_beats * c.channels * c.slots
        self.functions[unit, "probability"] += c.takes_info * rows * c.heads * c.slots
        for words in (self.read, self.written):
            words[unit, "value sums"] += rows * c.token_beats * c.slots

    def _choose(self, unit: str, tokens: int, design: Design) -> None:
        c = design.gate
        assert c is not None
        self.macs[unit] += tokens * c.inputs * c.experts
        self.functions[unit, "sum"] += tokens * c.experts
        self.functions[unit, "choice"] += tokens * c.top
        self.read[unit, "gate weights"] += tokens * c.tiles
        self.written[unit, "expert queues"] += tokens * c.top
