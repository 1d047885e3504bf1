"""PIM-GPT's own arithmetic: a mapped graph executed by the golden models of its blocks, with sums in placement order.

Matrices are cut into the chunks of their placement; a bank's MAC unit sums a chunk column by column, its result is
rounded to the result format, and the ASIC adds the chunks and last the bias. Every vector between operators is in the
vector unit's output format. Scores are not chunked (a head fits a row); values are chunked by tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.machines.pim_gpt.mac_kernel import MacKernel, Operands
from hwsim.machines.pim_gpt.requests import Query, value_chunks
from hwsim.mapping.errors import MappingError
from hwsim.mapping.formats import round_to
from hwsim.mapping.mapped import VIEW, MappedOperator
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.operators import (
    Act,
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
    Slice,
    Softmax,
)
from hwsim.mapping.pim import CachePlacement, PimMapped
from hwsim.rtl.mac_unit.contract import MacUnitContract
from hwsim.rtl.vector_unit.contract import VectorUnitContract
from hwsim.rtl.vector_unit.golden import VectorUnit
from hwsim.verify import float64
from hwsim.verify.checkpoint import checkpoint_of
from hwsim.verify.decoder import DecoderStep, Observe
from hwsim.verify.weights import GptWeights

Values = NDArray[np.float64]


class Observer:
    """Reports results of functions while it is switched on."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self.on = False

    def switch(self, on: bool) -> None:
        self.on = on

    def __call__(self, function: str, result: Values, exact: Callable[[], Values]) -> Values:
        """Return `result`; report it with `exact()` if there is an observer."""
        if self.on:
            self._observe(function, result, exact())
        return result


class ObservedVectorUnit(VectorUnit):
    """The vector unit; each function is compared with float64's on the same inputs."""

    def __init__(self, contract: VectorUnitContract, observer: Observer) -> None:
        super().__init__(contract)
        self.observer = observer

    def exp(self, x: ArrayLike) -> Values:
        return self.observer("exp", super().exp(x), lambda: float64.exp(x))

    def reciprocal(self, d: ArrayLike) -> Values:
        return self.observer("reciprocal", super().reciprocal(d), lambda: float64.reciprocal(d))

    def rsqrt(self, d: ArrayLike) -> Values:
        return self.observer("rsqrt", super().rsqrt(d), lambda: float64.rsqrt(d))

    def softmax(self, scores: ArrayLike, scale: float = 1.0) -> Values:
        exact = lambda: float64.softmax(np.asarray(scores) * scale)  # noqa: E731
        return self.observer("softmax", super().softmax(scores, scale), exact)

    def gelu(self, x: ArrayLike) -> Values:
        return self.observer("gelu", super().gelu(x), lambda: float64.gelu(x))

    def layernorm(self, x: ArrayLike, gamma: ArrayLike, beta: ArrayLike) -> Values:
        return self.observer("layernorm", super().layernorm(x, gamma, beta), lambda: float64.layernorm(x, gamma, beta))

    def silu(self, x: ArrayLike) -> Values:
        return self.observer("silu", super().silu(x), lambda: float64.silu(x))

    def glu(self, gate: ArrayLike, up: ArrayLike, function: str) -> Values:
        exact = {"gelu": float64.gelu, "silu": float64.silu}[function]
        return self.observer("glu", super().glu(gate, up, function), lambda: np.multiply(exact(gate), up))

    def rmsnorm(self, x: ArrayLike, gamma: ArrayLike) -> Values:
        return self.observer("rmsnorm", super().rmsnorm(x, gamma), lambda: float64.rmsnorm(x, gamma))

    def add(self, a: ArrayLike, b: ArrayLike) -> Values:
        return self.observer("residual", super().add(a, b), lambda: np.add(a, b, dtype=np.float64))


