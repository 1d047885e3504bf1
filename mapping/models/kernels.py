"""The operators that can be run by themselves: the fields that each has, how it is made, what it weighs and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hwsim.mapping.formats import Format
from hwsim.mapping.operators import (
    Act,
    Attention,
    Dim,
    Eltwise,
    ExpertFfn,
    Glu,
    LayerNorm,
    Linear,
    Operator,
    RmsNorm,
    Route,
    Softmax,
    Tensor,
)
from hwsim.mapping.step import Step

if TYPE_CHECKING:  # which makes its graph by this file
    from hwsim.mapping.models.kernel import KernelModel

KernelName = Literal[
    "linear", "attention", "softmax", "layernorm", "rmsnorm", "act", "glu", "add", "hadamard", "route", "expert_ffn"
]
Made = tuple[tuple[Tensor, ...], Operator]


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One kind.

    Attributes
    ----------
    needs, may_have : fields of `KernelModel`
    make : inputs and operator of a model, in a number format, over keys of the rows themselves or of another sequence
    macs, parameters : their closed forms; none by default
    """

    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    make: Callable[[KernelModel, Format, Dim], Made]
    macs: Callable[[KernelModel, Step], int] = lambda model, step: 0
    parameters: Callable[[KernelModel], int] = lambda model: 0


def _rows(name: str, width: int, fmt: Format, rows: Dim = "tokens") -> Tensor:
    return Tensor(name=name, shape=(rows, width), fmt=fmt)


def _linear(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    d_in, d_out = m.size("width"), m.size("d_out")
    op = Linear(name="linear", inputs=("x",), fmt=fmt, d_in=d_in, d_out=d_out, bias=m.has_bias)
    return (_rows("x", d_in, fmt),), op


def _attention(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    q, kv, d_k = m.size("heads"), m.key_heads, m.size("head_dim")
    op = Attention(
        name="attention", inputs=("q", "k", "v"), fmt=fmt, heads=q, kv_heads=kv, d_k=d_k, d_v=m.value_size,
        pattern=m.attention_pattern, keys=keys,
    )  # fmt: skip
    return (_rows("q", q * d_k, fmt), _rows("k", kv * d_k, fmt, keys), _rows("v", kv * m.value_size, fmt, keys)), op


def _attention_macs(m: KernelModel, step: Step) -> int:
    keys = step.source or step.context
    pairs = m.attention_pattern.pairs_of_heads(step.queries, keys, m.size("heads"))
    return step.batch * pairs * (m.size("head_dim") + m.value_size)


def _softmax(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    heads = m.size("heads")
    scores = Tensor(name="scores", shape=("tokens", heads, keys), fmt=fmt)
    op = Softmax(name="softmax", inputs=("scores",), fmt=fmt, heads=heads, pattern=m.attention_pattern, keys=keys)
    return (scores,), op


def _layernorm(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    op = LayerNorm(name="norm", inputs=("x",), fmt=fmt, width=m.size("width"), bias=m.has_bias)
    return (_rows("x", op.width, fmt),), op


def _rmsnorm(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    op = RmsNorm(name="norm", inputs=("x",), fmt=fmt, width=m.size("width"))
    return (_rows("x", op.width, fmt),), op


def _act(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    assert m.function is not None
    op = Act(name="act", inputs=("x",), fmt=fmt, width=m.size("width"), function=m.function)
    return (_rows("x", op.width, fmt),), op


def _glu(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    assert m.function is not None
    op = Glu(name="glu", inputs=("gate", "up"), fmt=fmt, width=m.size("width"), function=m.function)
    return (_rows("gate", op.width, fmt), _rows("up", op.width, fmt)), op


def _two(function: Literal["add", "hadamard"]) -> Callable[[KernelModel, Format, Dim], Made]:
    def make(m: KernelModel, fmt: Format, keys: Dim) -> Made:
        op = Eltwise(name=function, inputs=("a", "b"), fmt=fmt, width=m.size("width"), function=function)
        return (_rows("a", op.width, fmt), _rows("b", op.width, fmt)), op

    return make


def _route(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    op = Route(
        name="route", layer=0, inputs=("x",), fmt=fmt, width=m.size("width"), experts=m.size("experts"),
        top_k=m.size("top_k"),
    )  # fmt: skip
    return (_rows("x", op.width, fmt),), op


def _experts(m: KernelModel, fmt: Format, keys: Dim) -> Made:
    assert m.function is not None
    op = ExpertFfn(
        name="experts", layer=0, inputs=("x", "scores"), fmt=fmt, width=m.size("width"), hidden=m.size("hidden"),
        experts=m.size("experts"), top_k=m.size("top_k"), function=m.function, gated=bool(m.gated), bias=m.has_bias,
    )  # fmt: skip
    return (_rows("x", op.width, fmt), _rows("scores", op.experts, fmt)), op


def _expert_weights(m: KernelModel) -> int:
    """Weights of the matrices of one expert."""
    return (3 if m.gated else 2) * m.size("width") * m.size("hidden")


def _expert_biases(m: KernelModel) -> int:
    """Biases of one expert."""
    return m.has_bias * ((2 if m.gated else 1) * m.size("hidden") + m.size("width"))


_ROW = ("width",)
_CHOICE = ("width", "experts", "top_k")

KERNELS: dict[KernelName, Kernel] = {
    "linear": Kernel(
        needs=("width", "d_out"),
        may_have=("bias",),
        make=_linear,
        macs=lambda m, step: step.tokens * m.size("width") * m.size("d_out"),
        parameters=lambda m: (m.size("width") + m.has_bias) * m.size("d_out"),
    ),
    "attention": Kernel(
        needs=("heads", "head_dim", "pattern"),
        may_have=("kv_heads", "value_dim"),
        make=_attention,
        macs=_attention_macs,
    ),
    "softmax": Kernel(needs=("heads", "pattern"), make=_softmax),
    "layernorm": Kernel(
        needs=_ROW, may_have=("bias",), make=_layernorm, parameters=lambda m: (1 + m.has_bias) * m.size("width")
    ),
    "rmsnorm": Kernel(needs=_ROW, make=_rmsnorm, parameters=lambda m: m.size("width")),
    "act": Kernel(needs=("width", "function"), make=_act),
    "glu": Kernel(needs=("width", "function"), make=_glu),
    "add": Kernel(needs=_ROW, make=_two("add")),
    "hadamard": Kernel(needs=_ROW, make=_two("hadamard")),
    "route": Kernel(
        needs=_CHOICE,
        make=_route,
        macs=lambda m, step: step.tokens * m.size("width") * m.size("experts"),
        parameters=lambda m: m.size("width") * m.size("experts"),
    ),
    "expert_ffn": Kernel(
        needs=(*_CHOICE, "hidden", "function"),
        may_have=("gated", "bias"),
        make=_experts,
        macs=lambda m, step: step.tokens * m.size("top_k") * _expert_weights(m),
        parameters=lambda m: m.size("experts") * (_expert_weights(m) + _expert_biases(m)),
    ),
}
