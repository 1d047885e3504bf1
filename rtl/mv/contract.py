"""Contract of attention's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, delay, memory, multiplier, register, selector
from hwsim.rtl.exp.contract import ExpContract
from hwsim.rtl.ports import FLAG, Port, stream
from hwsim.rtl.skew import skewed_rows
from hwsim.rtl.skewed_contract import SkewedContract, walk_resources


@dataclass(frozen=True, kw_only=True)
class MvContract(SkewedContract):
    """Values weighted by probabilities, `slots` queries at once, in the order in which scores came (`hwsim.rtl.skew`).

    A command gives the number of tokens. A row is one value; all its channels stream in, `channels` per beat, again for
    each pass. With each head of a row comes a beat of raw scores. With a row that refills a slot comes the result of
    the single-pass softmax for its query: the largest score and one over the sum, for each head. From these the
    probability is recomputed as `exp(score - bias) * inverse`; it is 0 where the score is masked. A query leaves in the
    row in which it has seen all values, so results come in the order of queries.

    Products floor to the accumulator's resolution before they are added, and sums wrap.

    Attributes
    ----------
    exp_units : exponentials per cycle; the slots use them one after the other, within the cycles of a head
    exp_method, segments_log2, degree, guard_bits : for the exponential, as in `exp`
    slots, product_stages and so on : as in `SkewedContract`; the products are those of probabilities and of values, and
        the output stages come before the output queue of two beats
    """

    block: ClassVar[str] = "mv"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "product_stages": 4,
            "output_stages": 8,
            "exp_method": "tables",
            "exponential": Fixed(width=32, integer=10),
            "inverse": Fixed(width=32, integer=10),
            "source": "Edge-MoE: 4 queries x 8 channels a cycle, 12 exponentials in 24 cycles, depth 29 in an HLS log "
            "(28 edges), an output FIFO of 2; the split is ours",
        },
        "rtl": {"source": "rtl/mv"},
    }
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"exp_method": ExpContract.choices["method"]}

    exp_units: int = 1
    exp_method: str = "polynomial"
    segments_log2: int = 6
    degree: int = 2
    guard_bits: int = 4
    exponential: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")
    inverse: Fixed = Fixed(width=23, integer=1, signed=False, rounding="nearest_even", overflow="saturate")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_range("exp_units", 1, self.slots)
        self.require_range("output_stages", 0, 32)
        self.require_choice("exp_method")
        for name in ("exponential", "inverse"):
            self.require_fixed(name)
        self._check_rates()
        # an exponential is never negative
        if self.exponential.width - self.exponential.signed + self.inverse.width > 63:
            raise ContractError(f"{self.block}: exponential and inverse may have 63 bits together")
        _ = self.exp  # checks its table and formats

    def _check_rates(self) -> None:
        if self.token_beats < 2:
            raise ContractError(f"{self.block}: a token must have 2 beats at least, to read a sum before it is written")
        if self.turns > self.head_beats:
            raise ContractError(
                f"{self.block}: {self.slots} slots on {self.exp_units} exp_units take {self.turns} cycles, "
                f"a head has {self.head_beats}"
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", tokens=self.count),
            stream("info", "in", inverse=(self.inverse, self.heads), bias=(self.activation, self.heads)),
            stream("scores", "in", values=(self.activation, self.slots), mask=(FLAG, self.slots)),
            stream("v", "in", values=(self.activation, self.channels)),
            stream("y", "out", values=(self.activation, self.channels)),
        )

    @property
    def unread(self) -> frozenset[str]:
        return self.exp.unread

    @property
    def takes_info(self) -> bool:
        """Whether the results of the softmax for a query come with it, and its probabilities are made here."""
        return True

    @property
    def turns(self) -> int:
        """Cycles that the slots' exponentials take."""
        return -(-self.slots // self.exp_units)

    @property
    def exp(self) -> ExpContract:
        """The exponential unit; its argument holds any difference of two scores."""
        with part_of(self.block, argument="activation", result="exponential", method="exp_method"):
            return ExpContract(
                method=self.exp_method,
                segments_log2=self.segments_log2,
                degree=self.degree,
                guard_bits=self.guard_bits,
                argument=Fixed(width=self.activation.width + 1, integer=self.activation.integer + 1),
                result=self.exponential,
            )

    @property
    def probability_stages(self) -> int:
        """Clock edges from a head's scores to the probabilities of all slots."""
        return 1 + self.exp.latency + self.product_stages + self.turns - 1

    @property
    def latency(self) -> int:
        """Clock edges from a row's last beat to the last result of that row, including the output queue."""
        return self.probability_stages + self.product_stages + 1 + self.output_stages + 1

    def backlog(self, work: int) -> Mapping[str, int]:
        """Beats that are taken while no result is taken.

        The output queue holds two results. The third waits in the register before the queue and stops the pipeline,
        which is full by then; values enter where their probabilities are ready.
        """
        rows, beats = list(skewed_rows(work, self.slots)), self.token_beats
        results = [i * beats + beat for i, row in enumerate(rows) if row.leaves is not None for beat in range(beats)]
        total = len(rows) * beats
        stopped = (results[2] if len(results) > 2 else total) + self.latency - 1
        entered, weighed = min(stopped, total), min(stopped - self.probability_stages, total)
        refills = (row.refill is not None for row in rows[: -(-entered // beats)])
        return {"info": sum(refills), "scores": -(-entered // self.head_beats), "v": weighed}

    def resources(self) -> Resources:
        beat, operands = self.channels * self.activation.width, self.exp.argument.width + self.inverse.width
        info_bits = self.heads * (self.inverse.width + self.activation.width)
        info = register(info_bits) + selector(info_bits)
        slot = self._slot() + info + adder(self.exp.argument.width) + selector(self.inverse.width)
        probability = selector(self.activation.width) + register(self.activation.width)
        waiting = delay(operands, 1) * (self.slots * (self.turns - 1) // 2) + register(operands * self.slots)
        choice = selector(operands) * (self.turns - 1)
        unit = self._probability_unit() + choice
        leaving = selector(beat) * (self.slots - 1) + delay(beat, 1 + self.output_stages)
        queue = selector(beat) + register(2 * beat)
        each = (slot + probability) * self.slots + unit * self.exp_units
        return each + waiting + leaving + queue + walk_resources(self.max_tokens, self.slots)

    def _slot(self) -> Resources:
        """Multipliers and sums of a slot."""
        width = self.accumulator.width
        product = multiplier(self.activation.width, self.activation.width, width) + register(width) + adder(width)
        operands = delay(self.activation.width * (self.channels + 1), self.product_stages - 1)
        return product * self.channels + operands + memory(self.token_beats, self.channels * width)

    def _probability_unit(self) -> Resources:
        """An exponential, the delayed inverse, their product."""
        width = self.activation.width
        product = multiplier(self.exponential.width, self.inverse.width, width) + register(width)
        operands = delay(self.exponential.width + self.inverse.width, self.product_stages - 1)
        return self.exp.resources() + delay(self.inverse.width, self.exp.latency) + operands + product
