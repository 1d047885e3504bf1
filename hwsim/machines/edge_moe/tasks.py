"""Edge-MoE's instructions as tasks: each unit's contract, and where its beats lie."""

from __future__ import annotations

from dataclasses import replace

from hwsim.fabric.task import Task
from hwsim.fabric.tasks.attention import scores_task, values_task
from hwsim.fabric.tasks.gate import gate_task
from hwsim.fabric.tasks.linear import linear_task
from hwsim.fabric.tasks.loads import gate_weights_task, norms_task, patch_weights_task, weights_task
from hwsim.fabric.tasks.patches import patches_task
from hwsim.fabric.tasks.softmax_passes import softmax_pass_task
from hwsim.fabric.tasks.vectors import add_task, fill_task, norm_task
from hwsim.fabric.tasks.walk import Walk
from hwsim.machines.edge_moe import instructions as work
from hwsim.machines.edge_moe.instructions import Instruction, Program
from hwsim.rtl.plain.softmax import SoftmaxPassesContract
from hwsim.rtl.weight_loader.contract import Group


def task_of(instruction: Instruction, program: Program) -> Task:
    """The task of an instruction.

    Raises
    ------
    WiringError, MappingError : beats that do not add up; a row outside its buffer
    """
    return _Tasks(program).make(instruction)


