"""Contract of the gate of a mixture of experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.divide.contract import DivideContract
from hwsim.rtl.estimates import adder, delay, memory, multiplier, register, selector
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.inverse_root.contract import ReciprocalContract
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.online_sum.recurrence import Recurrence
from hwsim.rtl.ports import FLAG, Port, number_up_to, stream


@dataclass(frozen=True, kw_only=True)
class TopkGateContract(Contract):
    """For each token the best experts and their probabilities; for each expert the queue of its tokens.

    A command says whether weights are to be loaded (they stay until the next load: a task switch is a load) and how
    many tokens follow. A token's logits are `weight @ x`; their softmax is taken in one pass, the best `top` by
    insertion, ties to the lower expert. A score is a probability over all experts, not renormalised to the chosen.
    When all tokens have passed, `meta` names the experts that have tokens, in order and each with its number of
    tokens, and `queue` gives the tokens, expert by expert. The two streams do not wait for each other: a reader that
    prefetches experts reads all of `meta` first. The next token's products overlap the softmax of the previous token.

    Attributes
    ----------
    experts, lanes : multiply-accumulates a cycle
    inputs : number of inputs of each expert's logit, a multiple of `lanes`
    top : number of experts for each token (the paper's k)
    max_tokens : largest number that a command may give, and capacity of each queue
    mac_stages, adder_levels : for the multiply-accumulate tile, see `MacTileContract`
    initiation_interval : least number of cycles between two logits in the softmax
    product_stages : registers in the products sum x exponential and exponential x inverse
    output_stages : registers before the queues, for a tool to move
    serial : a token's products wait until the token before stands in its queues
    exp_method : of the exponential, as in `exp`
    probability : `inverse`, an exponential times 1/sum, which is made as in `reciprocal`, of a polynomial; or
        `quotient`, an exponential divided by the sum, exact but for the floor of the score
    bits_per_stage : of the quotient, as in `divide`
    accumulator : format of logits and of the products that they sum
    exponential, total, inverse : formats of exponentials, of their sum, of 1/sum
    """

    block: ClassVar[str] = "topk_gate"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "adder_levels": 1,
            "initiation_interval": 3,
            "output_stages": 70,
            "serial": True,
            "exp_method": "tables",
            "probability": "quotient",
            "bits_per_stage": 2,
            "exponential": Fixed(width=32, integer=10),
            "total": Fixed(width=32, integer=10),
            "source": "Edge-MoE: 16x8 a cycle at depth 8 (7 edges), logits at interval 3, in an HLS log. There the "
            "parts of a token follow one another, about 184 cycles each; stages before the queues are what makes 184",
        },
        "rtl": {"source": "rtl/topk_gate"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "exp_method": ExpContract.choices["method"],
        "probability": ("inverse", "quotient"),
    }

    experts: int = 16
    lanes: int = 8
    inputs: int = 192
    top: int = 2
    max_tokens: int = 129
    mac_stages: int = 3
    adder_levels: int = 2
    initiation_interval: int = 1
    product_stages: int = 2
    output_stages: int = 0
    serial: bool = False
    exp_method: str = "polynomial"
    probability: str = "inverse"
    bits_per_stage: int = 1
    activation: Fixed = Fixed(width=32, integer=10)
    weight: Fixed = Fixed(width=16, integer=2)
    accumulator: Fixed = Fixed(width=32, integer=10)
    exponential: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    total: Fixed = Fixed(width=31, integer=9, signed=False)
    inverse: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    score: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("experts", 1, 64)
        self.require_range("lanes", 1, 64)
        self.require_range("inputs", 1, 1 << 16)
        self.require_range("top", 1, self.experts)
        self.require_range("max_tokens", 1, 1 << 16)
        self.require_range("initiation_interval", 1, 16)
        self.require_range("product_stages", 0, 6)
        self.require_range("output_stages", 0, 160)
        if not isinstance(self.serial, bool):
            raise ContractError(f"{self.block}: serial must be true or false, got {self.serial!r}")
        self.require_range("bits_per_stage", 1, 8)
        for name in self.choices:
            self.require_choice(name)
        for name in ("activation", "weight", "accumulator", "exponential", "total", "inverse", "score"):
            self.require_fixed(name)
        if self.inputs % self.lanes:
            raise ContractError(f"{self.block}: inputs must be a multiple of {self.lanes} lanes, got {self.inputs}")
        multiplies = self.probability == "inverse"
        if multiplies and self.exponential.width + self.inverse.width > 62:
            width = self.exponential.width + self.inverse.width
            raise ContractError(f"{self.block}: exponential times inverse may have 62 bits, {width} asked for")
        # they check the rest
        _ = self.mac, self.recurrence, self.reciprocal if multiplies else self.divider

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", load=FLAG, tokens=number_up_to(self.max_tokens)),
            stream("weights", "in", values=(self.weight, self.lanes)),  # row by row of (experts, inputs)
            stream("x", "in", values=(self.activation, self.lanes)),
            stream("meta", "out", expert=self.expert, length=number_up_to(self.max_tokens), last=FLAG),
            stream("queue", "out", token=self.token, score=self.score, last=FLAG),
        )

    @property
    def unread(self) -> frozenset[str]:
        return frozenset(("inverse",) if self.probability == "quotient" else ("bits_per_stage",))

    @property
    def expert(self) -> Fixed:
        """Format of an expert's number."""
        return number_up_to(self.experts - 1)

    @property
    def token(self) -> Fixed:
        """Format of a token's number."""
        return number_up_to(self.max_tokens - 1)

    @property
    def tiles(self) -> int:
        """Beats of a token."""
        return self.inputs // self.lanes

    @property
    def mac(self) -> MacTileContract:
        """The tile that computes the logits."""
        with part_of(self.block, in_lanes="lanes", out_lanes="experts", product_stages="mac_stages"):
            return MacTileContract.from_preset(
                "rtl",
                in_lanes=self.lanes,
                out_lanes=self.experts,
                product_stages=self.mac_stages,
                adder_levels=self.adder_levels,
                activation=self.activation,
                weight=self.weight,
                bias=Fixed(width=1, integer=1),  # always 0
                accumulator=self.accumulator,
            )

    @property
    def recurrence(self) -> Recurrence:
        """The running maximum and sum of the logits."""
        with part_of(self.block, values="accumulator"):
            return Recurrence(
                states=1,
                values=self.accumulator,
                exponential=self.exponential,
                total=self.total,
                product_stages=self.product_stages,
                longest=self.experts,
                exp_method=self.exp_method,
            )

    @property
    def reciprocal(self) -> ReciprocalContract:
        """The unit that makes 1/sum, for the probability `inverse`."""
        with part_of(self.block):
            return self.recurrence.reciprocal(self.inverse)

    @property
    def divider(self) -> DivideContract:
        """The unit that divides an exponential, which is below 2, by the sum, for the probability `quotient`."""
        with part_of(self.block, quotient="score", denominator="total"):
            return DivideContract(
                bits_per_stage=self.bits_per_stage,
                numerator=Fixed(width=self.exponential.fraction + 1, integer=1, signed=False),
                denominator=self.recurrence.positive_total,
                quotient=self.score,
            )

    @property
    def probability_latency(self) -> int:
        """Clock edges from a sum, or from the exponential that comes with it, to the probability."""
        if self.probability == "quotient":
            return self.divider.latency
        return self.reciprocal.latency + self.product_stages + 1

    @property
    def logit_interval(self) -> int:
        """Cycles from a logit to the next."""
        return max(self.initiation_interval, self.recurrence.interval)

    @property
    def softmax_cycles(self) -> int:
        """Cycles in which one token's logits (spaced) and choices (not spaced) enter the softmax."""
        return (self.experts - 1) * self.logit_interval + 1 + self.top

    @property
    def token_interval(self) -> int:
        """Cycles from a token's first beat to the next token's."""
        if self.serial:
            return self.tiles + self.mac.latency + self.softmax_cycles + self.latency + 1
        return max(self.tiles, self.softmax_cycles)

    @property
    def latency(self) -> int:
        """Clock edges from a choice's entry into the softmax to its queue: sum, probability."""
        return self.recurrence.latency + self.probability_latency + self.output_stages

    def command_cycles(self, *, load: bool, tokens: int) -> int:
        """Cycles from a command to the next.

        These are the command; the load; the first token's tiles and their latency to the logits; the other tokens, at
        the rate of the slower of products and softmax; the last token's latency to its queue; and reading the queues,
        which takes one cycle more than their entries.
        """
        chosen = self.choice_cycles(load=load, tokens=tokens)
        return chosen + tokens * self.top + 1 if tokens else chosen

    def choice_cycles(self, *, load: bool, tokens: int) -> int:
        """Cycles from a command until its last token stands in its queues, which nobody has read yet."""
        start = 1 + (self.experts * self.tiles if load else 0)
        if not tokens:
            return start
        first = self.tiles + self.mac.latency
        return start + first + (tokens - 1) * self.token_interval + self.softmax_cycles + self.latency + 1

    def cycles(self, work: Sequence[tuple[bool, int]]) -> int:
        """Cycles for `work`, commands as (load, tokens), up to the last command that has tokens."""
        ends = [i for i, (_, tokens) in enumerate(work) if tokens]
        counted = work[: ends[-1] + 1] if ends else ()
        return sum(self.command_cycles(load=load, tokens=tokens) for load, tokens in counted)

    def resources(self) -> Resources:
        """Tile, softmax, list of the best, memories of weights and queues; handshakes left out."""
        places = 1 << self.expert.width + self.token.width
        memories = memory(places, self.token.width + self.score.width)
        memories += memory(self.tiles, self.inputs // self.tiles * self.experts * self.weight.width)
        logits = register(self.experts * self.accumulator.width) + selector(self.experts * self.accumulator.width)
        entry = self.accumulator.width + self.expert.width
        best = (adder(self.accumulator.width) + selector(entry) * 2 + register(entry)) * self.top
        count = self.max_tokens.bit_length()
        lengths = (register(count) + adder(count) + selector(2 * count)) * self.experts
        operands = register(self.lanes * self.activation.width)
        softmax = self.recurrence.resources() + self._score()
        return self.mac.resources() + operands + logits + softmax + best + lengths + memories

    def _score(self) -> Resources:
        """What makes a probability, and the delays of the values that wait for it."""
        if self.probability == "quotient":
            waits = delay(self.expert.width, self.latency) + delay(self.score.width, self.output_stages)
            return self.divider.resources() + waits
        power, inverse = self.exponential.width, self.inverse.width
        waits = delay(power, self.product_stages + 1 + self.reciprocal.latency) + delay(self.expert.width, self.latency)
        product = multiplier(power, inverse, self.score.width) + delay(power + inverse, self.product_stages)
        return (
            self.reciprocal.resources()
            + waits
            + register(inverse)
            + product
            + delay(self.score.width, 1 + self.output_stages)
        )
