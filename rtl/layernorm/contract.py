"""Contract of layer norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.adder_tree import tree_resources, tree_stages
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, delay, memory, multiplier, register, selector
from hwsim.rtl.inverse_root.contract import RsqrtContract
from hwsim.rtl.ports import FLAG, Port, stream

PRODUCT_BITS = 64  # of two signed factors: the width in which the golden model computes


@dataclass(frozen=True, kw_only=True)
class LayerNormContract(Contract):
    """`y = (x - m) / sqrt(v) * weight + bias` for each token of `features` features, `lanes` of them per beat.

    The first stage sums `t = floor(x / D)` and `floor(x t)` over a token, which gives `m = E[x]` and
    `v = max(E[x^2] - m^2 + epsilon, 0)`, and takes the root of `v`; the second stage reads the token again from a
    memory. While the second works on a token, the first works on the next ones, so a token takes `features / lanes`
    cycles. The division is a product with the constant `floor(2^divisor_fraction / D)`. Every product is floored to
    the accumulator's resolution before it is used, and every sum wraps.

    The stream `norm` brings weights and biases; those of the next sequence of tokens come during this one. A
    sequence ends with the token whose last beat carries `last`.

    Edge-MoE's source gives formats, sums and constants. Two points are our reading: a variance of 0 or below (after a
    wrap) counts as 0, whose inverse root is the largest code of `root`, where the source divides by 0; and the factors
    are applied in the order written above.

    Attributes
    ----------
    divisor_fraction : fraction bits of the constant 1/D
    epsilon : in units of the accumulator's last bit
    product_stages : registers of each product
    adder_levels : levels of the adder tree between two registers
    output_stages : registers after the second stage, for a tool to move
    root_method, root_segments_log2, root_degree, root_guard_bits, root_bits_per_stage, root_output_stages : for the
        inverse root, see `RsqrtContract`; its output registers end the first stage
    activation : format of x and y
    accumulator : format of the sums and of all values between x and y
    root : format of 1/sqrt(v)
    """

    block: ClassVar[str] = "layernorm"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 142,
            "root_method": "division",
            "root_bits_per_stage": 2,
            "root_output_stages": 23,
            "root": Fixed(width=32, integer=10),
            "source": "Edge-MoE: two stages of depths 80 and 154 in an HLS log (79 and 153 edges), interval 24; "
            "the split within them is ours",
        },
        "rtl": {"source": "rtl/layernorm"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"root_method": RsqrtContract.choices["method"]}

    features: int = 192
    lanes: int = 8
    divisor_fraction: int = 22
    epsilon: int = 4
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    root_method: str = "polynomial"
    root_segments_log2: int = 7
    root_degree: int = 2
    root_guard_bits: int = 4
    root_bits_per_stage: int = 1
    root_output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    weight: Fixed = Fixed(width=16, integer=5)
    bias: Fixed = Fixed(width=16, integer=5)
    accumulator: Fixed = Fixed(width=32, integer=10)
    root: Fixed = Fixed(width=31, integer=9, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        self.require_range("lanes", 1, 64)
        self.require_range("features", 1, 65536)
        self.require_range("divisor_fraction", 1, 30)
        self.require_range("epsilon", 0, 1 << 16)
        self.require_range("product_stages", 1, 6)
        self.require_range("adder_levels", 1, 6)
        self.require_range("output_stages", 0, 160)
        self.require_choice("root_method")
        self._check_formats()
        if self.features % self.lanes:
            raise ContractError(f"{self.block}: {self.features} features do not fill beats of {self.lanes}")
        if not self.divisor:
            raise ContractError(f"{self.block}: 1/{self.features} is 0 with {self.divisor_fraction} fraction bits")
        if self.epsilon > self.accumulator.code_range[1]:
            raise ContractError(f"{self.block}: epsilon {self.epsilon} exceeds {self.accumulator}")
        _ = self.rsqrt  # checks its own parameters

    def _check_formats(self) -> None:
        for name in ("activation", "weight", "bias", "accumulator", "root"):
            self.require_fixed(name)
        for name in ("activation", "weight", "bias", "accumulator"):
            if not getattr(self, name).signed:
                raise ContractError(f"{self.block}: {name} must be signed, got {getattr(self, name)}")
        self.require_floor_and_wrap("accumulator")
        factors = [
            self.activation.width,
            self.accumulator.width,
            self.weight.width,
            self.root.width + (not self.root.signed),
        ]
        if self.accumulator.width + max(factors) > PRODUCT_BITS:
            width = self.accumulator.width + max(factors)
            raise ContractError(f"{self.block}: a product may have {PRODUCT_BITS} bits, {width} asked for")
        if not 1 <= self.accumulator.integer <= self.accumulator.width:
            point = "its point within its bits, a sign before it"
            raise ContractError(f"{self.block}: accumulator must have {point}, got {self.accumulator}")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("x", "in", values=(self.activation, self.lanes), last=FLAG),
            stream("norm", "in", weight=(self.weight, self.lanes), bias=(self.bias, self.lanes)),
            stream("y", "out", values=(self.activation, self.lanes)),
        )

    @property
    def beats(self) -> int:
        """Beats of a token."""
        return self.features // self.lanes

    @property
    def divisor(self) -> int:
        """1/D as a code with `divisor_fraction` fraction bits."""
        return (1 << self.divisor_fraction) // self.features

    @property
    def rsqrt(self) -> RsqrtContract:
        """The inverse root that is part of the first stage."""
        fmt, own = (
            self.accumulator,
            ("method", "segments_log2", "degree", "guard_bits", "bits_per_stage", "output_stages"),
        )
        with part_of(self.block, argument="accumulator", result="root", **{name: f"root_{name}" for name in own}):
            return RsqrtContract(
                method=self.root_method,
                segments_log2=self.root_segments_log2,
                degree=self.root_degree,
                guard_bits=self.root_guard_bits,
                bits_per_stage=self.root_bits_per_stage,
                output_stages=self.root_output_stages,
                argument=Fixed(width=fmt.width - 1, integer=fmt.integer - 1, signed=False),
                result=self.root,
            )

    @property
    def unread(self) -> frozenset[str]:
        return frozenset(f"root_{name}" for name in self.rsqrt.unread)

    @property
    def tree_stages(self) -> int:
        """Registers in the adder tree."""
        return tree_stages(self.lanes, self.adder_levels)

    @property
    def moment_stages(self) -> int:
        """Clock edges from a token's last beat to its variance: two products, tree, sums, square, difference."""
        return 3 * self.product_stages + self.tree_stages + 2

    @property
    def statistics_latency(self) -> int:
        """Clock edges from a token's last beat to the root."""
        return self.moment_stages + self.rsqrt.latency

    @property
    def affine_latency(self) -> int:
        """Clock edges from a beat's second reading to the result: reading, difference, two products, sum."""
        return 2 * self.product_stages + 3 + self.output_stages

    @property
    def queue_beats(self) -> int:
        """Capacity in beats of the queue between the stages: two tokens, and the beats that the first stage holds then.

        That is two more than ever wait there (`tests/rtl/test_formal_blocks.py` proves it): at least one beat of the
        token being read has left, and the last beat of the next token is still in the first stage.
        """
        return 2 * self.beats + self.statistics_latency

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens, of any number of sequences."""
        return (work + 1) * self.beats + self.statistics_latency + self.affine_latency - 1 if work else 0

    def backlog(self, work: int) -> Mapping[str, int]:
        """Beats of x, in tokens of one sequence, that are taken while no result is taken.

        The first result stops the second stage, which by then has begun as many tokens as fill its depth; the
        statistics of the next token stop the first stage.
        """
        begun = -(-self.affine_latency // self.beats)
        taken = (begun + 1) * self.beats + self.statistics_latency - 1
        return {"x": min(taken, work * self.beats)}

    def resources(self) -> Resources:
        """Lanes of both stages, the sums and the root between them, two memories; control left out."""
        width = self.accumulator.width
        square = multiplier(width, width, width) + delay(width, self.product_stages) * 2 + adder(width) * 2
        statistics = square + delay(width, 3 + self.rsqrt.latency) + register(width) + selector(width)
        queue = memory(self.queue_beats, self.lanes * self.activation.width)
        norms = memory(2 * self.beats, self.lanes * (self.weight.width + self.bias.width))
        lanes = (self._moment_lane() + self._affine_lane()) * self.lanes
        sums = (tree_resources(self.lanes, self.adder_levels, width) + adder(width) + register(width)) * 2
        held = register(width + self.root.width)  # for the token that is read again
        return lanes + sums + statistics + self.rsqrt.resources() + queue + norms + held

    def _moment_lane(self) -> Resources:
        """Two products, the second of which waits for the first."""
        x, width, stages = self.activation.width, self.accumulator.width, self.product_stages
        products = multiplier(x, self.divisor.bit_length(), width) + multiplier(x, width, width)
        return products + delay(x, stages - 1) + delay(x, stages) + delay(width, stages) + register(2 * width)

    def _affine_lane(self) -> Resources:
        """A difference, two products, a sum."""
        width, stages = self.accumulator.width, self.product_stages
        products = multiplier(width, self.root.width, width) + multiplier(width, self.weight.width, width)
        operands = delay(self.root.width + 2 * width, stages) + delay(self.weight.width, 2 * stages)
        result = register(width) + adder(width) + delay(self.activation.width, 1 + self.output_stages)
        return adder(width) + products + operands + delay(self.bias.width, 2 * stages + 1) + result
