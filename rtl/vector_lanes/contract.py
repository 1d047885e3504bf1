"""Contract of lanes with floating-point operators, through which rows of elements pass. It has no RTL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from hwsim.mapping.formats import FP32, Format
from hwsim.rtl.contract import Contract, Resources
from hwsim.rtl.float_operators import Operation, float_operator
from hwsim.rtl.row_scheduler.contract import require_float

OPERATIONS: tuple[Operation, ...] = ("add", "multiply", "exp", "divide")

Over = Literal["segment", "rows"]


class Function(NamedTuple):
    """Operations on one element; changes of an exponent alone and signs are gates, and count as nothing."""

    adds: int = 0
    multiplies: int = 0
    exps: int = 0
    divides: int = 0
    summed: Over | None = None  # over the elements of each segment, or each element over the rows

    def then(self, other: Function) -> Function:
        """Both, one after the other, on each element."""
        return Function(
            adds=self.adds + other.adds,
            multiplies=self.multiplies + other.multiplies,
            exps=self.exps + other.exps,
            divides=self.divides + other.divides,
        )


FUNCTIONS: Mapping[str, Function] = {
    "copy": Function(),
    "add": Function(adds=1),
    "multiply": Function(multiplies=1),
    "mean": Function(adds=1, multiplies=1, summed="rows"),  # of each element's share
    "largest": Function(adds=1, summed="segment"),  # a comparison is a subtraction
    "relu": Function(adds=1),
    "relu2": Function(adds=1, multiplies=1),
    "silu": Function(adds=1, exps=1, divides=1),  # x / (1 + exp(-x))
    "tanh": Function(adds=2, exps=1, divides=1),  # (1 - exp(-2x)) / (1 + exp(-2x))
    # x / (1 + exp(-2u)) with u = x (a + b x^2)
    "gelu": Function(adds=2, multiplies=3, exps=1, divides=1),
    # Abramowitz and Stegun 7.1.26: z = x / sqrt(2), t = 1 / (1 + p z), five terms in t, times exp(-z^2), less 1,
    # times x / 2
    "gelu_erf": Function(adds=7, multiplies=10, exps=1, divides=1),
    "softcap": Function(adds=2, multiplies=2, exps=1, divides=1),
    "rotate": Function(adds=1, multiplies=2),  # an element times a cosine, its partner times a sine
    "moments": Function(adds=2, multiplies=1, summed="segment"),  # sums of x and of x^2
    "squares": Function(adds=1, multiplies=1, summed="segment"),
    "affine": Function(adds=2, multiplies=2),  # less the mean, times 1/deviation, times gamma, plus beta
    "scaled": Function(adds=1, multiplies=2),  # the same without beta
    "scaled_root": Function(multiplies=2),  # RMS norm's
}


class Sweep(NamedTuple):
    """A function of all elements of `rows` rows, each of `segments` segments of `width` elements."""

    rows: int
    segments: int
    width: int
    function: Function


@dataclass(frozen=True, kw_only=True)
class VectorLanesContract(Contract):
    """`lanes` of some adders and multipliers, one unit for exp and one divider each; one unit for roots beside them.

    Operators take operands every cycle. A lane takes a new element whenever its scarcest operators have taken all that
    the function asks of them; segments begin with a new beat of all lanes. For sums over segments the segments take
    turns, a beat of each, so that an addition ends before its sum is needed again: with fewer segments than
    `add_latency` the lanes wait. Then a tree of adders over the lanes, a root and a division give a segment's value,
    while other segments are summed. For sums over rows each lane keeps the sums of its elements. Sweeps come one after
    the other, each when the last result of the one before is there.

    Attributes
    ----------
    fmt : of all operators, whatever the format of elements in memory
    adders, multipliers : of a lane
    add_latency, multiply_latency, exp_latency, divide_latency, root_latency : cycles from operands to result
    """

    block: ClassVar[str] = "vector_lanes"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "assumed": {"source": "ours: pipelined lanes; operations follow from the functions, latencies assumed"}
    }

    fmt: Format = FP32
    lanes: int = 32
    adders: int = 2
    multipliers: int = 2
    add_latency: int = 8
    multiply_latency: int = 4
    exp_latency: int = 20
    divide_latency: int = 28
    root_latency: int = 28

    def __post_init__(self) -> None:
        require_float(self, "fmt")
        self.require_range("lanes", 1, 1 << 12)
        for name in ("adders", "multipliers"):
            self.require_range(name, 1, 16)
        for name in ("add_latency", "multiply_latency", "exp_latency", "divide_latency", "root_latency"):
            self.require_range(name, 1, 256)

    def interval(self, function: Function) -> int:
        """Cycles from an element of a lane to its next."""
        adds, multiplies = -(-function.adds // self.adders), -(-function.multiplies // self.multipliers)
        return max(1, adds, multiplies, function.exps, function.divides)

    def sweep_cycles(self, sweep: Sweep) -> int:
        """Cycles of one sweep until all lanes have taken their last element."""
        beats, each = -(-sweep.width // self.lanes), self.interval(sweep.function)
        segments = sweep.rows * sweep.segments
        match sweep.function.summed:
            case "segment":
                return beats * max(segments * each, self.add_latency)
            case "rows":
                return sweep.rows * max(sweep.segments * beats * each, self.add_latency)
            case None:
                return beats * segments * each

    def latency(self, function: Function) -> int:
        """Cycles from the last element to its result: all operations on an element, one after the other."""
        own = (
            function.adds * self.add_latency
            + function.multiplies * self.multiply_latency
            + function.exps * self.exp_latency
            + function.divides * self.divide_latency
        )
        if function.summed != "segment":
            return own + 1
        tree = (self.lanes - 1).bit_length() * self.add_latency
        return own + tree + 3 * self.multiply_latency + 2 * self.add_latency + self.root_latency + self.divide_latency

    def cycles(self, work: Iterable[Sweep]) -> int:
        """Cycles of sweeps one after the other."""
        return sum(
            self.sweep_cycles(sweep) + self.latency(sweep.function)
            for sweep in work
            if sweep.rows * sweep.segments * sweep.width
        )

    def resources(self) -> Resources:
        """The lanes' operators, the tree of adders, and what makes 1/root; buffers for rows are apart.

        A root is taken to be as large as a divider: both go bit by bit.
        """
        add, multiply, exp, divide = (float_operator(name, self.fmt).cells for name in OPERATIONS)
        lane = add * self.adders + multiply * self.multipliers + exp + divide
        return lane * self.lanes + add * (self.lanes - 1) + divide * 2
