"""What the lanes do with the rows of an operator, sweep by sweep."""

from __future__ import annotations

from math import prod

from hwsim.errors import MachineError
from hwsim.mapping.formats import ScaledFormat
from hwsim.mapping.operators import (
    Act,
    Dequantise,
    Eltwise,
    Glu,
    HeadNorm,
    LayerNorm,
    Operator,
    Positions,
    Quantise,
    RmsNorm,
    Rope,
    Scale,
    Softcap,
)
from hwsim.rtl.vector_lanes.contract import FUNCTIONS, Function

# Sweeps one after the other, each of parts of a row: segments, elements of each, what is done with them.
RowSweeps = tuple[tuple[tuple[int, int, Function], ...], ...]

ELTWISE = {"add": "add", "hadamard": "multiply"}


def one_sweep(width: int, name: str) -> RowSweeps:
    """A function of all elements of a row."""
    return (((1, width, FUNCTIONS[name]),),)


def sweeps_of(op: Operator) -> RowSweeps:
    """The sweeps over the rows of an operator.

    Raises
    ------
    MachineError : an operator of a kind that the lanes do not have
    """
    match op:
        case LayerNorm():
            return one_sweep(op.width, "moments") + one_sweep(op.width, "affine" if op.bias else "scaled")
        case RmsNorm():
            return one_sweep(op.width, "squares") + one_sweep(op.width, "scaled_root")
        case HeadNorm():
            return _head_norm(op)
        case Act():
            return one_sweep(op.width, op.function)
        case Glu():
            return (((1, op.width, FUNCTIONS[op.function].then(FUNCTIONS["multiply"])),),)
        case Eltwise():
            return one_sweep(op.width, ELTWISE[op.function])
        case Positions():
            return one_sweep(op.width, "add")
        case Scale():
            return one_sweep(op.width, "multiply")
        case Softcap():
            return one_sweep(op.width, "softcap")
        case Rope():
            heads = op.heads + op.kv_heads
            rest = heads * (op.d_k - op.turned) + op.kv_heads * op.d_v
            return (((heads, op.turned, FUNCTIONS["rotate"]), (1, rest, FUNCTIONS["copy"])),)
        case Quantise() | Dequantise():
            width = prod(size for size in op.shape[1:] if isinstance(size, int))
            scales = one_sweep(width, "largest") if isinstance(op.fmt, ScaledFormat) else ()
            return scales + one_sweep(width, "multiply")
    raise MachineError(f"{op.name}: the companion has no unit for {op.kind}")


def _head_norm(op: HeadNorm) -> RowSweeps:
    """Heads of queries and keys are segments; values pass."""
    heads = op.heads + op.kv_heads
    first, second = ("moments", "affine") if op.function == "layernorm" else ("squares", "scaled_root")
    values = (1, op.kv_heads * op.d_v, FUNCTIONS["copy"])
    return ((heads, op.d_k, FUNCTIONS[first]),), ((heads, op.d_k, FUNCTIONS[second]), values)
