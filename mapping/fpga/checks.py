"""What the units of an FPGA accelerator cannot do of what a graph may ask."""

from __future__ import annotations

from hwsim.mapping.errors import MappingError
from hwsim.mapping.fpga.target import FpgaTarget
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.operators import (
    Act,
    Attention,
    AttentionScores,
    AttentionValues,
    Eltwise,
    ExpertFfn,
    Linear,
    Operator,
    Route,
)
from hwsim.mapping.patterns import Full


def check_operator(op: Operator, graph: OperatorGraph, target: FpgaTarget) -> None:
    """Check that a unit can carry out an operator.

    Raises
    ------
    MappingError : says what was asked for and what the units can do
    """
    reason = _reason(op, graph, target)
    if reason:
        raise MappingError(f"{target.machine}: {op.name}: {reason}")


def _reason(op: Operator, graph: OperatorGraph, target: FpgaTarget) -> str:
    match op:
        case Act():
            return _activation(op, graph, target)
        case ExpertFfn(gated=True):
            return "experts with a gated hidden layer have no unit"
        case ExpertFfn() if op.function not in target.functions:
            return f"has no unit for {op.function}; it applies {', '.join(target.functions)}"
        case Route():
            return _choice(op)
        case Eltwise() if op.function != "add":
            return f"adds tensors, and has no unit for {op.function}"
        case Attention() | AttentionScores() | AttentionValues():
            return _attention(op)
        case _:
            return ""


def _activation(op: Act, graph: OperatorGraph, target: FpgaTarget) -> str:
    if op.function not in target.functions:
        return f"has no unit for {op.function}; it applies {', '.join(target.functions)}"
    source = op.inputs[0]
    made_by = {other.name: other for other in graph.operators}.get(source)
    if not isinstance(made_by, Linear) or graph.readers(source) != (op.name,):
        return f"{op.function} is applied to results of a matrix as they leave, {source} is none or is read elsewhere"
    return ""


def _choice(op: Route) -> str:
    wrong = {
        f"scores by {op.score}": op.score != "softmax",
        "renormalised scores": op.renormalise,
        "biases of experts": op.bias,
        "a task's vector beside the token": op.task_embedding > 0,
    }
    asked = [what for what, given in wrong.items() if given]
    return f"the gate takes the best of a softmax over all experts, and has no {asked[0]}" if asked else ""


def _attention(op: Attention | AttentionScores | AttentionValues) -> str:
    scaled = op.scale is not None and op.scale != op.d_k**-0.5
    wrong = {
        f"the pattern {op.pattern}": not isinstance(op.pattern, Full),
        f"{op.kv_heads} heads of keys for {op.heads} of queries": op.kv_heads != op.heads,
        f"keys of {op.d_k} and values of {op.d_v} elements": op.d_k != op.d_v,
        "capped scores": bool(op.softcap),
        f"a scale of {op.scale}": scaled,
        "other queries than the tokens": op.queries != "tokens" or op.keys != "tokens",
    }
    asked = [what for what, given in wrong.items() if given]
    return f"attends from every token to every token, and has no unit for {asked[0]}" if asked else ""
