"""Llama in the operator graph: its results, its parameters, its work."""

from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.mapping.errors import GraphError
from hwsim.mapping.formats import BF16
from hwsim.mapping.graph import OperatorGraph
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import (
    Attention,
    Eltwise,
    Embed,
    Glu,
    KvCache,
    Linear,
    Operator,
    RmsNorm,
    Rope,
    Slice,
    Take,
    Tensor,
)
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import load_workload
from hwsim.shipped import find_workload
from hwsim.verify.checkpoint import checkpoint_of
from hwsim.verify.float64_llama import Float64Llama
from hwsim.verify.weights import random_weights
from tests.mapping.workloads import tiny

Values = NDArray[np.float64]


def llama(**fields: object) -> DecoderWorkload:
    return tiny(
        **{"family": "llama", "layers": 2, "heads": 4, "kv_heads": 2, "d_ff": 40, "lm_head": "included", **fields}
    )


class Interpreter:
    """Executes a graph in float64, operator by operator, each by its definition written with loops."""

    def __init__(self, w: DecoderWorkload) -> None:
        self.graph, self.checkpoint = build_graph(w), checkpoint_of(w)
        self.tensors = random_weights(w, 7).tensors
        self.caches: dict[str, list[Values]] = {}
        self.position = -1

    def logits(self, token: int) -> Values:
        self.position += 1
        made: dict[str, Values] = {"token_ids": np.array([float(token)])}
        for op in self.graph.operators:
            made[op.name] = self.run(op, [made[name] for name in op.inputs])
        return made["lm_head"]

    def run(self, op: Operator, inputs: list[Values]) -> Values:
        match op:
            case Embed():
                return self.checkpoint.embedding(self.tensors, int(inputs[0][0]), self.position)
            case RmsNorm():
                (x,) = inputs
                gamma = self.checkpoint.vector(self.tensors, op, "weight")
                root = sqrt(sum(value * value for value in x) / len(x) + 1e-5)
                return np.array([value / root * scale for value, scale in zip(x, gamma, strict=True)])
            case Linear():
                return np.asarray(self.checkpoint.matrix_oi(self.tensors, op).astype(np.float64) @ inputs[0])
            case Rope():
                return self.rotate(op, inputs[0])
            case KvCache():
                self.caches.setdefault(op.name, []).append(np.concatenate(inputs))
                return np.array(self.caches[op.name])  # a row a token
            case Slice():
                return inputs[0][..., op.first : op.first + op.width]
            case Take():
                return inputs[0]  # the only token of its step
            case Attention():
                return self.attend(op, *inputs)
            case Glu():
                return np.array([g / (1 + np.exp(-g)) * u for g, u in zip(*inputs, strict=True)])
            case Eltwise():
                return np.asarray(inputs[0] + inputs[1])
        raise AssertionError(op.kind)

    def rotate(self, op: Rope, qkv: Values) -> Values:
        turned, half = qkv.copy(), op.d_k // 2
        for head in range(op.heads + op.kv_heads):
            for i in range(half):
                at = head * op.d_k + i
                angle = self.position * op.theta ** (-2 * i / op.d_k)
                turned[at] = qkv[at] * np.cos(angle) - qkv[at + half] * np.sin(angle)
                turned[at + half] = qkv[at + half] * np.cos(angle) + qkv[at] * np.sin(angle)
        return turned

    def attend(self, op: Attention, q: Values, keys_t: Values, values_t: Values) -> Values:
        results = []
        for head in range(op.heads):
            query = q[head * op.d_k :][: op.d_k]
            shared = head * op.kv_heads // op.heads
            keys = [key[shared * op.d_k :][: op.d_k] for key in keys_t]
            values = [value[shared * op.d_v :][: op.d_v] for value in values_t]
            powers = np.array([np.exp(key @ query / sqrt(op.d_k)) for key in keys])
            results.append(sum(p * v for p, v in zip(powers / powers.sum(), values, strict=True)))
        return np.concatenate(results)


@pytest.mark.parametrize("fields", [{}, {"kv_heads": 4}, {"kv_heads": 1, "tied_embeddings": True}], ids=str)
def test_the_graph_means_the_model(fields: dict[str, object]) -> None:
    w = llama(tokens=6, **fields)
    graph, model = Interpreter(w), Float64Llama(w, random_weights(w, 7))
    for token in (3, 1, 4, 1, 5, 9):
        exact = model.step(token).logits
        assert exact is not None
        np.testing.assert_allclose(graph.logits(token), exact, atol=1e-12)


