"""Attention of a decoder's layers: heads, positions, windows, and what all that weighs and costs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.models.layers import Layers
from hwsim.mapping.patterns import Causal, Pattern, PatternName, Window
from hwsim.mapping.step import Step

WindowSize = Annotated[int, Field(ge=1, le=100_000_000)]


class DecoderAttention(Layers):
    """Fields of attention; the defaults are those of GPT-2's form."""

    heads: int = Field(ge=1, le=100_000, description="heads of queries")
    kv_heads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="heads of keys and values, which groups of heads share; heads unless given",
    )
    head_dim: int | None = Field(default=None, ge=1, le=1_000_000, description="d_model / heads unless given")
    qkv_bias: bool | None = Field(
        default=None, description="whether the matrix of queries, keys and values has biases; `bias` unless given"
    )
    proj_bias: bool | None = Field(
        default=None, description="whether the matrix after attention has biases; `bias` unless given"
    )
    qk_norm: Literal["none", "rmsnorm", "layernorm"] = Field(
        default="none", description="norm of each head of queries and keys, before they are rotated"
    )
    position: Literal["learned", "rope"] = Field(
        default="learned", description="a row a position added to the embedding, or rotated queries and keys"
    )
    rope_theta: float = Field(
        default=10_000.0, gt=1, le=1e12, strict=False, description="base of the rotations' wavelengths, for `rope`"
    )
    window_rope_theta: float | None = Field(
        default=None,
        gt=1,
        le=1e12,
        strict=False,
        description="the same in layers with a window; rope_theta unless given",
    )
    rotary_dim: int | None = Field(
        default=None,
        ge=2,
        le=1_000_000,
        description="elements of a head that `rope` turns, its first ones; all unless given",
    )
    attention: PatternName = "causal"
    window: WindowSize | None = Field(default=None, description="keys before the query, for `window`")
    windows: tuple[WindowSize | None, ...] | None = Field(
        default=None,
        min_length=1,
        strict=False,
        description="the same layer by layer, over again after the last of them; null is a layer that sees all keys",
    )
    query_scale: float | None = Field(
        default=None, gt=0, le=1e6, strict=False, description="factor of the scores; 1 / sqrt(head_dim) unless given"
    )
    attention_softcap: float | None = Field(
        default=None, gt=0, le=1e6, strict=False, description="scores s become cap x tanh(s / cap)"
    )

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.head_dim is None and self.d_model % self.heads:
            raise ValueError(
                f"d_model {self.d_model} is not divisible by {self.heads} heads; "
                "choose another number of heads or give head_dim"
            )
        if self.heads % self.key_heads:
            raise ValueError(f"{self.heads} heads do not share {self.kv_heads} kv_heads evenly")
        return self

    @model_validator(mode="after")
    def _check_positions(self) -> Self:
        given = [name for name in ("rope_theta", "window_rope_theta", "rotary_dim") if name in self.model_fields_set]
        if self.position != "rope" and given:
            raise ValueError(f"{given[0]} goes with position: rope, and with no other")
        if self.rotary_dim is not None and self.rotary_dim > self.head_size:
            raise ValueError(f"rotary_dim {self.rotary_dim} is more than a head has, {self.head_size}")
        if self.position == "rope" and self.turned % 2:
            what, mend = ("rotary_dim is", "rotary_dim") if self.rotary_dim is not None else ("a head has", "head_dim")
            raise ValueError(f"rope rotates pairs of elements, but {what} {self.turned}; give an even {mend}")
        if self.window_rope_theta is not None and self.attention != "window":
            raise ValueError("window_rope_theta goes with attention: window, and with no other")
        return self

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        if self.window is not None and self.windows is not None:
            raise ValueError("window and windows: give one of them, for all layers or layer by layer")
        if (self.attention == "window") != (self.window is not None or self.windows is not None):
            raise ValueError(
                f"{'windows' if self.windows else 'window'} goes with attention: window, and with no other"
            )
        if self.windows is not None and len(self.windows) > self.layers:
            raise ValueError(f"windows: {len(self.windows)} of them for {self.layers} layers")
        if self.windows is not None and all(window is None for window in self.windows):
            raise ValueError("windows: none of the layers has one; say attention: causal")
        if self.attention == "full":
            raise ValueError(f"decoding token by token needs a causal attention, got {self.attention}")
        return self

    @property
    def head_size(self) -> int:
        return self.head_dim or self.d_model // self.heads

    @property
    def key_heads(self) -> int:
        """Heads of keys and values."""
        return self.kv_heads or self.heads

    @property
    def qkv_width(self) -> int:
        """Elements of a token's queries, keys and values."""
        return (self.heads + 2 * self.key_heads) * self.head_size

    @property
    def turned(self) -> int:
        """Elements of a head that rope turns."""
        return self.head_size if self.rotary_dim is None else self.rotary_dim

    @property
    def has_qkv_bias(self) -> bool:
        return self.bias if self.qkv_bias is None else self.qkv_bias

    @property
    def has_proj_bias(self) -> bool:
        return self.bias if self.proj_bias is None else self.proj_bias

    def window_of(self, layer: int) -> int | None:
        """Keys before the query that a layer sees; None for all of them."""
        return self.window if self.windows is None else self.windows[layer % len(self.windows)]

    def pattern_of(self, layer: int) -> Pattern:
        """Which keys a layer's queries see."""
        window = self.window_of(layer)
        return Causal() if window is None else Window(left=window)

    def theta_of(self, layer: int) -> float:
        """Base of the rotations' wavelengths in a layer."""
        if self.window_of(layer) is None or self.window_rope_theta is None:
            return self.rope_theta
        return self.window_rope_theta

    @property
    def attention_weights(self) -> int:
        """Weights in one layer's matrices of attention."""
        return self.d_model * (self.qkv_width + self.heads * self.head_size)

    @property
    def attention_parameters(self) -> int:
        """All parameters of one layer's attention."""
        biases = self.has_qkv_bias * self.qkv_width + self.has_proj_bias * self.d_model
        head_norms = {"none": 0, "rmsnorm": 2, "layernorm": 4}[self.qk_norm] * self.head_size
        return self.attention_weights + biases + head_norms

    def attention_macs(self, layer: int, step: Step) -> int:
        """Multiply-accumulates of a layer's attention in one step."""
        pairs = step.batch * self.pattern_of(layer).pairs(step.queries, step.context)
        return step.tokens * self.attention_weights + pairs * self.heads * 2 * self.head_size
