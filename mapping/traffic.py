"""Bytes that operators read and write, by what they are: weights, activations, state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwsim.mapping.operators import Attention, AttentionScores, AttentionValues, KvCache, Operator
from hwsim.mapping.step import Step

if TYPE_CHECKING:
    from hwsim.mapping.graph import OperatorGraph


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Bytes of one step, scales included. Which memory each sort lies in is the machine's business.

    Attributes
    ----------
    weights_read : learned parameters, each that is needed once an operator
    state_read, state_written : of caches: keys and values that queries see, those of new tokens
    activations_read, activations_written : everything else between operators
    """

    weights_read: int = 0
    state_read: int = 0
    state_written: int = 0
    activations_read: int = 0
    activations_written: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __str__(self) -> str:
        return (
            f"weights read {self.weights_read} B state read {self.state_read} B written {self.state_written} B "
            f"activations read {self.activations_read} B written {self.activations_written} B"
        )


def operator_traffic(graph: OperatorGraph, op: Operator, step: Step) -> Traffic:
    """Bytes of one operator of a graph; a view moves nothing, nor does what no vector passes in this step."""
    if op.is_view or not graph.tensor(op.name).elements(step):
        return Traffic()
    cached = {name for name in op.inputs if graph.lies_in_cache(name)}
    activations = sum(graph.tensor(name).bytes(step) for name in op.inputs if name not in cached)
    if isinstance(op, KvCache):
        return Traffic(activations_read=activations, state_written=op.new_bytes(step))
    state = _keys_and_values(op, cached, step) if isinstance(op, Attention | AttentionScores | AttentionValues) else 0
    return Traffic(
        weights_read=op.weight_bytes_read(step),
        state_read=state,
        activations_read=activations,
        activations_written=graph.tensor(op.name).bytes(step),
    )


def _keys_and_values(op: Attention | AttentionScores | AttentionValues, cached: set[str], step: Step) -> int:
    """Bytes of the cache that the queries of one step see, each key and value once."""
    return sum(op.bytes_seen(index, step) for index, name in enumerate(op.inputs) if name in cached)