@pytest.mark.parametrize("name", ["llama2_7b", "llama3_8b", "tiny_llama"])
def test_a_whole_llama_holds_its_closed_form_of_parameters(name: str) -> None:
    w = load_workload(find_workload(name), {"lm_head": "included"})
    # the tensors of a checkpoint, counted one by one
    tensors = sum(int(np.prod(shape)) for shape in checkpoint_of(w).shapes(w).values())
    assert build_graph(w).parameters == w.model.parameters == tensors


def test_macs_and_cache_of_llama3_by_hand() -> None:
    totals = build_graph(load_workload(find_workload("llama3_8b"))).totals(Step(queries=1, context=1000))
    blocks = 32 * (4096 * (4096 + 2 * 1024) + 4096 * 4096 + 3 * 4096 * 14336)
    assert totals.macs == blocks + 32 * 32 * 1000 * 256
    assert totals.state_bytes == 1000 * 131_072  # 8 of 32 heads keep K and V: 128 KiB a token
    whole = load_workload(find_workload("llama2_7b"), {"lm_head": "included"})
    # each weight of a matrix once per token; norms and the embedding have no multiply-accumulates
    step = Step(queries=1, context=1)
    assert build_graph(whole).totals(step).macs == 6_738_415_616 - 32000 * 4096 - 65 * 4096 + 32 * 32 * 256


def test_a_block_of_a_tiny_llama_reads_like_this() -> None:
    dump = build_graph(llama(layers=1, lm_head="excluded")).dump(Step(queries=1, context=4))
    assert dump.splitlines()[2:17] == [
        "rmsnorm l0.norm1[tokens, 64] bf16 <- embedded; rmsnorm 64; macs 0 bytes 128 weights 128 B",
        "linear l0.qkv[tokens, 128] bf16 <- l0.norm1; 64 -> 128; macs 8192 bytes 256 weights 16384 B",
        "rope l0.rope[tokens, 128] bf16 <- l0.qkv; 4 + 2 heads x 16, theta 10000; macs 0 bytes 256 weights 0 B",
        "slice l0.q[tokens, 64] bf16 <- l0.rope; columns 0..63; view",
        "slice l0.k[tokens, 32] bf16 <- l0.rope; columns 64..95; view",
        "slice l0.v[tokens, 32] bf16 <- l0.rope; columns 96..127; view",
        "kv_cache l0.kv[context, 64] bf16 <- l0.k, l0.v; append 2 heads x (16 + 16); "
        "macs 0 bytes 512 weights 0 B state 512 B",
        "slice l0.keys[context, 32] bf16 <- l0.kv; columns 0..31; view",
        "slice l0.values[context, 32] bf16 <- l0.kv; columns 32..63; view",
        "attention l0.attention[tokens, 64] bf16 <- l0.q, l0.keys, l0.values; 4 heads over 2 x 16, causal; "
        "macs 512 bytes 128 weights 0 B",
        "linear l0.proj[tokens, 64] bf16 <- l0.attention; 64 -> 64; macs 4096 bytes 128 weights 8192 B",
        "eltwise l0.add1[tokens, 64] bf16 <- embedded, l0.proj; add 64; macs 0 bytes 128 weights 0 B",
        "rmsnorm l0.norm2[tokens, 64] bf16 <- l0.add1; rmsnorm 64; macs 0 bytes 128 weights 128 B",
        "linear l0.gate[tokens, 40] bf16 <- l0.norm2; 64 -> 40; macs 2560 bytes 80 weights 5120 B",
        "linear l0.up[tokens, 40] bf16 <- l0.norm2; 64 -> 40; macs 2560 bytes 80 weights 5120 B",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RmsNorm(name="y", inputs=("x",), fmt=BF16, width=9), r"where rmsnorm expects \[tokens, 9\]"),
        (lambda: Glu(name="y", inputs=("x",), fmt=BF16, width=8), "y: glu takes 2 inputs, got 1"),
        (
            lambda: Rope(name="y", inputs=("x",), fmt=BF16, heads=1, kv_heads=1, d_k=4, d_v=4, theta=1e4),
            r"where rope expects \[tokens, 12\]",
        ),
        (
            lambda: Rope(name="y", inputs=("x",), fmt=BF16, heads=1, kv_heads=1, d_k=3, d_v=2, theta=1e4),
            "y: rope rotates pairs of elements, but a head has 3",
        ),
    ],
)
def test_what_does_not_connect_is_refused(make: object, message: str) -> None:
    x = Tensor(name="x", shape=("tokens", 8), fmt=BF16)
    with pytest.raises(GraphError, match=message):
        OperatorGraph(name="g", inputs=(x,), operators=[make()])  # type: ignore[operator]
