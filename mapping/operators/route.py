"""The choice of experts for each token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import TensorFormat
from hwsim.mapping.operators.base import Operator, Table, Tensor, require_shape, take
from hwsim.mapping.operators.matrices import Matrices
from hwsim.mapping.step import Step

Score = Literal["softmax", "sigmoid"]


@dataclass(frozen=True, kw_only=True)
class Route(Matrices):
    """Scores of all experts for each token, 0 for those outside its `top_k`.

    The gate is a matrix of (experts, width). With several `tasks` each has a gate of its own, of which a step uses
    its task's. With a `task_embedding` all tasks share one gate, which reads the token and, after it, a learned
    vector of the task: a matrix of (experts, width + task_embedding).

    Attributes
    ----------
    score : what makes scores of the logits, before the choice
    renormalise : whether the chosen scores are divided by their sum
    bias : whether each expert has a bias on its logit (for sigmoid: on what is compared)
    """

    kind: ClassVar[str] = "route"
    width: int
    experts: int
    top_k: int
    score: Score = "softmax"
    renormalise: bool = False
    bias: bool = False
    tasks: int = 1
    task_embedding: int = 0

    def __post_init__(self) -> None:
        check_choice(self, self.experts, self.top_k)

    def infer(self, inputs: tuple[Tensor, ...]) -> Tensor:
        (x,) = take(self, inputs, 1)
        require_shape(self, x, "tokens", self.width)
        return Tensor(name=self.name, shape=("tokens", self.experts), fmt=self.fmt)

    def macs(self, step: Step) -> int:
        return step.tokens * (self.width + self.task_embedding) * self.experts

    def element_ops(self, step: Step) -> int:
        """A score an expert, a quotient a chosen one where they are renormalised, and the compares."""
        return step.tokens * (self.experts + self.renormalise * self.top_k) + self.compares(step)

    def compares(self, step: Step) -> int:
        """Compares of the choice: each score finds its place among the best so far, of which there are `top_k`."""
        return step.tokens * self.experts * self.top_k.bit_length()

    def special_functions(self, step: Step) -> int:
        """softmax: an exp an expert and a reciprocal; sigmoid: both an expert. A further reciprocal renormalises."""
        scores = self.experts + 1 if self.score == "softmax" else 2 * self.experts
        return step.tokens * (scores + self.renormalise)

    @property
    def has_biases(self) -> bool:
        return self.bias

    @property
    def gates(self) -> int:
        """Matrices, of which a step uses one."""
        return 1 if self.task_embedding else self.tasks

    @property
    def tables(self) -> tuple[Table, ...]:
        gates = tuple(self._gate(gate) for gate in range(self.gates))
        return *gates, *self._others(self.gates, self.tasks)

    def weight_bytes_read(self, step: Step) -> int:
        """One gate and its biases, and one task's vector."""
        return sum(table.bytes for table in (self._gate(0), *self._others(1, 1)))

    def _gate(self, gate: int) -> Table:
        name, columns = f"{self.name}.gate{gate}", self.width + self.task_embedding
        return self._table(name, self.experts, columns, self.weight_fmt)

    def _others(self, gates: int, tasks: int) -> tuple[Table, ...]:
        """The biases of some gates, and the vectors of some tasks, which all layers share."""
        biases = (self._table(f"{self.name}.bias", gates, self.experts, self.bias_fmt),) if self.bias else ()
        vector = self.input_fmt(0)  # which the gate reads after the token
        vectors = (self._table("tasks", tasks, self.task_embedding, vector),) if self.task_embedding else ()
        return biases + vectors

    def _table(self, identity: str, rows: int, columns: int, fmt: TensorFormat | None) -> Table:
        return Table(identity=identity, rows=rows, columns=columns, fmt=fmt or self.fmt)

    def describe(self) -> str:
        chosen = f"top {self.top_k} of {self.experts} by {self.score}{', renormalised' if self.renormalise else ''}"
        gates = f", {self.gates} gates" if self.gates > 1 else ""
        task = f", task of {self.task_embedding}" if self.task_embedding else ""
        return f"{self.width} -> {chosen}{gates}{task}{self.describe_formats()}"


def check_choice(op: Operator, experts: int, top_k: int) -> None:
    """Check that a token can have that many experts.

    Raises
    ------
    GraphError : it cannot
    """
    if not 1 <= top_k <= experts:
        raise GraphError(f"{op.name}: a token goes to {top_k} of {experts} experts, expected 1 to {experts}")
