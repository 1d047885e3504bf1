"""A small machine of real blocks, wired as its block diagram is drawn.

sequencer ---> reader ---> linear ---> gelu ---> softmax ---> writer
    \\-------> loader ====>/                                     |
                |   \\_ reader                                   |
                +------------------ memory ----------------------+
"""

from dataclasses import dataclass

from hwsim.engine.arbiter import Arbiter, Master, Service
from hwsim.engine.clock import TimeBase
from hwsim.engine.diagram import Diagram
from hwsim.engine.pipeline import Pipeline
from hwsim.engine.port import In, Out, Steps, connect, double_buffer
from hwsim.engine.unit import Unit
from hwsim.rtl.gelu_delta.contract import GeluDeltaContract
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.online_softmax.contract import OnlineSoftmaxContract
from hwsim.rtl.weight_loader.contract import Group, WeightLoaderContract

BURST = 16  # beats


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A matrix by which some tokens are multiplied, in tiles."""

    number: int
    in_tiles: int
    out_tiles: int
    tokens: int

    @property
    def group(self) -> Group:
        words = self.in_tiles * self.out_tiles
        return Group(in_tiles=self.in_tiles, out_tiles=self.out_tiles, reads=words * self.tokens)

    def __str__(self) -> str:
        return f"matrix {self.number}"


class Sequencer(Unit):
    """Tells loader and reader which matrices come next."""

    loads = Out[Matrix]()
    reads = Out[Matrix]()
    program: tuple[Matrix, ...]

    def run(self) -> Steps[None]:
        for matrix in self.program:
            yield from self.loads.put(matrix)
            yield from self.reads.put(matrix)


class Loader(Unit):
    """Fills a bank with a matrix, in bursts; beats are written as they arrive."""

    contract: WeightLoaderContract
    commands = In[Matrix]()
    memory = Master[int]()
    out = Out[Matrix]()

    def run(self) -> Steps[None]:
        while True:
            matrix = yield from self.commands.get()
            yield from self.out.claim()
            full, rest = divmod(self.contract.beats(matrix.group), BURST)
            bursts = [BURST] * full + [rest] * (rest > 0)
            answers = []
            for beats in bursts:
                answers.append((yield from self.memory.issue(beats)))
            for beats, answer in zip(bursts, answers, strict=True):
                yield from self.memory.wait(answer)
                yield from self.occupy(beats, kind="load", name=str(matrix))
            self.out.fill(matrix)


class Reader(Unit):
    """Fetches the tokens of a matrix."""

    commands = In[Matrix]()
    memory = Master[int]()
    tokens = Out[int]()

    def run(self) -> Steps[None]:
        while True:
            matrix = yield from self.commands.get()
            for token in range(matrix.tokens):
                yield from self.memory.access(2 * matrix.in_tiles)
                yield from self.tokens.put(token)


class Linear(Unit):
    """Multiplies tokens with the matrix of a bank; the out tiles of a token leave one by one."""

    contract: MacTileContract
    weights = In[Matrix]()
    x = In[int]()
    y = Out[tuple[int, int]]()

    def run(self) -> Steps[None]:
        while True:
            matrix = yield from self.weights.take()
            for _ in range(matrix.tokens):
                token = yield from self.x.get()
                tiles = [(matrix.in_tiles * (tile + 1), (token, tile)) for tile in range(matrix.out_tiles)]
                yield from self.stream(tiles, self.y, kind="linear", name=f"{matrix}, token {token}")
            self.weights.release()


class Softmax(Unit):
    """Takes the tiles of as many tokens as the program says, and hands on one block."""

    x = In[tuple[int, int]]()
    block = Out[int]()
    program: tuple[Matrix, ...]

    def run(self) -> Steps[None]:
        for matrix in self.program:
            for _ in range(matrix.tokens * matrix.out_tiles):
                yield from self.x.get()
            yield from self.work(matrix.tokens, kind="softmax", name=str(matrix))
            yield from self.block.put(matrix.tokens)


class Writer(Unit):
    """Writes blocks."""

    x = In[int]()
    memory = Master[int]()

    def run(self) -> Steps[None]:
        while True:
            tokens = yield from self.x.get()
            yield from self.memory.access(2 * tokens)


def small_machine(program: tuple[Matrix, ...]) -> Diagram:
    board = Diagram(TimeBase.of({"pl": 200_000_000, "dram": 400_000_000}))
    pl, dram = board.clocks["pl"], board.clocks["dram"]
    sequencer = Sequencer(board, "sequencer", pl, source="one command a cycle")
    loader = Loader.of(WeightLoaderContract.from_preset("rtl"), board, "loader", pl)
    reader = Reader(board, "reader", pl, source="one beat a cycle")
    linear = Linear.of(MacTileContract.from_preset("published"), board, "linear", pl)
    gelu = Pipeline.of(GeluDeltaContract.from_preset("rtl"), board, "gelu", pl)
    softmax = Softmax.of(OnlineSoftmaxContract.from_preset("rtl"), board, "softmax", pl)
    writer = Writer(board, "writer", pl, source="one beat a cycle")
    sequencer.program = softmax.program = program
    connect(sequencer.loads, loader.commands, depth=1)
    connect(sequencer.reads, reader.commands, depth=1)
    double_buffer(loader.out, linear.weights)
    connect(reader.tokens, linear.x, depth=4)
    connect(linear.y, gelu.x, depth=2)
    connect(gelu.y, softmax.x, depth=2)
    connect(softmax.block, writer.x, depth=1)
    Arbiter(
        board,
        "memory",
        dram,
        source="a beat a cycle, answered 20 cycles later",
        masters=(loader.memory, reader.memory, writer.memory),
        policy="round_robin",
        outstanding=4,
        serve=lambda beats, start: Service(start + dram.ticks(beats), start + dram.ticks(beats + 20)),
    )
    return board


PROGRAM = (
    Matrix(number=0, in_tiles=3, out_tiles=4, tokens=5),
    Matrix(number=1, in_tiles=4, out_tiles=2, tokens=6),
    Matrix(number=2, in_tiles=2, out_tiles=2, tokens=4),
)


def test_its_wiring_is_its_block_diagram() -> None:
    assert small_machine(PROGRAM).dump() == (
        "unit sequencer: source: one command a cycle; clock pl 200 MHz\n"
        "unit loader: weight_loader, rtl, proven; clock pl 200 MHz\n"
        "unit reader: source: one beat a cycle; clock pl 200 MHz\n"
        "unit linear: mac_tile, published; clock pl 200 MHz\n"
        "unit gelu: gelu_delta, rtl, proven; clock pl 200 MHz\n"
        "unit softmax: online_softmax, rtl, proven; clock pl 200 MHz\n"
        "unit writer: source: one beat a cycle; clock pl 200 MHz\n"
        "arbiter memory: round_robin of loader.memory, reader.memory, writer.memory; 4 outstanding; "
        "clock dram 400 MHz\n"
        "channel sequencer.loads -> loader.commands: depth 1\n"
        "channel sequencer.reads -> reader.commands: depth 1\n"
        "channel loader.out -> linear.weights: 2 banks\n"
        "channel reader.tokens -> linear.x: depth 4\n"
        "channel linear.y -> gelu.x: depth 2\n"
        "channel gelu.y -> softmax.x: depth 2 and 6 stages\n"
        "channel softmax.block -> writer.x: depth 1\n"
    )


def test_it_runs_and_tells_who_waited_for_what() -> None:
    board = small_machine(PROGRAM)
    assert board.run() == 1514
    told = {
        name: (unit.busy, {str(cause): ticks for cause, ticks in unit.stalls.items()})
        for name, unit in board.units.items()
    }
    assert told == {
        "sequencer": (0, {"loads is full": 580}),
        "loader": (784, {"waits for memory": 342}),
        "reader": (0, {"waits for memory": 484, "tokens is full": 702}),
        "linear": (698, {"waits for weights": 686}),
        "gelu": (80, {"waits for x": 1306}),
        "softmax": (324, {"waits for x": 1162}),
        "writer": (0, {"waits for x": 1414, "waits for memory": 100}),
        "memory": (516, {}),
    }


def test_what_each_unit_worked_is_what_the_contracts_state() -> None:
    board = small_machine(PROGRAM)
    board.run()
    loads, tile = WeightLoaderContract.from_preset("rtl"), MacTileContract.from_preset("published")
    softmax = OnlineSoftmaxContract.from_preset("rtl")
    cycles = {name: board.units[name].busy // 2 for name in ("loader", "linear", "gelu", "softmax")}
    assert cycles == {
        "loader": sum(loads.beats(matrix.group) for matrix in PROGRAM),
        "linear": sum(matrix.tokens * tile.cycles(matrix.in_tiles * matrix.out_tiles) for matrix in PROGRAM),
        "gelu": sum(matrix.tokens * matrix.out_tiles for matrix in PROGRAM),
        "softmax": sum(softmax.cycles(matrix.tokens) for matrix in PROGRAM),
    }
