"""What encoders of images have before their layers, and the form of these: patches, class tokens, norms first."""

from __future__ import annotations

from pydantic import Field

from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.encoder_layers import EncoderLayers
from hwsim.mapping.models.images import Images
from hwsim.mapping.operators import Operator, PatchEmbed, Tensor
from hwsim.mapping.patterns import Full
from hwsim.mapping.step import Step


class ImageEncoder(Images, EncoderLayers):
    """Fields of the tokens before the patches, and of attention."""

    class_token: bool = Field(default=True, description="whether a learned token precedes the patches")
    qkv_bias: bool | None = Field(
        default=None, description="whether the matrices of queries, keys and values have biases; `bias` unless given"
    )

    @property
    def class_tokens(self) -> int:
        """Learned tokens before the patches."""
        return int(self.class_token)

    @property
    def tokens(self) -> int:
        """Tokens of an image."""
        return self.class_tokens + self.patches

    @property
    def has_qkv_bias(self) -> bool:
        return self.bias if self.qkv_bias is None else self.qkv_bias

    @property
    def patch_weights(self) -> int:
        """Weights of the matrix that makes a token of a patch."""
        return self.patch_elements * self.d_model

    @property
    def embedding_parameters(self) -> int:
        """The patches' matrix and bias, the class tokens, a vector a position."""
        return self.patch_weights + (1 + self.class_tokens + self.tokens) * self.d_model

    @property
    def attention_parameters(self) -> int:
        """Of one layer, with the norm before it."""
        biases = (3 * self.has_qkv_bias + self.bias) * self.d_model
        return self.attention_weights + biases + 2 * self.d_model

    def embedding_macs(self, step: Step) -> int:
        return step.batch * self.patches * self.patch_weights

    def attention_branch_macs(self, step: Step) -> int:
        """Multiply-accumulates of one layer up to the projection after attention."""
        return step.tokens * self.attention_weights + self.attention_macs(step, Full())

    def embedding(self, block: Block) -> tuple[tuple[Tensor, ...], PatchEmbed]:
        """The graph's inputs, and the operator that reads them."""
        return self.embed_patches(block, self.d_model, class_tokens=self.class_tokens)

    def attention_branch(self, block: Block, x: str) -> list[Operator]:
        """Norm, attention and addition: the first half of a layer that reads `x`."""
        d = self.d_model
        norm1 = block.norm("norm1", x, d)
        attention = block.self_attention(norm1.name, d, self.heads, Full(), qkv_bias=self.has_qkv_bias, bias=self.bias)
        return [norm1, *attention, block.add("add1", x, attention[-1].name, d)]

    def summary(self) -> str:
        size = f"{self.image_height} x {self.image_width}"
        return f"{self.layers} layers, d {self.d_model}, {self.heads} heads, {size} pixels, {self.tokens} tokens"
