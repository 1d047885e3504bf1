"""Edge-MoE's units and its source's schedule as plain loops, written from docs/edge_moe.md and docs/fabric.md.

Each unit is a function that makes its loops, with iterations as a Python generator, and its transfers. The program is
the source's: one call after the other, but for experts. Taken over from the machine are its parameters, the depths that
its contracts state, and where things lie in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.memory import memory_system, time_base
from hwsim.mapping.fpga import FpgaMapped, TiledMatrix
from hwsim.rtl.linear.command import Command
from hwsim.rtl.patch_embed.contract import BUFFER_EDGES, HOLD_EDGES, POSITION_EDGES
from tests.machines.naive_fabric import Fifo, Iteration, Loop, NaiveFabric, Transfer

Call = tuple[list[Loop], list[Transfer], list[Fifo]]
BEAT_BITS = 256


class NaiveEdgeMoe:
    """A run of one image for one task, for a model of dense and expert layers in turn.

    Attributes
    ----------
    ends : the cycle after each call, in the order of calls; of two calls at once the later one's
    """

    def __init__(self, mapped: FpgaMapped, design: Design, queues: dict[int, list[tuple[int, ...]]], task: int) -> None:
        self.memory, self.design, self.sizes = mapped.memory, design, design.sizes
        self.fabric = NaiveFabric(time_base(design.spec), memory_system(design.spec))
        self.queues, self.task = queues, task
        self.tokens, self.beats = self.sizes.tokens, self.sizes.features // design.lanes
        self.ends: list[int] = []

    # what is called, in the source's order

    def run(self, layers: int) -> None:
        self.call(self.patch_weights())
        self.call(self.patches())
        for layer in range(layers):
            for loads in self.norm_loads(layer):
                self.call(loads)
            self.call(self.norm("x", "tmp1"))
            self.linear(f"l{layer}.q", "tmp1", "tmp2")
            self.linear(f"l{layer}.k", "tmp1", "tmp3")
            self.call(self.scores("tmp2", "tmp3"))
            self.linear(f"l{layer}.v", "tmp1", "tmp2")
            self.call(self.values("tmp2", "tmp1"))
            self.linear(f"l{layer}.proj", "tmp1", "tmp3")
            self.call(self.add("tmp3", "x"))
            self.call(self.norm("x", "tmp1"))
            if layer in self.queues:
                self.experts(layer)
            else:
                self.linear(f"l{layer}.ffn1", "tmp1", "hidden", gelu=True)
                self.linear(f"l{layer}.ffn2", "hidden", "tmp3")
            self.call(self.add("tmp3", "x"))

    def call(self, *calls: Call) -> None:
        self.ends += self.fabric.play(*calls)

    def linear(self, name: str, source: str, result: str, *, gelu: bool = False) -> None:
        (matrix,) = self.memory.matrices[name]
        attention = name.split(".")[1] in ("q", "k", "v", "proj")
        assert len(matrix.passes) == 1
        self.call(self.load(matrix, attention=attention))
        self.call(self.multiply(matrix, list(range(self.tokens)), source, result, gelu=gelu, queued=False))

    def experts(self, layer: int) -> None:
        """The gate, zeros, then expert by expert: each half while the next one is loaded."""
        self.call(self.gate_weights(layer))
        self.call(self.gate())
        self.call(self.fill("tmp3"))
        up, down = self.memory.matrices[f"l{layer}.experts"]
        halves = [(expert, matrix) for expert, queue in enumerate(self.queues[layer]) if queue for matrix in (up, down)]
        self.call(self.load(up, copy=halves[0][0]))
        for number, (expert, matrix) in enumerate(halves):
            tokens = list(self.queues[layer][expert])
            places = ("tmp1", "hidden") if matrix is up else ("hidden", "tmp3")
            compute = self.multiply(matrix, tokens, *places, gelu=matrix is up, queued=True)
            loads = [self.load(m, copy=e) for e, m in halves[number + 1 : number + 2]]
            self.call(compute, *loads)

    # units

    def patch_weights(self) -> Call:
        c, arrays = self.design.patch_embed, self.memory.arrays
        calls = []
        for name in ("embed.weight", "embed.bias"):
            beats = arrays[name].size_bytes // 32
            fifo = Fifo(2)
            loop = Loop(iter([([(fifo, 1)], [])] * beats), start=1)
            calls.append((loop, Transfer("weights", fifo, [arrays[name].address], beats, 16), fifo))
        assert calls[0][1].beats == c.weight_beats
        loops, transfers, fifos = zip(*calls)
        return list(loops), list(transfers), list(fifos)

    def patches(self) -> Call:
        """Stripe after stripe into two banks, products of a bank, sums with positions; before them the class token."""
        c, image, stripes = self.design.patch_embed, self.memory.buffers["image"], self.sizes.patch_rows
        pixels, positions, y = Fifo(2), Fifo(2), Fifo(2)
        full, free, sums = Fifo(2), Fifo(2, count=2), Fifo(c.tile_beats)
        first = c.token_beats  # of the class token

        def read() -> Iterator[Iteration]:
            for _ in range(stripes):
                for beat in range(c.stripe_beats):
                    taken = [(pixels, 1)] + ([(free, 1)] if beat == 0 else [])
                    yield taken, [(full, 1, 1)] if beat == c.stripe_beats - 2 else []

        def multiply() -> Iterator[Iteration]:
            for _ in range(stripes):
                for step in range(c.stripe_iterations):
                    gives: list[tuple[Fifo | None, int, int]] = []
                    if step % c.in_tiles == c.in_tiles - 1:
                        gives.append((sums, c.tile_beats, BUFFER_EDGES + c.tile.latency + HOLD_EDGES - 1))
                    if step == c.stripe_iterations - 2:
                        gives.append((free, 1, c.interval))
                    yield ([(full, 1)] if step == 0 else []), gives

        def add() -> Iterator[Iteration]:
            for beat in range(first + stripes * c.stripe_patches * c.token_beats):
                gives = [(y, 1, POSITION_EDGES + c.output_stages)]
                yield [(positions, 1)] + ([(sums, 1)] if beat >= first else []), gives

        height, row = c.patch * stripes, c.row_beats * 32
        places = [
            image.address + (channel * height + stripe * c.patch) * row
            for stripe in range(stripes) for channel in range(c.channels)
        ]  # fmt: skip
        table = self.memory.arrays["embed.positions"]
        transfers = [
            Transfer("weights", positions, [table.address], self.tokens * table.row_bytes // 32, 16),
            Transfer("inout2", y, [self.memory.buffers["x"].address], self.tokens * self.beats, 16, write=True),
            Transfer("inout1", pixels, places, c.patch * c.row_beats, 16),
        ]
        loops = [Loop(read()), Loop(multiply(), interval=c.interval, start=1 + first), Loop(add(), start=1)]
        return loops, transfers, [pixels, positions, y, full, free, sums]

    def norm_loads(self, layer: int) -> Iterator[Call]:
        """Weights and biases of both norms, loop after loop; in the source each waits for the memory anew."""
        c = self.design.norm_loader
        loops, transfers, fifos = [], [], []
        turns = [Fifo(1) for _ in range(4)]
        for place, (norm, row) in enumerate((n, r) for n in ("norm1", "norm2") for r in (0, 1)):
            table = self.memory.arrays[f"l{layer}.{norm}.weight"]
            fifo, beats, interval = Fifo(2), table.row_bytes // 32, c.beat_rows if row else 1
            turn = None if c.pause or place == 0 else turns[place - 1]
            following = None if c.pause or place == 3 else turns[place]
            take = self._vector(fifo, beats, interval, turn, following, last=place == 3)
            start = (place == 0) + c.pause if c.pause or place == 0 else 0
            loops.append(Loop(take, interval=interval, start=start))
            transfers.append(Transfer("weights", fifo, [table.row(row)], beats, 16))
            fifos.append(fifo)
        if c.pause:
            yield from (([loop], [moved], [fifo]) for loop, moved, fifo in zip(loops, transfers, fifos))
        else:
            yield loops, transfers, fifos + turns

    def _vector(
        self, fifo: Fifo, beats: int, interval: int, turn: Fifo | None, following: Fifo | None, *, last: bool
    ) -> Iterator[Iteration]:
        """A beat serves several iterations; the last but one tells the next loop, the rows of the last leave late."""
        c = self.design.norm_loader
        for number in range(c.vector_beats):
            takes = [(fifo, 1)] if number % (c.vector_beats // beats) == 0 else []
            takes += [(turn, 1)] if turn and number == 0 else []
            gives: list[tuple[Fifo | None, int, int]] = []
            if following and number == c.vector_beats - 2:
                gives.append((following, 1, interval))
            if last and number == c.vector_beats - 1:
                gives.append((None, 0, c.beat_rows))
            yield takes, gives

    def norm(self, source: str, result: str) -> Call:
        c = self.design.layernorm
        x, again, roots, y = Fifo(2), Fifo(c.queue_beats), Fifo(1), Fifo(2)

        def statistics() -> Iterator[Iteration]:
            for beat in range(self.tokens * c.beats):
                last = beat % c.beats == c.beats - 1
                yield [(x, 1)], [(again, 1, 1)] + ([(roots, 1, c.statistics_latency - 1)] if last else [])

        def affine() -> Iterator[Iteration]:
            for beat in range(self.tokens * c.beats):
                yield [(again, 1)] + ([(roots, 1)] if beat % c.beats == 0 else []), [(y, 1, c.affine_latency)]

        rows = [self.token_rows(buffer, range(self.tokens), self.sizes.features) for buffer in (source, result)]
        transfers = [
            Transfer(self.port(source), x, rows[0], c.beats, 16),
            Transfer(self.port(result), y, rows[1], c.beats, 16, write=True),
        ]
        return [Loop(statistics()), Loop(affine())], transfers, [x, again, roots, y]

    def load(self, matrix: TiledMatrix, *, copy: int = 0, attention: bool = False) -> Call:
        """Weights, then biases, then the registers before the bank."""
        c, (part,) = self.design.loaders["weight_loader"], matrix.passes
        weights, biases = Fifo(2), Fifo(2)
        beats = part.words * c.word_beats
        array, vector = self.memory.arrays[matrix.weights], self.memory.arrays[matrix.bias or ""]

        def take() -> Iterator[Iteration]:
            for _ in range(beats):
                yield [(weights, 1)], []
            for tile in range(part.out_tiles):
                yield [(biases, 1)], [(None, 0, c.load_stages)] if tile == part.out_tiles - 1 and c.load_stages else []

        transfers = [
            Transfer("weights", weights, [array.row(0, copy)], beats, 16),
            Transfer("weights", biases, [vector.row(0, copy)], part.out_tiles * c.bias_beats, 16),
        ]
        return [Loop(take(), start=1)], transfers, [weights, biases]

    def multiply(
        self, matrix: TiledMatrix, tokens: Sequence[int], source: str, result: str, *, gelu: bool, queued: bool
    ) -> Call:
        """Reader, multipliers, writer; what comes through a queue moves beat by beat."""
        c, (part,) = self.design.linears["linear"], matrix.passes
        scored = queued and not gelu
        command = Command(
            tokens=len(tokens), in_tiles=part.in_tiles, out_tiles=part.out_tiles, use_gelu=gelu, use_expert=queued,
            use_score=scored,
        )  # fmt: skip
        x, places, into, out, y, dst = (
            Fifo(4),
            Fifo(c.index_fifo, count=c.index_fifo),
            Fifo(c.in_fifo),
            Fifo(c.out_fifo),
            Fifo(4),
            Fifo(4),
        )
        gather = c.gather_stages if queued else 0

        def read() -> Iterator[Iteration]:
            for _ in tokens:
                for tile in range(part.in_tiles):
                    taken = [(x, 2)] + ([(places, 1)] if tile == 0 else [])
                    yield taken, [(into, 1, c.fetch_edges(command) - gather - 2)]

        def compute() -> Iterator[Iteration]:
            for _ in tokens:
                for out_tile in range(part.out_tiles):
                    for in_tile in range(part.in_tiles):
                        done = [(out, 1, c.compute_edges(command) - 2)] if in_tile == part.in_tiles - 1 else []
                        yield ([(into, 1)] if out_tile == 0 else []), done

        def write() -> Iterator[Iteration]:
            for _ in tokens:
                for tile in range(part.out_tiles):
                    gives = [(y, 2, c.write_edges(command) + 1)]
                    gives += [(places, 1, 1)] if tile == part.out_tiles - 1 else []
                    yield [(out, 1)] + ([(dst, 2)] if scored else []), gives

        burst = 1 if queued else 16
        reads = self.token_rows(source, tokens, matrix.d_in)
        writes = self.token_rows(result, tokens, matrix.d_out)
        in_beats, out_beats = 2 * part.in_tiles, 2 * part.out_tiles
        if not queued:  # the tokens' rows follow each other
            reads, writes, in_beats, out_beats = reads[:1], writes[:1], in_beats * len(tokens), out_beats * len(tokens)
        transfers = [
            Transfer(self.port(source), x, reads, in_beats, burst),
            Transfer(self.port(result), y, writes, out_beats, burst, write=True),
        ]
        if scored:
            transfers.append(Transfer(self.port(result), dst, writes, out_beats, burst))
        loops = [Loop(read(), start=1 + gather), Loop(compute()), Loop(write())]
        return loops, transfers, [x, places, into, out, y, dst]

    def scores(self, queries: str, keys: str) -> Call:
        """A key a row; slot o takes its query with key o of each pass. Beside it the softmax, head by head."""
        c, s = self.design.qk, self.design.softmax
        q, k, raw, heads = Fifo(2), Fifo(2), Fifo(2 * self.design.score_beats), Fifo(2 * max(s.heads, s.slots))
        stream, info = Fifo(self.design.spec.attention.stream_depth), Fifo(2 * self.design.info_beats)
        sums = Fifo(s.heads, count=s.heads)
        waits = s.recurrence.interval > s.heads * s.initiation_interval

        def products() -> Iterator[Iteration]:
            for _, _, comes, _ in self.skew(c.slots):
                for beat in range(c.token_beats):
                    gives = [(stream, 1, c.latency)] if beat % c.head_beats == c.head_beats - 1 else []
                    gives += [(raw, self.design.score_beats, c.latency)] if beat == c.token_beats - 1 else []
                    yield [(k, 1)] + ([(q, 1)] if comes else []), gives

        def softmax() -> Iterator[Iteration]:
            for _, _, _, leaves in self.skew(s.slots):
                for _ in range(s.heads):
                    gives = [(sums, 1, s.recurrence.interval - 1)] if waits else []
                    gives += [(heads, 1, s.latency - 2)] if leaves else []
                    yield [(stream, 1)] + ([(sums, 1)] if waits else []), gives

        gather = iter([([(heads, s.heads)], [(info, self.design.info_beats, 1)])] * self.tokens)
        rows, passes = sum(1 for _ in self.skew(c.slots)), -(-sum(1 for _ in self.skew(c.slots)) // self.tokens)
        buffers = self.memory.buffers
        once = self.tokens * self.beats
        transfers = [
            Transfer(self.port(queries), q, [buffers[queries].address], once, 16),
            Transfer(self.port(keys), k, [buffers[keys].address] * passes, once, 16, limit=rows * self.beats),
            Transfer("inout1", raw, [buffers["scores"].address], rows * self.design.score_beats, 16, write=True),
            Transfer("inout4", info, [buffers["info"].address], self.tokens * self.design.info_beats, 16, write=True),
        ]
        loops = [Loop(products(), start=1), Loop(softmax(), interval=s.initiation_interval, start=1), Loop(gather)]
        return loops, transfers, [q, k, raw, heads, stream, info, sums]

    def values(self, values: str, result: str) -> Call:
        """The same rows again; a query's info is held while its row begins, and its result leaves in its last row."""
        c = self.design.mv
        v, scores, info = Fifo(2), Fifo(2 * self.design.score_beats), Fifo(2 * self.design.info_beats)
        held, y = Fifo(2 * c.token_beats), Fifo(2)

        def weigh() -> Iterator[Iteration]:
            for _, _, comes, leaves in self.skew(c.slots):
                for beat in range(c.token_beats):
                    taken = [(v, 1)] + ([(scores, self.design.score_beats)] if beat == 0 else [])
                    taken += [(held, 1)] if comes else []
                    yield taken, [(y, 1, c.latency - 1)] if leaves else []

        hold = iter([([(info, self.design.info_beats)], [(held, c.token_beats, 1)])] * self.tokens)
        rows = sum(1 for _ in self.skew(c.slots))
        once, buffers = self.tokens * self.beats, self.memory.buffers
        transfers = [
            Transfer(
                self.port(values),
                v,
                [buffers[values].address] * -(-rows // self.tokens),
                once,
                16,
                limit=rows * self.beats,
            ),
            Transfer("inout1", scores, [buffers["scores"].address], rows * self.design.score_beats, 16),
            Transfer(self.port(result), y, [buffers[result].address], once, 16, write=True),
            Transfer("inout4", info, [buffers["info"].address], self.tokens * self.design.info_beats, 16),
        ]
        return [Loop(hold), Loop(weigh(), start=2)], transfers, [v, scores, info, held, y]

    def add(self, branch: str, x: str) -> Call:
        """The branch comes in bursts, the residual stream beat by beat."""
        c = self.design.residual_add
        one, other, y = Fifo(2), Fifo(2), Fifo(2)
        beats = self.tokens * self.beats
        loop = Loop(iter([([(one, 1), (other, 1)], [(y, 1, c.latency)])] * beats))
        buffers = self.memory.buffers
        rows = self.token_rows(x, range(self.tokens), self.sizes.features)
        transfers = [
            Transfer(self.port(x), one, rows, self.beats, 1),
            Transfer(self.port(branch), other, [buffers[branch].address], beats, 16),
            Transfer(self.port(x), y, rows, self.beats, 1, write=True),
        ]
        return [loop], transfers, [one, other, y]

    def fill(self, result: str) -> Call:
        c, y, beats = self.design.fill, Fifo(2), self.tokens * self.beats
        loop = Loop(iter([([], [(y, 1, 1 + c.output_stages)])] * beats))
        return (
            [loop],
            [Transfer(self.port(result), y, [self.memory.buffers[result].address], beats, 16, write=True)],
            [y],
        )

    def gate_weights(self, layer: int) -> Call:
        """Strided single beats: tile by tile, and of each tile every expert's."""
        c, array = self.design.gate, self.memory.arrays[f"l{layer}.route.gate{self.task}"]
        assert c is not None
        fifo, step = Fifo(2), c.lanes * 2
        places = [
            (array.row(expert) + tile * step) // 32 * 32 for tile in range(c.tiles) for expert in range(c.experts)
        ]
        loop = Loop(iter([([(fifo, 1)], [])] * len(places)), start=1)
        return [loop], [Transfer("weights", fifo, places, 1, 1)], [fifo]

    def gate(self) -> Call:
        """Logits, then softmax and choice, then queues; the source's gate has one token in it at a time."""
        c = self.design.gate
        assert c is not None
        x, logits, choices, turn = Fifo(2), Fifo(1), Fifo(1), Fifo(1, count=1)

        def products() -> Iterator[Iteration]:
            for _ in range(self.tokens):
                for tile in range(c.tiles):
                    taken = [(x, 1)] + ([(turn, 1)] if c.serial and tile == 0 else [])
                    yield taken, [(logits, 1, c.mac.latency)] if tile == c.tiles - 1 else []

        after = c.softmax_cycles + c.latency - 1 - c.serial
        softmax = iter([([(logits, 1)], [(choices, 1, after)])] * self.tokens)
        queue = iter([([(choices, 1)], [(turn, 1, 1)] if c.serial else [])] * self.tokens)
        loops = [Loop(products(), start=1), Loop(softmax, interval=c.softmax_cycles), Loop(queue)]
        source = [self.memory.buffers["tmp1"].address]
        return loops, [Transfer("inout1", x, source, self.tokens * self.beats, 16)], [x, logits, choices, turn]

    # order and places

    def skew(self, slots: int) -> Iterator[tuple[int, int, bool, bool]]:
        """Rows as (pass, key, whether a query comes, whether one leaves).

        Slot o holds query `slots * pass + o` from key o of a pass to key o - 1 of the next.
        """
        left = 0
        for row in count():
            if left == self.tokens:
                return
            number, key = divmod(row, self.tokens)
            comes = key < slots and slots * number + key < self.tokens
            ending = (key + 1) % self.tokens  # the slot that has seen all keys with this row
            begun = number if ending == 0 else number - 1
            leaves = ending < slots and begun >= 0 and slots * begun + ending < self.tokens
            left += leaves
            yield number, key, comes, leaves

    def port(self, buffer: str) -> str:
        return self.memory.buffers[buffer].port

    def token_rows(self, buffer: str, tokens: Sequence[int], width: int) -> list[int]:
        return [self.memory.buffers[buffer].address + token * width * 4 for token in tokens]
