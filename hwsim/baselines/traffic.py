"""What an operator moves to and from memory when it runs as one kernel."""

from __future__ import annotations

from hwsim.errors import MachineError
from hwsim.mapping.operators import (
    Act,
    Attention,
    AttentionScores,
    AttentionValues,
    Eltwise,
    Embed,
    Glu,
    KvCache,
    LayerNorm,
    Linear,
    Operator,
    RmsNorm,
    Rope,
    Softmax,
    Tensor,
)
from hwsim.mapping.step import Step


def elements_moved(op: Operator, inputs: tuple[Tensor, ...], output: Tensor, step: Step) -> int:
    """Elements that cross the memory interface in one step: each input, weight and result once, nothing cached.

    Raises
    ------
    MachineError : an operator that is not supported here
    """
    made = output.elements(step)
    read = sum(tensor.elements(step) for tensor in inputs)
    match op:
        case Linear():
            return read + op.d_in * op.d_out + (op.d_out if op.bias else 0) + made
        case LayerNorm() | RmsNorm() | Eltwise() | Act() | Glu() | Softmax():
            return read + op.weights + made
        case Embed():  # only the rows of this step's tokens and positions
            return read + op.rows_read * step.tokens * op.width + made
        case KvCache():  # k and v of this step's tokens; the output tensor is the whole cache
            return 2 * step.tokens * op.width
        case Rope():  # in place, without values; a sine and a cosine for each pair of a head
            return step.tokens * (2 * op.rotated + op.d_k)
        case Attention() if op.shares_scores:
            raise MachineError(f"{op.name}: the baselines do not count attention that shares scores")
        case Attention():
            return inputs[0].elements(step) + op.weights + _keys(op, step) * (op.d_k + op.d_v) + made
        case AttentionScores():
            return inputs[0].elements(step) + op.weights + _keys(op, step) * op.d_k + made
        case AttentionValues():
            return inputs[0].elements(step) + _keys(op, step) * op.d_v + made
        case _:
            raise MachineError(f"{op.name}: the baselines do not count operators of kind {op.kind!r}")


def _keys(op: Attention | AttentionScores | AttentionValues, step: Step) -> int:
    """Keys read over the batch, each once for every key/value head."""
    return op.keys_read(step) * op.kv_heads
