"""The common part of the contracts of `qk_reorder` and `mv`: rows of tokens in the skewed order, head by head."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, register
from hwsim.rtl.ports import number_up_to
from hwsim.rtl.skew import row_count


@dataclass(frozen=True, kw_only=True)
class SkewedContract(Contract):
    """`slots` queries at once in the order of `hwsim.rtl.skew`; a row is one token, streamed `channels` per beat.

    Attributes
    ----------
    slots : queries processed at once ("p", the attention's parallelism)
    channels : channels of a token per beat
    max_tokens : largest number that a command may give
    product_stages : registers from operands to products
    output_stages : registers after the results, for a tool to move
    accumulator : format of sums; products are floored to its resolution
    """

    slots: int = 4
    channels: int = 8
    heads: int = 3
    head_dim: int = 64
    max_tokens: int = 129
    product_stages: int = 3
    output_stages: int = 0
    activation: Fixed = Fixed(width=32, integer=10)
    accumulator: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("slots", 1, 16)
        self.require_range("channels", 1, 64)
        self.require_range("heads", 1, 64)
        self.require_range("head_dim", 1, 1024)
        self.require_range("max_tokens", 1, 1 << 16)
        self.require_range("product_stages", 1, 6)
        for name in ("activation", "accumulator"):
            self.require_fixed(name)
        if not self.activation.signed or self.activation.width > 32:
            raise ContractError(f"{self.block}: activation must be signed, of 32 bits at most, got {self.activation}")
        self.require_floor_and_wrap("accumulator")
        if self.head_dim % self.channels:
            raise ContractError(f"{self.block}: head_dim {self.head_dim} is no multiple of {self.channels} channels")

    @property
    def count(self) -> Fixed:
        """Format of a number of tokens."""
        return number_up_to(self.max_tokens)

    @property
    def head_beats(self) -> int:
        """Beats of a token's head."""
        return self.head_dim // self.channels

    @property
    def token_beats(self) -> int:
        """Beats of a token, which are the cycles of a row."""
        return self.heads * self.head_beats

    @property
    def reordered(self) -> bool:
        """Whether queries come one a row (`hwsim.rtl.skew`), and not all slots' at the beginning of a pass."""
        return True

    def rows(self, tokens: int) -> int:
        """Rows for so many tokens."""
        return row_count(tokens, self.slots)

    @property
    @abstractmethod
    def latency(self) -> int:
        """Clock edges from the last beat that a result needs to the result."""

    def cycles(self, work: int) -> int:
        """Cycles for `work` tokens: the command, the rows without a gap, and the depth."""
        return 1 + self.rows(work) * self.token_beats + self.latency if work else 0


def walk_resources(max_tokens: int, slots: int) -> Resources:
    """The walk through the rows: three counters, and one bit per slot."""
    bits = max_tokens.bit_length()
    return (adder(bits) + register(bits)) * 3 + register(slots)
