"""Contract of the unified linear unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import PROVENANCE, Contract, ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, delay, memory, multiplier, register, selector
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.linear.command import Command
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.ports import FLAG, Port, number_up_to, stream

FETCH_EDGES = 4  # command, token's fetch, its x into the FIFO, two through the FIFO
BUFFER_EDGES = 1  # weights, biases and replayed inputs come from memories
OUT_FIFO_EDGES = 1


@dataclass(frozen=True, kw_only=True)
class LinearContract(Contract):
    """`y[t] = W x[t] + bias` for the tokens of a command; on request with GELU, gathered, added to a destination.

    Order: token > out tile > in tile, one tile of `in_lanes` x `out_lanes` products a cycle. A token's inputs come
    once; they are stored during its first out tile and replayed for the others. Weights and biases have two banks each:
    one is loaded while the other is used. Commands do not overlap: a command is taken when the last result of the
    previous one is delivered. So a memory that serves `fetch` in order reads everything written before. Only loading
    runs ahead.

    Streams
    -------
    command : as `Command`. Each takes one group of weights and one of biases, also with 0 tokens
    w : a row of a tile (`in_lanes` weights of one output) a beat; rows of a tile, tiles by in tile within out tile;
        `last` ends the group of a command
    bias : the biases of an out tile a beat; `last` ends the group
    index : with `use_expert`, the number of each token
    fetch : the number of each token; `x` must bring its in tiles and, with `use_score`, `dst` its out tiles
    x : in tiles; a token's are taken only after its `fetch`
    score : with `use_score`, one per token
    dst : with `use_score`, the out tiles to add to
    y : the out tiles, with their address: the numbers of token and tile

    Attributes
    ----------
    max_tokens, max_in_tiles, max_out_tiles : largest values of a command
    weight_words : tiles that a bank of weights holds
    in_fifo, index_fifo, out_fifo : depths, in tiles before the multipliers, token numbers, and tiles after them
    read_stages : registers before the in FIFO
    gather_stages : registers between `index` and `fetch`
    product_stages, adder_levels, output_stages : for the tile, see `MacTileContract`
    step_log2, limit_steps, delta, gelu_output_stages : for GELU, see `GeluDeltaContract`
    write_stages : registers after the out FIFO
    score_stages : registers of the product with the score and of the sum, and for a tool to move
    scatter_stages : registers of gathered results without a score: Edge-MoE writes them like those with one
    accumulator : format of sums, of GELU, of `dst` and `y`
    """

    block: ClassVar[str] = "linear"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "read_stages": 2,
            "gather_stages": 76,
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 5,
            "gelu_output_stages": 1,
            "write_stages": 4,
            "score_stages": 143,
            "scatter_stages": 143,
            # 79 - 3 edges hold one round trip of 64 (the token's read), 148 - 5 hold two (the read of `dst`, the write)
            "memory_stages": {"gather_stages": 64, "score_stages": 128, "scatter_stages": 128},
            "source": "Edge-MoE: depths in an HLS log: compute 16 (GELU + 6), read 3 (indirect 79), write 5 (indirect "
            "148); the tool assumed a memory latency of 64, once in the indirect read and twice in the indirect write; "
            "the split of depths, and the FIFOs' edges, are ours",
        },
        "rtl": {"source": "rtl/linear"},
    }

    in_lanes: int = 16
    out_lanes: int = 16
    max_tokens: int = 129
    max_in_tiles: int = 48
    max_out_tiles: int = 48
    weight_words: int = 576
    in_fifo: int = 48
    index_fifo: int = 8
    out_fifo: int = 2
    read_stages: int = 0
    gather_stages: int = 0
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    step_log2: int = 5
    limit_steps: int = 176
    gelu_output_stages: int = 0
    write_stages: int = 1
    score_stages: int = 3
    scatter_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    weight: Fixed = Fixed(width=16, integer=2)
    bias: Fixed = Fixed(width=18, integer=7)  # holds Edge-MoE's attention biases <16,7> and the others <16,5>
    accumulator: Fixed = Fixed(width=32, integer=10)
    delta: Fixed = Fixed(width=22, integer=0, signed=False)
    score: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("max_tokens", 1, 65536)
        self.require_range("max_in_tiles", 1, 1024)
        self.require_range("max_out_tiles", 1, 1024)
        self.require_range("weight_words", max(self.max_in_tiles, self.max_out_tiles), 65536)
        self.require_range("in_fifo", 4, 1024)  # shorter FIFOs cannot pass a beat every cycle
        self.require_range("index_fifo", 4, 1024)
        self.require_range("out_fifo", 2, 64)
        self.require_range("read_stages", 0, 16)
        self.require_range("gather_stages", 0, 256)
        self.require_range("write_stages", 1, 16)
        self.require_range("score_stages", 2, 256)
        self.require_range("scatter_stages", 0, 256)
        self.require_fixed("score")
        _ = self.tile, self.gelu  # they check their own parameters
        if self.score.width + self.accumulator.width > 64:
            width = self.score.width + self.accumulator.width
            raise ContractError(f"{self.block}: score * y may have 64 bits, {width} asked for")
        if self.score.fraction < 0:
            raise ContractError(f"{self.block}: score must have its point within its bits, got {self.score}")

    @property
    def tile(self) -> MacTileContract:
        """The multiply-accumulate tile inside."""
        names = [f.name for f in fields(MacTileContract) if f.name not in PROVENANCE]
        with part_of(self.block):
            return MacTileContract(**{name: getattr(self, name) for name in names})  # all have the same names

    @property
    def gelu(self) -> GeluDeltaContract:
        """The GELU lanes inside."""
        with part_of(self.block, lanes="out_lanes", output_stages="gelu_output_stages", value="accumulator"):
            return GeluDeltaContract(
                lanes=self.out_lanes,
                step_log2=self.step_log2,
                limit_steps=self.limit_steps,
                output_stages=self.gelu_output_stages,
                value=self.accumulator,
                delta=self.delta,
            )

    @property
    def banks(self) -> int:
        """Banks of weights and of biases: one is loaded while another is used."""
        return 2

    @property
    def token(self) -> Fixed:
        """Format of a token's number."""
        return number_up_to(self.max_tokens - 1)

    @property
    def count_tokens(self) -> Fixed:
        """Format of a number of tokens: one more than there are numbers."""
        return number_up_to(self.max_tokens)

    @property
    def ports(self) -> tuple[Port, ...]:
        values = (self.accumulator, self.out_lanes)
        return (
            stream(
                "command",
                "in",
                tokens=self.count_tokens,
                in_tiles=number_up_to(self.max_in_tiles),
                out_tiles=number_up_to(self.max_out_tiles),
                use_gelu=FLAG,
                use_expert=FLAG,
                use_score=FLAG,
            ),
            stream("w", "in", values=(self.weight, self.in_lanes), last=FLAG),
            stream("bias", "in", values=(self.bias, self.out_lanes), last=FLAG),
            stream("index", "in", token=self.token),
            stream("x", "in", values=(self.activation, self.in_lanes)),
            stream("score", "in", value=self.score),
            stream("dst", "in", values=values),
            stream("fetch", "out", token=self.token),
            stream("y", "out", values=values, token=self.token, tile=number_up_to(self.max_out_tiles - 1)),
        )

    def cycles(self, work: Sequence[Command]) -> int:
        """Cycles for commands in a row, loads included.

        A command starts when the previous one has delivered its last result; its tokens start when its weights are
        loaded and its first inputs are ready. From then on it computes a tile a cycle; short tokens wait for the index
        FIFO (`_token_starts`). Banks are loaded alternately, a beat a cycle; a bank is free once its last tile was
        read.
        """
        taken, delivered = 1, 0  # periods, the first is 1
        weights_end = biases_end = 0
        free = [1, 1]
        for number, command in enumerate(work):
            self.check(command)
            bank = number % 2
            weights_end = max(weights_end + 1, free[bank]) + command.words * self.out_lanes - 1
            biases_end = max(biases_end + 1, free[bank]) + command.out_tiles - 1
            loaded = max(weights_end, biases_end) + 1
            if command.tokens:
                first = max(taken + self.fetch_edges(command), loaded)
                released = first + self._token_starts(command, command.tokens - 1) + command.words - 1
                delivered = released + self.compute_edges(command) + self.write_edges(command)
                taken = delivered + 1
            else:
                released = max(taken + 1, loaded)
                taken = released + 1
            free[bank] = released + 1
        return delivered

    def compute_cycles(self, command: Command) -> int:
        """Cycles of a command whose weights and biases lie in a bank already, from the command to the last result."""
        self.check(command)
        if not command.tokens:
            return 0
        starts = self._token_starts(command, command.tokens - 1)
        edges = self.compute_edges(command) + self.write_edges(command)
        return 1 + self.fetch_edges(command) + starts + command.words - 1 + edges

    def backlog(self, work: Sequence[Command]) -> Mapping[str, int]:
        """In tiles taken while no result is taken, for a command of one out tile without GELU or score.

        Results fill the registers after the out FIFO (as far as they arrive before the first one reaches the end), the
        FIFO, and the tile's last register. Then the tile's other registers, the buffers' registers and the in FIFO
        fill, unless too many tokens are in the unit for the index FIFO.
        """
        (command,) = work
        if command.out_tiles != 1 or command.use_gelu or command.use_score:
            raise ValueError("the backlog is stated for one out tile without GELU and score")
        written = min(1 + (self.write_stages - 1) // command.in_tiles, self.index_fifo)
        started = (written + self.out_fifo + 1) * command.in_tiles + self.tile.latency
        fetched = (written + self.index_fifo) * command.in_tiles
        return {"x": min(started + self.in_fifo + self.read_stages, fetched, command.tokens * command.in_tiles)}

    def check(self, command: Command) -> None:
        """Check that the unit can do what a command asks for.

        Raises
        ------
        ContractError : a count out of range, more weights than a bank holds
        """
        for name, low in (("tokens", 0), ("in_tiles", 1), ("out_tiles", 1)):
            count, high = getattr(command, name), getattr(self, f"max_{name}")
            if not low <= count <= high:
                raise ContractError(f"{self.block}: a command's {name} must be {low} to {high}, got {count}")
        if command.words > self.weight_words:
            tiles = f"{command.in_tiles} x {command.out_tiles} tiles"
            raise ContractError(f"{self.block}: a bank holds {self.weight_words} tiles of weights, not {tiles}")

    def fetch_edges(self, command: Command) -> int:
        """Edges from a command to its first tile of products."""
        return FETCH_EDGES + self.read_stages + (self.gather_stages if command.use_expert else 0)

    def compute_edges(self, command: Command) -> int:
        """Edges from a sum's last tile of products to the end of the out FIFO."""
        edges = BUFFER_EDGES + self.tile.latency + OUT_FIFO_EDGES
        return edges + (self.gelu.latency if command.use_gelu else 0)

    def write_edges(self, command: Command) -> int:
        """Edges from the end of the out FIFO to the result."""
        if command.use_score:
            return self.write_stages + self.score_stages
        return self.write_stages + (self.scatter_stages if command.use_expert else 0)

    def _token_starts(self, command: Command, token: int) -> int:
        """Cycles from the first token's first tile to this one's.

        A token is fetched when the token `index_fifo` places earlier has left for `y`. If the latency of a token
        through the unit is longer than the computation of as many tokens as the FIFO holds, tokens come in bursts of
        that many.
        """
        way = command.words - 1 + self.compute_edges(command) + FETCH_EDGES - 1 + self.read_stages + 1
        burst, place = divmod(token, self.index_fifo)
        return burst * max(way, self.index_fifo * command.words) + place * command.words

    def resources(self) -> Resources:
        """Tile, GELU lanes, score lanes, the banks and FIFOs; control left out."""
        lanes, width = self.out_lanes, self.accumulator.width
        row, x = self.in_lanes * self.weight.width, self.in_lanes * self.activation.width
        weights = memory(self.banks * self.weight_words, row * lanes)
        biases = memory(self.banks * self.max_out_tiles, lanes * self.bias.width)
        inputs = memory(self.max_in_tiles, x) + memory(self.in_fifo - 1, x)
        beside = register(row * (lanes - 1)) + register(x) + selector(x) + delay(x, self.read_stages)
        scores = (
            delay(2 * width + self.score.width, min(1, self.score_stages - 2))
            + multiplier(width, self.score.width, width)
            + adder(width)
            + register(3 * width)
            + delay(width, max(0, self.score_stages - 3))
            + selector(2 * width)  # GELU or not, score or not
            + Resources(lut=2 * width)  # the out FIFO, in LUTs
            + delay(width, self.scatter_stages)
            + delay(width, self.write_stages)
        )
        return self.tile.resources() + self.gelu.resources() + scores * lanes + weights + biases + inputs + beside