class _Tasks:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.design = program.design
        self.memory = program.mapped.memory
        self.target = program.design.target
        self.beat = program.spec.beat_bytes
        self.burst = program.spec.axi.burst_beats

    def make(self, instruction: Instruction) -> Task:
        job, name = instruction.work, instruction.name
        match job:
            case work.LoadPatchWeights():
                return self._patch_weights(job, name)
            case work.LoadNorms():
                return self._norms(job, name)
            case work.LoadWeights():
                return self._weights(job, name, instruction.unit)
            case work.LoadGate():
                return self._gate_weights(job, name)
            case work.EmbedPatches():
                return self._patches(job, name)
            case work.Normalise():
                return self._norm(job, name)
            case work.Multiply():
                return self._linear(job, name, instruction.unit)
            case work.ComputeScores():
                return self._scores(job, name)
            case work.PassOverScores():
                return self._pass_over_scores(job, name)
            case work.ComputeValues():
                return self._values(job, name)
            case work.Add():
                return self._add(job, name)
            case work.Fill():
                return fill_task(
                    self.design.fill, job.tokens * self.row_beats(self.features), name=name,
                    y=self.rows(job.result, job.tokens, self.features),
                )  # fmt: skip
            case work.Choose():
                gate = self.design.gate
                assert gate is not None
                x = self.rows(job.source, job.tokens, self.features, beats=gate.tiles)
                return gate_task(gate, job.tokens, name=name, x=x)

    @property
    def features(self) -> int:
        return self.design.sizes.features

    def row_beats(self, width: int) -> int:
        """Beats of a token's row in a buffer."""
        return self.target.row_bytes(width) // self.beat

    def rows(
        self,
        buffer: str,
        tokens: int,
        width: int,
        *,
        beats: int | None = None,
        first: int = 0,
        burst: int | None = None,
    ) -> Walk:
        """Tokens in order, of each the first `beats` of its row."""
        row = self.target.row_bytes(width)
        each = beats or row // self.beat
        return self._gathered(buffer, tuple(range(first, first + tokens)), width, each, burst=burst or self.burst)

    def _gathered(
        self, buffer: str, tokens: tuple[int, ...], width: int, beats: int, *, skip: int = 0, burst: int
    ) -> Walk:
        """`beats` of each token's row, `skip` beats into it; one piece of memory where rows follow each other."""
        place, row = self.memory.buffers[buffer], self.target.row_bytes(width)
        chunks = tuple(place.row(token, row) + skip * self.beat for token in tokens)
        if burst > 1 and beats * self.beat == row and tokens == tuple(range(tokens[0], tokens[0] + len(tokens))):
            chunks, beats = chunks[:1], beats * len(tokens)
        return Walk(port=place.port, chunks=chunks, beats=beats, burst=burst)

    def parameters(self, address: int, beats: int, *, burst: int | None = None) -> Walk:
        """Beats of learned parameters, one after the other."""
        return Walk(port=self.target.port("weights"), chunks=(address,), beats=beats, burst=burst or self.burst)

    def _patch_weights(self, job: work.LoadPatchWeights, name: str) -> Task:
        c, arrays = self.design.patch_embed, self.memory.arrays
        weights = self.parameters(arrays[job.weights].address, arrays[job.weights].size_bytes // self.beat)
        bias = None
        if job.bias:
            bias = self.parameters(arrays[job.bias].address, arrays[job.bias].size_bytes // self.beat)
        return patch_weights_task(c, name=name, weights=weights, bias=bias)

    def _norms(self, job: work.LoadNorms, name: str) -> Task:
        vectors = []
        for table, row in job.vectors:
            array = self.memory.arrays[table]
            walk = self.parameters(array.row(row), array.row_bytes // self.beat)
            vectors.append((("weight", "bias")[row], walk))
        c = self.design.norm_loader
        return norms_task(c, vectors, name=name, first=job.first, last=job.last)

    def _weights(self, job: work.LoadWeights, name: str, unit: str) -> Task:
        c, part, target = self.design.loaders[unit], job.part, self.target
        shape = job.matrix.shape
        group = Group(in_tiles=part.in_tiles, out_tiles=part.out_tiles, reads=1, attention=job.attention)
        array = self.memory.arrays[job.matrix.weights]
        skip = part.first_in * shape.in_lanes * target.weight_bytes
        bytes_a_row = part.in_tiles * shape.in_lanes * target.weight_bytes
        rows = range(part.first_out * shape.out_lanes, (part.first_out + part.out_tiles) * shape.out_lanes)
        chunks, beats = tuple(array.row(row, job.copy) + skip for row in rows), bytes_a_row // self.beat
        if bytes_a_row == array.row_bytes:  # rows follow each other
            chunks, beats = chunks[:1], len(rows) * bytes_a_row // self.beat
        weights = replace(self.parameters(0, beats), chunks=chunks)
        bias = None
        if job.matrix.bias and not part.accumulates:
            biases = self.memory.arrays[job.matrix.bias]
            first = biases.row(0, job.copy) + part.first_out * c.bias_beats * self.beat
            bias = self.parameters(first, part.out_tiles * c.bias_beats)
        return weights_task(c, group, name=name, unit=unit, weights=weights, bias=bias)

    def _gate_weights(self, job: work.LoadGate, name: str) -> Task:
        """The source reads a gate's weights with a stride, which the tool cannot make bursts of."""
        c, array = self.design.gate, self.memory.arrays[job.array]
        assert c is not None
        step = c.lanes * self.target.weight_bytes
        places = (array.row(expert) + tile * step for tile in range(c.tiles) for expert in range(c.experts))
        chunks = tuple(place // self.beat * self.beat for place in places)
        walk = Walk(port=self.target.port("weights"), chunks=chunks, beats=1, burst=1)
        return gate_weights_task(c, name=name, weights=walk)

    def _patches(self, job: work.EmbedPatches, name: str) -> Task:
        c, command = self.design.patch_embed, job.command
        image = self.memory.buffers["image"]
        row, height = c.row_beats * self.beat, c.patch * self.design.sizes.patch_rows
        chunks = tuple(
            image.address + (channel * height + stripe * c.patch) * row
            for stripe in range(command.stripes) for channel in range(c.channels)
        )  # fmt: skip
        pixels = Walk(port=image.port, chunks=chunks, beats=c.patch * c.row_beats, burst=self.burst)
        tokens = command.class_token + command.stripes * c.stripe_patches
        positions = self.memory.arrays[job.positions]
        beats = tokens * positions.row_bytes // self.beat
        return patches_task(
            c, command, name=name, pixels=pixels if command.stripes else None,
            positions=self.parameters(positions.row(job.first_token), beats),
            y=self.rows("x", tokens, self.features, first=job.first_token),
        )  # fmt: skip

    def _norm(self, job: work.Normalise, name: str) -> Task:
        c = self.design.layernorm
        x, y = (self._each_token(buffer, job.tokens, c.beats) for buffer in (job.source, job.result))
        return norm_task(c, job.tokens, name=name, x=x, y=y)

    def _each_token(self, buffer: str, tokens: int, beats: int) -> Walk:
        """Tokens in order, whose rows are walked each by itself: a burst ends with its token."""
        place, row = self.memory.buffers[buffer], self.target.row_bytes(self.features)
        chunks = tuple(place.row(token, row) for token in range(tokens))
        return Walk(port=place.port, chunks=chunks, beats=beats, burst=self.burst)

    def _linear(self, job: work.Multiply, name: str, unit: str) -> Task:
        c, part, target, shape = self.design.linears[unit], job.part, self.target, job.matrix.shape
        tokens = tuple(range(job.command.tokens)) if job.tokens is None else job.tokens
        queued, scored = job.command.use_expert, job.command.use_score
        in_beat, out_beat = (lanes * target.activation_bytes for lanes in (shape.in_lanes, shape.out_lanes))
        x = self._gathered(
            job.source, tokens, job.matrix.d_in, part.in_tiles * in_beat // self.beat,
            skip=part.first_in * in_beat // self.beat, burst=1 if queued else self.burst,
        )  # fmt: skip
        y = self._gathered(
            job.result, tokens, job.matrix.d_out, part.out_tiles * out_beat // self.beat,
            skip=part.first_out * out_beat // self.beat, burst=1 if queued or scored else self.burst,
        )  # fmt: skip
        return linear_task(
            c, job.command, name=name, unit=unit, x=x, y=y, dst=y if job.command.use_score else None,
            beat_bits=self.beat * 8,
        )  # fmt: skip

    def _scores(self, job: work.ComputeScores, name: str) -> Task:
        qk, design = self.design.qk, self.design
        return scores_task(
            qk, design.softmax if job.info else None, job.tokens, name=name,
            q=self.rows(job.queries, design.queries, self.features, beats=qk.token_beats),
            k=self._again(job.keys, job.tokens), scores=self._score_rows(job.scores, job.tokens),
            info=self._info(job.info) if job.info else None, row_beats=design.score_beats,
            info_beats=design.info_beats, stream_depth=self.program.spec.attention.stream_depth,
        )  # fmt: skip

    def _pass_over_scores(self, job: work.PassOverScores, name: str) -> Task:
        c = self.design.softmax
        assert isinstance(c, SoftmaxPassesContract)
        return softmax_pass_task(
            c, job.which, job.tokens, name=name, scores=self._score_rows(job.scores, job.tokens),
            info=self._info(job.info), row_beats=self.design.score_beats, info_beats=self.design.info_beats,
        )  # fmt: skip

    def _values(self, job: work.ComputeValues, name: str) -> Task:
        mv, design = self.design.mv, self.design
        return values_task(
            mv, job.tokens, name=name, v=self._again(job.values, job.tokens),
            scores=self._score_rows(job.scores, job.tokens), info=self._info(job.info) if job.info else None,
            y=self.rows(job.result, design.queries, self.features, beats=mv.token_beats),
            row_beats=design.score_beats, info_beats=design.info_beats,
        )  # fmt: skip

    def _again(self, buffer: str, tokens: int) -> Walk:
        """Keys or values once for each pass, and once more for the rows of the last pass that go on."""
        beats = self.design.qk.token_beats
        once = self.rows(buffer, tokens, self.features, beats=beats)
        rows = self.design.qk.rows(tokens)
        passes = -(-rows // tokens)
        return replace(once, chunks=once.chunks * passes, limit=rows * beats)

    def _score_rows(self, buffer: str, tokens: int) -> Walk:
        place = self.memory.buffers[buffer]
        beats = self.design.qk.rows(tokens) * self.design.score_beats
        return Walk(port=place.port, chunks=(place.address,), beats=beats, burst=self.burst)

    def _info(self, buffer: str) -> Walk:
        place, beats = self.memory.buffers[buffer], self.design.queries * self.design.info_beats
        return Walk(port=place.port, chunks=(place.address,), beats=beats, burst=self.burst)

    def _add(self, job: work.Add, name: str) -> Task:
        """The tool makes bursts of the branch's reads alone."""
        beats = job.tokens * self.row_beats(self.features)
        x = self.rows(job.result, job.tokens, self.features, burst=1)
        branch = self.rows(job.branch, job.tokens, self.features)
        return add_task(self.design.residual_add, beats, name=name, x=x, branch=branch, y=x)
