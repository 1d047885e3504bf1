"""Encoders of text with full attention: BERT and RoBERTa."""

from __future__ import annotations

from typing import ClassVar, Literal

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.blocks import Block
from hwsim.mapping.models.text_encoder import TextEncoder
from hwsim.mapping.operators import Operator
from hwsim.mapping.parallel import Split, require_whole
from hwsim.mapping.patterns import Full
from hwsim.mapping.step import Step
from hwsim.mapping.workload.model import Model
from hwsim.mapping.workload.run import Run, SequenceRun


class EncoderModel(TextEncoder, Model):
    """An encoder of BERT's form: each sum is normed, positions are learned."""

    run_type: ClassVar[type[Run]] = SequenceRun

    family: Literal["bert"] = "bert"

    @property
    def parameters(self) -> int:
        norm = 2 * self.d_model
        attention = self.attention_weights + self.bias * 4 * self.d_model
        layers = self.layers * (attention + self.mlp_parameters + 2 * norm)
        return self.embedding_parameters + norm + layers + self.pooler_parameters

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        matrices = step.tokens * (self.attention_weights + self.mlp_weights)
        return self.layers * (matrices + self.attention_macs(step, Full())) + self.pooler_macs(step)

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        outside = Block(fmt=parse_format(self.format))
        inputs, embed = self.embedding(outside)
        operators: list[Operator] = [embed, outside.norm("embed_norm", embed.name, self.d_model)]
        for layer in range(self.layers):
            operators += self._layer(Block(fmt=outside.fmt, layer=layer), operators[-1].name)
        if self.pooler:
            operators += outside.pooler(operators[-1].name, self.d_model)
        return OperatorGraph(name=self.name, inputs=inputs, operators=operators)

    def _layer(self, block: Block, x: str) -> list[Operator]:
        d = self.d_model
        attention = block.self_attention(x, d, self.heads, Full(), qkv_bias=self.bias, bias=self.bias)
        add1 = block.add("add1", x, attention[-1].name, d)
        norm1 = block.norm("norm1", add1.name, d)
        mlp = block.mlp(norm1.name, d, self.ff_size, self.activation, bias=self.bias)
        add2 = block.add("add2", norm1.name, mlp[-1].name, d)
        return [*attention, add1, norm1, *mlp, add2, block.norm("norm2", add2.name, d)]

    def summary(self) -> str:
        return f"{super().summary()}, {self.parameters / 1e6:.1f} M parameters"