class PimGptDecoder:
    """One sequence on PIM-GPT: walks the mapped graph's operators for each token.

    Parameters
    ----------
    mapped : graph with the vocabulary projection; its placement says how sums are split
    weights : as given; they are rounded to the operands' format when written into the banks
    """

    def __init__(
        self,
        mapped: PimMapped,
        workload: DecoderWorkload,
        mac: MacUnitContract,
        vector: VectorUnitContract,
        weights: GptWeights,
        observe: Observe = lambda function, result, exact: None,
    ) -> None:
        self.mapped = mapped
        self.workload = workload
        self.observer = Observer(observe)
        self.mac = MacKernel(mac)
        self.vector = ObservedVectorUnit(vector, self.observer)
        self.weights = weights.rounded(mac.operand)
        self.checkpoint = checkpoint_of(workload)
        self.matrices = {name: self._chunks(name) for name in mapped.placement.matrices}
        self.caches = {name: _Cache(cache, self.mac) for name, cache in mapped.placement.caches.items()}
        self.length = 0

    def step(self, token: int, *, emit: bool = True) -> DecoderStep:
        """See `hwsim.verify.decoder.Decoder`."""
        self.length += 1
        made: dict[str, Values] = {"token_ids": np.array([token], dtype=np.float64)}
        streams = []
        with np.errstate(all="ignore"):  # overflows show in the results
            for mapped in self.mapped.operators:
                op = mapped.operator
                if mapped.unit == VIEW:
                    made[op.name] = _view(op, made[op.inputs[0]])
                    continue
                if op.role == "final_norm" and not emit:
                    break
                made[op.name] = self._run(mapped, [made[name] for name in op.inputs])
                if op.role in ("embed", "add2"):
                    streams.append(made[op.name])
        head = next(m.operator.name for m in self.mapped.operators if m.operator.role == "lm_head")
        return DecoderStep(streams=tuple(streams), logits=made.get(head))

    def rewind(self, length: int) -> None:
        """See `hwsim.verify.decoder.Decoder`."""
        self.length = length
        for cache in self.caches.values():
            cache.clear(length)

    def _run(self, mapped: MappedOperator, inputs: list[Values]) -> Values:
        """Run one operator on the unit to which it is mapped."""
        op = mapped.operator
        match op:
            case Embed():
                return self._embed(int(inputs[0][0]))
            case LayerNorm():
                gamma, beta = (self._parameter(op, part) for part in ("weight", "bias"))
                return self.vector.layernorm(inputs[0][np.newaxis], gamma, beta).ravel()
            case RmsNorm():
                return self.vector.rmsnorm(inputs[0][np.newaxis], self._parameter(op, "weight")).ravel()
            case Rope():
                return self._rope(op, inputs[0])
            case Linear() if mapped.unit == "host":
                return np.asarray(self._matrix_oi(op) @ inputs[0])  # assumed to be exact
            case Linear():
                return self._linear(op, inputs[0])
            case KvCache():
                self.caches[op.name].write(self.length - 1, *(self._held(x) for x in inputs))
                return np.empty(0)  # its sweeps read the cache directly
            case AttentionScores():
                return self._scores(op, inputs[0])
            case Softmax():
                return self.vector.softmax(inputs[0], 1 / sqrt(self.workload.model.head_size))
            case AttentionValues():
                return self._values(op, inputs[0])
            case Act():
                return {"gelu": self.vector.gelu, "silu": self.vector.silu}[op.function](inputs[0])
            case Glu():
                return self.vector.glu(inputs[0], inputs[1], op.function)
            case Eltwise():
                return self.vector.add(*inputs)
            case _:
                raise MappingError(f"{op.name}: PIM-GPT has no arithmetic for {op.kind}")

    def _embed(self, token: int) -> Values:
        """The host adds rows of tables exactly and sends the sum."""
        return self._vector(self.checkpoint.embedding(self.weights.tensors, token, self.length - 1))

    def _rope(self, op: Rope, qkv: Values) -> Values:
        """Rotate heads of queries and keys; sines and cosines come from the host in the internal format."""
        angles = (self.length - 1) * op.theta ** (-2 * np.arange(op.d_k // 2) / op.d_k)
        heads_hd = qkv[: op.rotated].reshape(-1, op.d_k)
        internal = self.vector.contract.internal
        turned = self.vector.rope(heads_hd, round_to(np.cos(angles), internal), round_to(np.sin(angles), internal))

        def exact() -> Values:
            points = (heads_hd[:, : op.d_k // 2] + 1j * heads_hd[:, op.d_k // 2 :]) * np.exp(1j * angles)
            return np.asarray(np.concatenate([points.real, points.imag], axis=-1))

        return np.asarray(np.concatenate([self.observer("rope", turned, exact).ravel(), qkv[op.rotated :]]))

    def _linear(self, op: Linear, x: Values) -> Values:
        held = self.mac.padded(self._held(x))
        chunks = self.mapped.placement.matrices[op.name].chunks
        parts, first = [], 0
        for chunk, matrix_oi in zip(chunks, self.matrices[op.name], strict=True):
            width = matrix_oi.shape[1]
            parts.append(self.mac.sweep(matrix_oi, held[first : first + width]))
            first += chunk.inputs
        if op.bias:
            parts.append(self._parameter(op, "bias"))
        total = self.vector.accumulate(np.stack(parts))
        # the running argmax reads logits as they arrive; everything else is stored as a vector
        result = total if op.role == "lm_head" else self._vector(total)
        return self.observer(_function(op), result, lambda: self._exact_linear(op, x))

    def _exact_linear(self, op: Linear, x: Values) -> Values:
        product = self._matrix_oi(op) @ x
        return np.asarray(product + self._parameter(op, "bias") if op.bias else product)

    def _matrix_oi(self, op: Operator) -> Values:
        return self.checkpoint.matrix_oi(self.weights.tensors, op).astype(np.float64)

    def _scores(self, op: AttentionScores, query: Values) -> Values:
        """(heads, keys seen) inner products of the query with keys; each head is a separate run of columns."""
        cache, (first, last) = self._cache_of(op), self._seen(op)
        query_hd = self._held(query).reshape(op.heads, op.d_k)
        keys_htd = cache.keys_htd[:, first:last]
        held = self.mac.padded(query_hd)
        group = op.heads // op.kv_heads  # queries that share a head of keys
        scores_ht = np.stack([self.mac.sweep(keys_htd[head // group], held[head]) for head in range(op.heads)])

        def exact() -> Values:
            shared_htd = np.repeat(keys_htd[..., : op.d_k].astype(np.float64), group, axis=0)
            return np.asarray(np.einsum("htd,hd->ht", shared_htd, query_hd))

        return self.observer("scores", scores_ht, exact)

    def _values(self, op: AttentionValues, weights_ht: Values) -> Values:
        """(heads x d_v,) sums of values; partial sums of long contexts are added in the ASIC."""
        cache, (first, last) = self._cache_of(op), self._seen(op)
        lanes, group = self.mapped.placement.target.lanes, op.heads // op.kv_heads
        held_ht = self._held(weights_ht)
        # banks read whole columns: tokens that the query does not see have weight 0
        begin, end = first // lanes * lanes, -(-last // lanes) * lanes
        swept_ht = np.pad(held_ht, ((0, 0), (first - begin, end - last))).astype(np.float32)
        query = Query(sequence=0, first=begin, last=end, head=0, head_end=op.heads)
        parts = [
            [
                self.mac.sweep(
                    cache.values_hdt[head // group][:, start:stop], swept_ht[head, start - begin : stop - begin]
                )
                for head in range(op.heads)
            ]
            for start, stop in value_chunks(cache.placement, query)
        ]
        mixed_hd = self._vector(self.vector.accumulate(np.array(parts).reshape(len(parts), -1)))

        def exact() -> Values:
            shared_hdt = np.repeat(cache.values_hdt[..., first:last].astype(np.float64), group, axis=0)
            return np.asarray(np.einsum("hdt,ht->hd", shared_hdt, held_ht)).ravel()

        return self.observer("values", mixed_hd, exact)

    def _chunks(self, name: str) -> list[Operands]:
        """A matrix as its banks hold it: (outputs, inputs) of each chunk, padded to whole columns."""
        matrix_oi = self.checkpoint.matrix_oi(self.weights.tensors, self.mapped.graph.operator(name))
        return [
            self.mac.padded(matrix_oi[:, chunk.first_input : chunk.first_input + chunk.inputs])
            for chunk in self.mapped.placement.matrices[name].chunks
        ]

    def _cache_of(self, op: AttentionScores | AttentionValues) -> _Cache:
        return self.caches[self.mapped.graph.origin(op.inputs[1])]

    def _seen(self, op: AttentionScores | AttentionValues) -> tuple[int, int]:
        """Range of the keys that the newest token sees."""
        return op.pattern.keys(self.length - 1, self.length)

    def _parameter(self, op: Operator, part: str) -> Values:
        return self.checkpoint.vector(self.weights.tensors, op, part).astype(np.float64)

    def _held(self, x: Values) -> Values:
        """`x` as banks and buffers hold it."""
        return round_to(x, self.mac.contract.operand)

    def _vector(self, x: Values) -> Values:
        """`x` as stored in the ASIC's SRAM between operators."""
        return round_to(x, self.vector.contract.output)


class _Cache:
    """Keys and values of one layer, laid out as their sweeps read them; entries never written are 0."""

    def __init__(self, placement: CachePlacement, mac: MacKernel) -> None:
        heads, size, tokens = placement.heads, placement.head_dim, placement.context
        self.placement = placement
        self.keys_htd = mac.padded(np.zeros((heads, tokens, size)))
        self.values_hdt = mac.padded(np.zeros((heads, size, tokens)))

    def write(self, token: int, key: Values, value: Values) -> None:
        """Store the key and value of one token."""
        heads, size = self.placement.heads, self.placement.head_dim
        self.keys_htd[:, token, :size] = key.reshape(heads, size)
        self.values_hdt[:, :, token] = value.reshape(heads, size)

    def clear(self, token: int) -> None:
        """Clear the tokens from this one on."""
        self.keys_htd[:, token:] = 0
        self.values_hdt[:, :, token:] = 0


def _view(op: Operator, x: Values) -> Values:
    """The part of a vector that a view names; a view of a cache takes nothing out."""
    return x[op.first : op.first + op.width] if isinstance(op, Slice) else x


def _function(op: Linear) -> str:
    """The role of a matrix in the model, for the table of functions."""
    return op.role or op.kind
