"""Contract of the weight loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources
from hwsim.rtl.estimates import adder, delay, memory, register, selector
from hwsim.rtl.ports import FLAG, Port, number_up_to, stream


@dataclass(frozen=True, kw_only=True)
class Group:
    """The weights and biases of one matrix, and how often they are read.

    Attributes
    ----------
    in_tiles, out_tiles : features in and out, in tiles
    reads : words read until the bank is released, the last of them with `last`
    attention : the biases have the format of attention's
    """

    in_tiles: int
    out_tiles: int
    reads: int
    attention: bool = False

    @property
    def words(self) -> int:
        return self.in_tiles * self.out_tiles


@dataclass(frozen=True, kw_only=True)
class WeightLoaderContract(Contract):
    """Memory beats of `beat_numbers` numbers into two banks of weights and biases, one loaded while the other is read.

    A command names the size of a group: `in_tiles * out_tiles` words of `in_lanes * out_lanes` weights, then
    `out_tiles` words of `out_lanes` biases follow on `memory`, the first number of a word in the lowest bits. `read`
    reads a group's words in any order, weights at one address and biases at another; a read with `last` releases the
    bank, and the next read is from the next group. A command is taken when a bank is free for it.

    Biases are stored in memory in one of two formats and come out in a third that holds both. The position of the point
    in weights does not matter here. Unused numbers of the last beat of biases are dropped.

    Attributes
    ----------
    number_bits : width of a number in memory
    weight_words, bias_words : words of a bank
    bias_integer, attention_bias_integer : bits before the point of biases in memory, including the sign
    bias : format of biases as they come out
    load_stages, read_stages : registers between memory beat and bank, and after a bank
    """

    block: ClassVar[str] = "weight_loader"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "load_stages": 4,
            "source": "Edge-MoE: loop of weights of depth 5 in an HLS log (4 edges), a beat a cycle; that of biases, "
            "of depth 3, is charged as deep",
        },
        "rtl": {"source": "rtl/weight_loader"},
    }

    in_lanes: int = 16
    out_lanes: int = 16
    beat_numbers: int = 16
    number_bits: int = 16
    weight_words: int = 576
    bias_words: int = 48
    bias_integer: int = 5
    attention_bias_integer: int = 7
    bias: Fixed = Fixed(width=18, integer=7)
    load_stages: int = 0
    read_stages: int = 0

    def __post_init__(self) -> None:
        self.require_range("in_lanes", 1, 64)
        self.require_range("out_lanes", 1, 64)
        self.require_range("beat_numbers", 1, 64)
        self.require_range("number_bits", 2, 32)
        self.require_range("weight_words", 1, 65536)
        self.require_range("bias_words", 1, 65536)
        self.require_range("bias_integer", 1, self.number_bits)
        self.require_range("attention_bias_integer", 1, self.number_bits)
        self.require_range("load_stages", 0, 16)
        self.require_range("read_stages", 0, 16)
        self.require_fixed("bias")
        if self.in_lanes * self.out_lanes % self.beat_numbers:
            tile = f"a tile of {self.in_lanes} x {self.out_lanes} weights"
            raise ContractError(f"{self.block}: {tile} does not fill beats of {self.beat_numbers}")

    @property
    def ports(self) -> tuple[Port, ...]:
        number = Fixed(width=self.number_bits, integer=self.number_bits)
        count_words, count_tiles = number_up_to(self.weight_words), number_up_to(self.bias_words)
        word, tile = number_up_to(self.weight_words - 1), number_up_to(self.bias_words - 1)
        return (
            stream("command", "in", in_tiles=count_words, out_tiles=count_tiles, attention=FLAG),
            stream("memory", "in", numbers=(number, self.beat_numbers)),
            stream("read", "in", word=word, tile=tile, last=FLAG),
            stream("word", "out", weights=(number, self.in_lanes * self.out_lanes), bias=(self.bias, self.out_lanes)),
        )

    @property
    def banks(self) -> int:
        """Banks of weights and of biases: one is loaded while another is read."""
        return 2

    @property
    def word_beats(self) -> int:
        """Memory beats of a word of weights."""
        return self.in_lanes * self.out_lanes // self.beat_numbers

    @property
    def bias_beats(self) -> int:
        """Memory beats of a word of biases."""
        return -(-self.out_lanes // self.beat_numbers)

    def beats(self, group: Group) -> int:
        """Memory beats of a group."""
        return group.words * self.word_beats + group.out_tiles * self.bias_beats

    def check(self, group: Group) -> None:
        """Check that a bank holds a group.

        Raises
        ------
        ContractError : the group is too large or empty
        """
        if not 1 <= group.words <= self.weight_words:
            raise ContractError(f"{self.block}: a bank holds 1 to {self.weight_words} tiles, not {group.words}")
        if not 1 <= group.out_tiles <= self.bias_words:
            raise ContractError(f"{self.block}: a bank holds 1 to {self.bias_words} biases, not {group.out_tiles}")
        if group.reads < 1:
            raise ContractError(f"{self.block}: a group must be read at least once")

    def load_cycles(self, group: Group) -> int:
        """Cycles from the command of a group to its last word in an empty bank."""
        self.check(group)
        return 1 + self.beats(group) + self.load_stages

    def cycles(self, work: Sequence[Group]) -> int:
        """Cycles for groups one after the other: each is loaded while the previous one is read."""
        loaded, last_reads = 0, [0, 0]  # the periods of the last beat and of each bank's last read
        for group in work:
            self.check(group)
            command = max(loaded, last_reads[-2]) + 1
            loaded = command + self.beats(group)
            last_reads.append(max(loaded + self.load_stages, last_reads[-1]) + group.reads)
        return last_reads[-1] + 1 + self.read_stages if work else 0

    def resources(self) -> Resources:
        """Two double buffers, the gathering of words before them, and the counters; handshakes left out."""
        weights, biases = self.in_lanes * self.out_lanes * self.number_bits, self.out_lanes * self.bias.width
        beat = self.beat_numbers * self.number_bits
        banks = memory(self.banks * self.weight_words, weights) + memory(self.banks * self.bias_words, biases)
        gathered = register(beat * (self.word_beats - 1 + self.bias_beats - 1))
        count = self.weight_words.bit_length() + self.bias_words.bit_length()
        counters = (register(count) * 2 + adder(count)) * 2  # tiles to come, and the rows that are filled
        return (
            banks
            + gathered
            + counters
            + selector(biases)
            + delay(beat, self.load_stages)
            + delay(weights + biases, self.read_stages)
        )
