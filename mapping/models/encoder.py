"""Encoders of text with full attention: BERT and RoBERTa."""

from __future__ import annotations

from typing import ClassVar, Literal

from hwsim.mapping.formats import parse_format
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models.bert_layer import bert_layer, bert_layer_macs, bert_layer_parameters
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
        norm, layers = 2 * self.d_model, self.layers * bert_layer_parameters(self)
        return self.embedding_parameters + norm + layers + self.pooler_parameters

    def macs(self, step: Step) -> int:
        """Multiply-accumulates of one step, in closed form."""
        return self.layers * bert_layer_macs(self, step, Full()) + self.pooler_macs(step)

    def graph(self, run: Run, split: Split) -> OperatorGraph:
        require_whole(self, split)
        outside = Block(fmt=parse_format(self.format))
        inputs, embed = self.embedding(outside)
        operators: list[Operator] = [embed, outside.norm("embed_norm", embed.name, self.d_model)]
        for layer in range(self.layers):
            operators += bert_layer(self, Block(fmt=outside.fmt, layer=layer), operators[-1].name, Full())
        if self.pooler:
            operators += outside.pooler(operators[-1].name, self.d_model)
        return OperatorGraph(name=self.name, inputs=inputs, operators=operators)

    def summary(self) -> str:
        return f"{super().summary()}, {self.parameters / 1e6:.1f} M parameters"
