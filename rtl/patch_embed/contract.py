"""Contract of the patch embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hwsim.mapping.formats import Fixed
from hwsim.rtl.contract import Contract, ContractError, Resources, part_of
from hwsim.rtl.estimates import adder, choice, delay, memory, register
from hwsim.rtl.mac_tile.contract import MacTileContract
from hwsim.rtl.patch_embed.command import Command
from hwsim.rtl.ports import FLAG, Port, number_up_to, stream

BUFFER_EDGES = 1  # pixels, weights and biases come from memories
HOLD_EDGES = 1  # the sums of a tile, whose beats leave one after the other
POSITION_EDGES = 1  # the sum with the position


@dataclass(frozen=True, kw_only=True)
class PatchEmbedContract(Contract):
    """Tokens of an image: `y[t] = bias + floor(W pixels[t]) + position[t]`, each product floored by itself.

    A *stripe* is `patch` image rows: one row of `stripe_patches` patches. Pixels come stripe by stripe, channel > row >
    column, `beat_pixels` a beat; a stripe waits in one of two banks, the next one comes meanwhile. Weights stay on the
    chip. Order of computation: patch > tile of `out_lanes` features > channel > row > `in_lanes` pixels of the row, one
    tile of `in_lanes` x `out_lanes` products an iteration. So an iteration reads one word of pixels and one row of
    weights of each feature in the tile, and the sums of a patch are complete before the next patch begins.

    Sums start from the bias, each product is floored to the accumulator's resolution before it is added, the position
    is added last; all sums wrap.

    Streams
    -------
    command : as `Command`. It is taken when everything of the previous one is computed
    w : with `load`, `in_lanes` weights of a feature a beat; feature > channel > row > pixels, as weights lie in memory
    bias : with `load`, the biases of `out_lanes` features a beat
    pixels : the stripes; they are taken as soon as a bank is free, also ahead of their command
    position : `beat_values` numbers a beat, token by token; with `class_token` the class token's row first
    y : `beat_values` numbers a beat, token by token

    Attributes
    ----------
    channels, patch, stripe_patches, features : sizes; a patch has `patch` x `patch` pixels of each channel
    max_stripes : largest number of stripes that a command may give
    interval : cycles from one iteration to the next
    product_stages, adder_levels : for the tile, see `MacTileContract`
    output_stages : registers after the sum with the position, for a tool to move
    """

    block: ClassVar[str] = "patch_embed"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {
            "interval": 3,
            "product_stages": 4,
            "adder_levels": 1,
            "output_stages": 22,
            "source": "Edge-MoE: 9,216 iterations of 256 products a stripe, interval 3 (ports of memories) and depth "
            "33 (32 edges) in an HLS log; the split of the depth is ours, as is the sum with the position after it",
        },
        "rtl": {"source": "rtl/patch_embed"},
    }

    channels: int = 3
    patch: int = 16
    stripe_patches: int = 16
    features: int = 192
    max_stripes: int = 8
    in_lanes: int = 16
    out_lanes: int = 16
    beat_pixels: int = 32
    beat_values: int = 8
    interval: int = 1
    product_stages: int = 3
    adder_levels: int = 2
    output_stages: int = 0
    pixel: Fixed = Fixed(width=8, integer=0, signed=False)
    weight: Fixed = Fixed(width=16, integer=0)
    bias: Fixed = Fixed(width=16, integer=5)
    position: Fixed = Fixed(width=32, integer=10)
    accumulator: Fixed = Fixed(width=32, integer=10)

    def __post_init__(self) -> None:
        self.require_range("channels", 1, 64)
        self.require_range("patch", 1, 64)
        self.require_range("stripe_patches", 1, 1024)
        self.require_range("features", 1, 4096)
        self.require_range("max_stripes", 1, 1024)
        self.require_range("beat_pixels", 1, 128)
        self.require_range("beat_values", 1, 64)
        self.require_range("interval", 1, 16)
        self.require_range("output_stages", 0, 32)
        self.require_fixed("position")
        _ = self.tile  # it checks its own parameters
        self._check_shapes()

    def _check_shapes(self) -> None:
        for part, what, whole in (
            (self.in_lanes, "in_lanes", ("patch", self.patch)),
            (self.out_lanes, "out_lanes", ("features", self.features)),
            (self.beat_values, "beat_values", ("out_lanes", self.out_lanes)),
            (self.patch, "patch", ("beat_pixels", self.beat_pixels)),
            (self.beat_pixels, "beat_pixels", ("the pixels of a row", self.patch * self.stripe_patches)),
        ):
            name, size = whole
            if size % part:
                raise ContractError(f"{self.block}: {name} must be a multiple of {what}, got {size} and {part}")
        if self.interval * self.in_tiles < self.tile_beats:
            cycles = self.interval * self.in_tiles
            raise ContractError(
                f"{self.block}: a tile of {self.out_lanes} features takes {cycles} cycles, too few for its "
                f"{self.tile_beats} beats of {self.beat_values}"
            )

    @property
    def tile(self) -> MacTileContract:
        """The multiply-accumulate tile inside."""
        with part_of(self.block, activation="pixel"):
            return MacTileContract(
                in_lanes=self.in_lanes,
                out_lanes=self.out_lanes,
                product_stages=self.product_stages,
                adder_levels=self.adder_levels,
                activation=self.pixel,
                weight=self.weight,
                bias=self.bias,
                accumulator=self.accumulator,
            )

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            stream("command", "in", stripes=number_up_to(self.max_stripes), load=FLAG, class_token=FLAG),
            stream("w", "in", values=(self.weight, self.in_lanes)),
            stream("bias", "in", values=(self.bias, self.out_lanes)),
            stream("pixels", "in", values=(self.pixel, self.beat_pixels)),
            stream("position", "in", values=(self.position, self.beat_values)),
            stream("y", "out", values=(self.accumulator, self.beat_values)),
        )

    @property
    def in_tiles(self) -> int:
        """Iterations of a tile of features: words of `in_lanes` pixels in a patch."""
        return self.channels * self.patch * self.patch // self.in_lanes

    @property
    def out_tiles(self) -> int:
        """Tiles of features of a patch."""
        return self.features // self.out_lanes

    @property
    def tile_beats(self) -> int:
        """Beats of y of a tile of features."""
        return self.out_lanes // self.beat_values

    @property
    def token_beats(self) -> int:
        """Beats of y, and of positions, of a token."""
        return self.features // self.beat_values

    @property
    def row_beats(self) -> int:
        """Beats of pixels of an image row."""
        return self.patch * self.stripe_patches // self.beat_pixels

    @property
    def stripe_beats(self) -> int:
        """Beats of pixels of a stripe."""
        return self.channels * self.patch * self.row_beats

    @property
    def stripe_iterations(self) -> int:
        """Iterations of a stripe."""
        return self.stripe_patches * self.out_tiles * self.in_tiles

    @property
    def weight_beats(self) -> int:
        """Beats of weights of a load."""
        return self.features * self.in_tiles

    def check(self, command: Command) -> None:
        """Check the number of stripes of a command.

        Raises
        ------
        ContractError : it is out of range
        """
        if not 0 <= command.stripes <= self.max_stripes:
            raise ContractError(
                f"{self.block}: a command's stripes must be 0 to {self.max_stripes}, got {command.stripes}"
            )

    def cycles(self, work: Sequence[Command]) -> int:
        """Cycles for commands in a row.

        A command loads, and passes on the class token's row; then it computes a stripe whenever one is in its bank. The
        next command is taken two cycles after the last beat of y has met its position.
        """
        taken, delivered = 1, 0  # periods, the first is 1
        pixels_end, released = 0, [0, 0]  # the last beat of pixels; the last iteration of each stripe
        for command in work:
            self.check(command)
            prepared = taken + (self.weight_beats if command.load else 0)  # biases are fewer, and come beside
            if command.class_token:
                prepared = max(prepared, taken + self.token_beats)
                delivered = taken + self.token_beats + POSITION_EDGES + self.output_stages
            start, joined = prepared + 1, prepared
            for _ in range(command.stripes):
                pixels_end = max(pixels_end, released[-2]) + self.stripe_beats
                start = max(start, pixels_end + 1)
                released.append(start + (self.stripe_iterations - 1) * self.interval)
                start = released[-1] + self.interval
                joined = released[-1] + BUFFER_EDGES + self.tile.latency + HOLD_EDGES + self.tile_beats - 1
                delivered = joined + POSITION_EDGES + self.output_stages
            taken = joined + 2
        return delivered

    def resources(self) -> Resources:
        """Tile, weights and biases, the stripes' banks, the sums with positions; control left out."""
        weights = memory(self.out_tiles * self.in_tiles, self.in_lanes * self.weight.width) * self.out_lanes
        biases = memory(self.out_tiles, self.out_lanes * self.bias.width)
        stripes = memory(2 * self.stripe_beats, self.beat_pixels * self.pixel.width)
        word = choice(self.beat_pixels // self.in_lanes, self.in_lanes * self.pixel.width)
        width = self.accumulator.width
        sums = (choice(self.tile_beats, width) + adder(width) + delay(width, 1 + self.output_stages)) * (
            self.beat_values
        )
        counters = (self.stripe_beats, self.in_tiles * self.out_tiles, self.stripe_patches, self.max_stripes)
        walk = register(sum(count.bit_length() for count in counters))
        return self.tile.resources() + weights + biases + stripes + word + sums + walk
