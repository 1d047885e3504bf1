"""Encoders of images: ViT and DeiT."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.image_encoder import ImageEncoder
from hwsim.mapping.operators import Operator
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.step import Step
from hwsim.mapping.workload.image_run import ImageRun
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run


class VitModel(ImageEncoder, Model):
    """A vision transformer: norms before attention and the hidden layer, a norm at the end."""

    run_type: ClassVar[type[Run]] = ImageRun

    family: Literal["vit"] = "vit"
    distillation_token: bool = Field(
        default=False, description="whether a second learned token precedes the patches (DeiT)"
    )
    pooler: bool = Field(
        default=False, description="whether tanh(W x + b) is made of the class token's vector (base class)"
    )
    classes: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="classes that a matrix makes of the class token's vector",
    )

    @model_validator(mode="after")
    def _something_to_read(self) -> Self:
        readers = {"pooler": self.pooler, "classes": self.classes, "distillation_token": self.distillation_token}
        for name, wanted in readers.items():
            if wanted and not self.class_token:
                raise ValueError(f"{name} goes with a class_token")
        if self.pooler and self.classes:
            raise ValueError("expected a pooler or classes, got both: each reads the class token by itself")
        return self

    @property
    def class_tokens(self) -> int:
        return self.class_token + self.distillation_token

    @property
    def head_parameters(self) -> int:
        """Of what reads the class token."""
        d = self.d_model
        return self.pooler * d * (d + 1) + (self.classes or 0) * (d + 1)

    @property
    def parameters(self) -> int:
        norm = 2 * self.d_model
        layers = self.layers * (self.attention_parameters + norm + self.mlp_parameters)
        return self.embedding_parameters + layers + norm + self.head_parameters

    def check_run(self, run: Run) -> None:
        assert isinstance(run, ImageRun)  # which may be of any length

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        layer = self.attention_branch_macs(step) + step.tokens * self.mlp_weights
        head = step.outputs * self.d_model * (self.pooler * self.d_model + (self.classes or 0))
        return self.embedding_macs(step) + self.layers * layer + head

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        outside = Block(fmt=parse_format(self.format))
        inputs, embed = self.embedding(outside)
        operators: list[Operator] = [embed]
        for layer in range(self.layers):
            operators += self._layer(Block(fmt=outside.fmt, layer=layer), operators[-1].name)
        operators.append(outside.norm("final_norm", operators[-1].name, self.d_model))
        operators += self._head(outside, operators[-1].name)
        return OperatorGraph(name=self.name, inputs=inputs, operators=operators)

    def _layer(self, block: Block, x: str) -> list[Operator]:
        d = self.d_model
        attention = self.attention_branch(block, x)
        add1 = attention[-1].name
        norm2 = block.norm("norm2", add1, d)
        mlp = block.mlp(norm2.name, d, self.ff_size, self.activation, bias=self.bias)
        return [*attention, norm2, *mlp, block.add("add2", add1, mlp[-1].name, d)]

    def _head(self, block: Block, x: str) -> list[Operator]:
        """What reads the class token; with a distillation token too, as DeiT does without its teacher."""
        if self.pooler:
            return block.pooler(x, self.d_model)
        if self.classes is None:
            return []
        first = block.first(x, self.d_model)
        return [first, block.linear("classifier", first.name, self.d_model, self.classes, rows="outputs")]

    def summary(self) -> str:
        return f"{super().summary()}, {self.parameters / 1e6:.1f} M parameters"
