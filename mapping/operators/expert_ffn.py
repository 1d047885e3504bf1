"""The hidden layers of experts, each for the tokens that were routed to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import TensorFormat
from hwsim.mapping.operators.act import SPECIAL_FUNCTIONS, ActFunction
from hwsim.mapping.operators.base import Table, Tensor, require_shape, take
from hwsim.mapping.operators.convert import conversion_passes
from hwsim.mapping.operators.matrices import Matrices
from hwsim.mapping.operators.route import check_choice
from hwsim.mapping.step import Step, StepLoad


@dataclass(frozen=True, kw_only=True)
class ExpertFfn(Matrices):
    """Sum over a token's experts of score * expert(token); inputs: the tokens, and the scores of `Route`.

    An expert is act(x W1) W2, or with `gated` (act(x Wg) * (x W1)) W2. How many tokens each gets is data, which the
    step's load says: work adds up to tokens * top_k whatever it says, but the weights that are read do not. Where the
    tokens come in another format than the output's, the hidden units are brought into it too, before W2.
    """

    kind: ClassVar[str] = "expert_ffn"
    width: int
    hidden: int
    experts: int
    top_k: int
    gated: bool = False
    function: ActFunction = "gelu"
    bias: bool = True

    def __post_init__(self) -> None:
        check_choice(self, self.experts, self.top_k)

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        x, scores = take(self, inputs, 2)
        require_shape(self, x, "tokens", self.width)
        require_shape(self, scores, "tokens", self.experts)
        return Tensor(name=self.name, shape=x.shape, fmt=self.fmt)

    @property
    def matrices(self) -> int:
        """Matrices of an expert."""
        return 3 if self.gated else 2

    def queue_lengths(self, step: Step) -> tuple[int, ...]:
        """Tokens that each expert gets in a step.

        Raises
        ------
        GraphError : the step has no load, or this operator no layer
        """
        load, layer = self._load(step)
        return load.queue_lengths(layer=layer, tokens=step.tokens, experts=self.experts, top_k=self.top_k)

    def token_experts(self, step: Step) -> NDArray[np.int64]:
        """Experts of each token in a step: (tokens, top_k).

        Raises
        ------
        GraphError : the step has no load, or this operator no layer
        """
        load, layer = self._load(step)
        return load.token_experts(layer=layer, tokens=step.tokens, experts=self.experts, top_k=self.top_k)

    def _load(self, step: Step) -> tuple[StepLoad, int]:
        """What says which experts tokens go to, and the layer to ask it about."""
        if step.load is None or self.layer is None:
            missing = "the step declares no load" if step.load is None else "it belongs to no layer"
            raise GraphError(f"{self.name}: nothing says how many tokens an expert gets: {missing}")
        return step.load, self.layer

    def macs(self, step: Step) -> int:
        return self._passes(step) * self.matrices * self.width * self.hidden

    def element_ops(self, step: Step) -> int:
        """The activations, their products where gated, and a product with the score and a sum for each output.

        Besides, what bringing the hidden units into the format of the inputs takes.
        """
        return self._passes(step) * (self.hidden * (1 + self.gated + self._conversion_passes) + 2 * self.width)

    @property
    def _conversion_passes(self) -> int:
        """Operations a hidden unit, as in `Quantise` and `Dequantise`."""
        return 0 if self.input_fmt(0) == self.fmt else conversion_passes(self.input_fmt(0))

    def special_functions(self, step: Step) -> int:
        return self._passes(step) * self.hidden * SPECIAL_FUNCTIONS[self.function]

    @property
    def has_biases(self) -> bool:
        return self.bias

    @property
    def tables(self) -> tuple[Table, ...]:
        return self._tables(self.experts)

    @property
    def expert_bytes(self) -> int:
        """Bytes of one expert's matrices and biases."""
        return sum(table.bytes for table in self._tables(1))

    def weight_bytes_read(self, step: Step) -> int:
        """Those of every expert that gets a token, once."""
        return self.expert_bytes * sum(queue > 0 for queue in self.queue_lengths(step))

    def describe(self) -> str:
        form = f"{self.function} gate" if self.gated else self.function
        bias = " + bias" if self.bias else ""
        return (
            f"{self.experts} experts, {self.top_k} a token: {self.width} -> {self.hidden} -> {self.width}{bias}, {form}"
            f"{self.describe_formats()}"
        )

    def _passes(self, step: Step) -> int:
        """Tokens that pass an expert, those that pass several counted for each: the sum of the queue lengths."""
        return step.tokens * self.top_k

    def _tables(self, experts: int) -> tuple[Table, ...]:
        """The matrices of some experts, and their biases."""
        into = ("gate", "up") if self.gated else ("up",)
        shapes = [(part, self.hidden, self.width) for part in into] + [("down", self.width, self.hidden)]
        made = [self._table(f"{part}.weight", experts, d_out, d_in, self.weight_fmt) for part, d_out, d_in in shapes]
        if self.bias:
            made += [self._table(f"{part}.bias", experts, 1, d_out, self.bias_fmt) for part, d_out, _ in shapes]
        return tuple(made)

    def _table(self, part: str, count: int, rows: int, columns: int, fmt: TensorFormat | None) -> Table:
        return Table(identity=f"{self.name}.{part}", count=count, rows=rows, columns=columns, fmt=fmt or self.fmt)
