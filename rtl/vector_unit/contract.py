"""Contract of the vector unit: its cycles follow from the operations of an algorithm and the number of units.

A function is a sequence of phases. Within a phase all elements are independent, so adders and multipliers work in
parallel at one operation a cycle each. A phase waits for the previous one, since it needs its results (a softmax must
know the maximum before it can subtract it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from hwsim.mapping.formats import BF16, FLOATS, FP32, Format
from hwsim.rtl.contract import Contract, ContractError, Resources

# Operations of the algorithms per element: (adds, multiplies). The golden model executes exactly these; a test counts
# them there. A change of an exponent alone (halving, scaling by 2^k) counts as an add; reading an exponent, changing a
# sign and saturating an operand to a constant are gates outside the units and count as nothing.
ROUND = (2, 0)  # to the nearest integer: add and subtract a large constant

# Operations for the argument of exp: -2u = x (a + b x^2) takes three multiplications and an addition; -x is a gate.
ACTIVATION_ARGUMENTS = {"gelu": (1, 3), "silu": (0, 0)}


class Phase(NamedTuple):
    """Operations that may run in parallel.

    `chain` counts the (adds, multiplies) that follow each other for one element; `words` the words that the phase reads
    from and writes to working memory.
    """

    name: str
    adds: int
    multiplies: int
    chain: tuple[int, int]
    words: int


Phases = tuple[Phase, ...]


@dataclass(frozen=True, kw_only=True)
class VectorUnitContract(Contract):
    """Parameters of the vector unit.

    Attributes
    ----------
    adders, multipliers : pipelined units, one operation a cycle each; a comparison counts as an addition
    adder_latency, multiplier_latency : cycles from operands to result
    taylor_terms : terms of the exponential's series after the range reduction
    newton_steps : Newton-Raphson steps of a reciprocal
    rsqrt_steps : Newton steps of a reciprocal square root after the bit trick
    internal : format of all arithmetic; accumulator : of running sums; output : of results that leave the unit
    """

    block: ClassVar[str] = "vector_unit"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"source": "operation counts of the PIM-GPT paper's algorithms on its adders and multipliers"}
    }

    adders: int = 256
    multipliers: int = 128
    adder_latency: int = 1
    multiplier_latency: int = 1
    taylor_terms: int = 6
    newton_steps: int = 3
    rsqrt_steps: int = 1
    internal: Format = FP32
    accumulator: Format = FP32
    output: Format = BF16

    def __post_init__(self) -> None:
        self.require_range("adders", 1, 1_000_000)
        self.require_range("multipliers", 1, 1_000_000)
        self.require_range("adder_latency", 1, 1_000)
        self.require_range("multiplier_latency", 1, 1_000)
        self.require_range("taylor_terms", 1, 20)
        self.require_range("newton_steps", 0, 10)
        self.require_range("rsqrt_steps", 0, 10)
        for name in ("internal", "accumulator"):
            fmt = getattr(self, name)
            if fmt not in FLOATS.values():  # the algorithms need access to exponents
                raise ContractError(f"{self.block}: {name} must be one of {', '.join(FLOATS)}, got {fmt}")

    def cycles(self, work: Phases) -> int:
        """Cycles of phases that run one after another."""
        return sum(self._phase_cycles(phase) for phase in work)

    def words(self, phases: Phases) -> int:
        """Words that phases read from and write to working memory."""
        return sum(phase.words for phase in phases)

    def operations(self, phases: Phases) -> tuple[int, int]:
        """(adds, multiplies) of phases."""
        return sum(phase.adds for phase in phases), sum(phase.multiplies for phase in phases)

    def resources(self) -> Resources:
        return Resources(adders=self.adders, multipliers=self.multipliers)

    def softmax_phases(self, rows: int, length: int) -> Phases:
        """Scaled softmax: scale by 1/sqrt(d), subtract the maximum, exponential, sum, reciprocal, multiply."""
        if self._nothing(rows=rows, length=length):
            return ()
        n = rows * length
        exp, reciprocal = self.exp_operations, self.reciprocal_operations
        return (
            _map("scale", n, (0, 1)),
            _reduce("maximum", rows, length),
            _map("exponential", n, (1 + exp[0], exp[1])),  # with the subtraction of the maximum before it
            _reduce("sum", rows, length),
            _map("reciprocal", rows, reciprocal),
            _map("normalise", n, (0, 1)),
        )

    def gelu_phases(self, elements: int) -> Phases:
        """GELU in its tanh form, as x / (1 + exp(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3)."""
        return self._activation("gelu", elements)

    def silu_phases(self, elements: int) -> Phases:
        """SiLU, x / (1 + exp(-x)); the sign is a gate."""
        return self._activation("silu", elements)

    def glu_phases(self, elements: int, function: str) -> Phases:
        """A gated linear unit: the activation of one input times the other."""
        if self._nothing(elements=elements):
            return ()
        adds, multiplies = self.activation_operations(function)
        return (_map("glu", elements, (adds, multiplies + 1), read=2),)

    def rope_phases(self, elements: int) -> Phases:
        """Rotation by position: each element times a cosine plus its partner times a sine.

        A pair reads its two elements, a cosine and a sine.
        """
        if self._nothing(elements=elements):
            return ()
        return (Phase("rope", elements, 2 * elements, (1, 1), elements * (2 + 1)),)

    def layernorm_phases(self, rows: int, length: int) -> Phases:
        """LayerNorm: mean, variance of the differences, fast inverse square root, scale and shift."""
        if self._nothing(rows=rows, length=length):
            return ()
        n = rows * length
        rsqrt = self.rsqrt_operations
        return (
            _reduce("sum", rows, length),
            _map("mean", rows, (0, 1)),
            _map("differences", n, (1, 1), written=2),  # subtract the mean, square
            _reduce("sum of squares", rows, length),
            _map("inverse deviation", rows, (1 + rsqrt[0], 1 + rsqrt[1])),  # divide by the length, add epsilon
            _map("normalise", n, (1, 2), read=3),  # with scale and shift
        )

    def rmsnorm_phases(self, rows: int, length: int) -> Phases:
        """RMSNorm: mean of squares, fast inverse square root, scale."""
        if self._nothing(rows=rows, length=length):
            return ()
        n = rows * length
        rsqrt = self.rsqrt_operations
        return (
            _map("squares", n, (0, 1)),
            _reduce("sum of squares", rows, length),
            _map("inverse root", rows, (1 + rsqrt[0], 1 + rsqrt[1])),  # divide by the length, add epsilon
            _map("normalise", n, (0, 2), read=2),  # with scale
        )

    def add_phases(self, elements: int) -> Phases:
        """One addition per element: the residual."""
        if self._nothing(elements=elements):
            return ()
        return (_map("add", elements, (1, 0), read=2),)

    def accumulate_phases(self, elements: int, parts: int) -> Phases:
        """Sum `parts` partial results for each element: chunks of a long input, and the bias."""
        if self._nothing(elements=elements, parts=parts):
            return ()
        return (_map("accumulate", elements, (parts - 1, 0), read=parts),)

    def argmax_phases(self, elements: int) -> Phases:
        """Index of the largest of `elements` values."""
        if self._nothing(elements=elements):
            return ()
        return (_reduce("argmax", 1, elements),)

    def activation_operations(self, function: str) -> tuple[int, int]:
        """An activation of one element, in the form x times the reciprocal of 1 + exp(argument)."""
        exp, reciprocal = self.exp_operations, self.reciprocal_operations
        adds, multiplies = ACTIVATION_ARGUMENTS[function]
        return adds + exp[0] + 1 + reciprocal[0], multiplies + exp[1] + reciprocal[1] + 1

    @property
    def exp_operations(self) -> tuple[int, int]:
        """Range reduction (k = round(x log2 e), r = x - k ln 2), Horner, exponent plus k."""
        degree = self.taylor_terms - 1
        return ROUND[0] + 1 + degree + 1, 2 + degree

    @property
    def reciprocal_operations(self) -> tuple[int, int]:
        """Split off the exponent; start with 48/17 - 32/17 D; a step is x (2 - D x); put the exponent back."""
        return 1 + 1 + self.newton_steps + 1, 1 + 2 * self.newton_steps

    @property
    def rsqrt_operations(self) -> tuple[int, int]:
        """The bit trick is one integer subtraction, halving x an exponent add; a step is y (1.5 - x/2 y y)."""
        return 1 + 1 + self.rsqrt_steps, 3 * self.rsqrt_steps

    def _activation(self, function: str, elements: int) -> Phases:
        if self._nothing(elements=elements):
            return ()
        return (_map(function, elements, self.activation_operations(function)),)

    def _nothing(self, **sizes: int) -> bool:
        """Whether a size is 0, so that there is no work."""
        for name, size in sizes.items():
            if size < 0:
                raise ContractError(f"{self.block}: {name} must not be negative, got {size}")
        return 0 in sizes.values()

    def _phase_cycles(self, phase: Phase) -> int:
        if not phase.adds and not phase.multiplies:
            return 0
        busy = max(-(-phase.adds // self.adders), -(-phase.multiplies // self.multipliers))
        adds, multiplies = phase.chain
        fill = adds * self.adder_latency + multiplies * self.multiplier_latency - 1
        return busy + max(fill, 0)


def _map(name: str, elements: int, operations: tuple[int, int], *, read: int = 1, written: int = 1) -> Phase:
    """The same (adds, multiplies) for each element, one after the other within it."""
    return Phase(name, elements * operations[0], elements * operations[1], operations, elements * (read + written))


def _reduce(name: str, rows: int, length: int) -> Phase:
    """A tree over each row: length - 1 additions, in as many levels as it takes to halve the row down to one."""
    return Phase(name, rows * (length - 1), 0, ((length - 1).bit_length(), 0), rows * (length + 1))
