"""PIM-GPT's arithmetic in a whole model, and the float64 model with which it is compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.machines.pim_gpt.numerics import PimGptDecoder
from hwsim.mapping.formats import BF16, FP32
from hwsim.mapping.models import build_graph
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.mapping.pim import PimTarget, map_graph
from hwsim.rtl.mac_unit.contract import MacUnitContract
from hwsim.rtl.vector_unit.contract import VectorUnitContract
from hwsim.verify import float64
from hwsim.verify.decoding import compare_gpt
from hwsim.verify.float64_gpt import Float64Gpt
from hwsim.verify.float64_llama import Float64Llama
from hwsim.verify.statistics import ErrorStatistics
from hwsim.verify.weights import GptWeights, random_weights
from tests.mapping.workloads import tiny

# Rows of 32 elements, so that matrices of 64 inputs and contexts beyond 32 tokens are cut into chunks.
TARGET = PimTarget(
    machine="tiny",
    channels=2, banks=4, rows=10_000, columns=8, lanes=4, buffer_elements=32, sram_bytes=1 << 16, score_bytes=4,
    fmt=BF16,
)  # fmt: skip
MAC = MacUnitContract(lanes=4, column_elements=4)
EXACT_MAC = replace(MAC, operand=FP32, output=FP32)
EXACT_VECTOR = VectorUnitContract(taylor_terms=12, newton_steps=5, rsqrt_steps=4, output=FP32)


def model(**fields: object) -> DecoderWorkload:
    return tiny(**{"layers": 2, "lm_head": "included", "prompt": 3, "tokens": 6, "n_ctx": 64, **fields})


def decoder(w: DecoderWorkload, weights: GptWeights, mac: MacUnitContract, vector: VectorUnitContract) -> PimGptDecoder:
    mapped = map_graph(build_graph(w), TARGET, context=w.run.context, batch=1)
    return PimGptDecoder(mapped, w, mac, vector, weights)


@pytest.mark.parametrize("attention", [{}, {"attention": "window", "window": 5}], ids=["causal", "window"])
def test_in_fp32_with_many_terms_the_machine_is_the_float64_model(attention: dict[str, object]) -> None:
    w = model(prompt=30, **attention)  # the values of 33 tokens and more take two chunks
    weights = random_weights(w, 3)
    machine, exact = decoder(w, weights, EXACT_MAC, EXACT_VECTOR), Float64Gpt(w, weights)
    for token in np.random.default_rng(1).integers(100, size=w.run.context).tolist():
        ours, theirs = machine.step(token), exact.step(token)
        for stream, other in zip(ours.streams, theirs.streams, strict=True):
            np.testing.assert_allclose(stream, other, atol=1e-6)
        assert ours.logits is not None
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=1e-5)


@pytest.mark.parametrize("fields", [{}, {"kv_heads": 1}, {"tied_embeddings": True, "rope_theta": 500.0}], ids=str)
def test_so_it_is_for_llama_with_grouped_heads(fields: dict[str, object]) -> None:
    w = model(family="llama", prompt=30, heads=4, d_ff=88, **{"kv_heads": 2, **fields})
    weights = random_weights(w, 3)
    machine, exact = decoder(w, weights, EXACT_MAC, EXACT_VECTOR), Float64Llama(w, weights)
    for token in np.random.default_rng(1).integers(100, size=w.run.context).tolist():
        ours, theirs = machine.step(token), exact.step(token)
        for stream, other in zip(ours.streams, theirs.streams, strict=True):
            np.testing.assert_allclose(stream, other, atol=1e-6)
        assert ours.logits is not None
        np.testing.assert_allclose(ours.logits, theirs.logits, atol=1e-5)


def test_a_rotated_score_hangs_on_the_distance_alone() -> None:
    w = model(family="llama", d_ff=88)
    llama = Float64Llama(w, random_weights(w, 0))
    query, key = np.random.default_rng(4).normal(size=(2, 1, 32))
    near, far = (float((llama._rotated(query, at + 5) * llama._rotated(key, at)).sum()) for at in (3, 40))
    assert near == pytest.approx(far, rel=1e-12)
    assert llama._rotated(query, 0).tolist() == query.tolist()


def test_one_llama_token_by_hand() -> None:
    """With matrices of 0, a token's logits are the head times its own RMSNorm."""
    w = model(family="llama", layers=1, prompt=0, d_ff=8)
    tensors = {name: np.zeros_like(tensor) for name, tensor in random_weights(w, 0).tensors.items()}
    tensors["embed_tokens.weight"][7, :2] = [3, -1]
    tensors["norm.weight"][:] = 2
    tensors["lm_head.weight"][5, 0] = 1
    logits = Float64Llama(w, GptWeights(tensors=tensors, origin="by hand")).step(7).logits
    assert logits is not None
    assert logits[5] == pytest.approx(2 * 3 / math.sqrt(10 / 64 + 1e-5), rel=1e-12)
    assert np.count_nonzero(logits) == 1


def test_in_bf16_it_is_not() -> None:
    w = model()
    weights = random_weights(w, 3)
    found = compare_gpt(w, weights, BF16, decoder(w, weights, MAC, VectorUnitContract()))
    assert [error.layer for error in found.layers] == ["embedding", "block 0", "block 1", "logits"]
    norms = [error.relative_norm for error in found.layers]
    assert all(norm is not None and 1e-4 < norm < 0.05 for norm in norms)


def test_rewound_decoders_repeat_themselves() -> None:
    w = model(prompt=12)
    weights = random_weights(w, 3)
    for each in (decoder(w, weights, MAC, VectorUnitContract()), Float64Gpt(w, weights)):
        first = [each.step(token).logits for token in range(10)]
        each.rewind(4)
        again = [each.step(token).logits for token in range(4, 10)]
        np.testing.assert_array_equal(first[4:], again)


def test_the_free_run_parts_where_the_forced_one_first_differs() -> None:
    w = model(tokens=20)
    weights = random_weights(w, 3)
    coarse = replace(MAC, tree=BF16, accumulator=BF16)
    vector = VectorUnitContract(taylor_terms=1, newton_steps=0, rsqrt_steps=0)
    g = compare_gpt(w, weights, BF16, decoder(w, weights, coarse, vector)).generation
    assert g.first_divergence is not None
    assert g.free[: g.first_divergence] == g.reference[: g.first_divergence]
    assert g.free[g.first_divergence] == g.forced[g.first_divergence] != g.reference[g.first_divergence]
    assert g.agreement == sum(a == b for a, b in zip(g.forced, g.reference)) / 20
    assert g.widest_gap is not None
    assert g.widest_gap > 0
    # the machine alone, fed its own tokens, gives the same
    alone = decoder(w, weights, coarse, vector)
    given = np.random.default_rng(0).integers(w.model.vocab, size=w.run.context).tolist()[:4]
    for token in given[:-1]:
        alone.step(token, emit=False)
    token, tokens = given[-1], []
    for _ in range(20):
        token = alone.step(token).choice
        tokens.append(token)
    assert tokens == g.free


def test_a_model_of_one_token_by_hand() -> None:
    """With all weights 0 except embedding and norms' scales, a token's logits are those of its own LayerNorm."""
    w = model(layers=1, prompt=0)
    tensors = {name: np.zeros_like(tensor) for name, tensor in random_weights(w, 0).tensors.items()}
    tensors["wte.weight"][7, :2] = [1, -1]
    tensors["ln_f.weight"][:] = 2
    logits = Float64Gpt(w, GptWeights(tensors=tensors, origin="by hand")).step(7).logits
    assert logits is not None
    deviation = math.sqrt(2 / 64 + 1e-5)  # mean 0, two squares of 1 over 64 elements
    assert logits[7] == pytest.approx(2 * 2 / deviation, rel=1e-12)
    assert not logits[:7].any()


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=20))
def test_float64_functions_follow_their_closed_forms(x: list[float]) -> None:
    for value in x:
        tanh = math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3))
        assert float64.gelu(value) == pytest.approx(0.5 * value * (1 + tanh), abs=1e-14)
    powers = [math.exp(value - max(x)) for value in x]
    assert float64.softmax(x).tolist() == pytest.approx([p / math.fsum(powers) for p in powers])
    mean = math.fsum(x) / len(x)
    variance = math.fsum((value - mean) ** 2 for value in x) / len(x)
    normed = [(value - mean) / math.sqrt(variance + 1e-5) * 3 + 1 for value in x]
    assert float64.layernorm(x, 3.0, 1.0).tolist() == pytest.approx(normed, abs=1e-9)


def test_statistics_by_hand() -> None:
    scalar = ErrorStatistics("exp")
    scalar.add(np.array([1.5, 2.0, np.inf]), np.array([1.0, 4.0, 1.0]))
    r = scalar.result()
    assert (r.values, r.not_finite, r.max_absolute, r.mean_absolute) == (3, 1, 2.0, 1.25)
    assert (r.max_relative, r.mean_relative) == (0.5, 0.5)
    vector = ErrorStatistics("qkv")
    vector.add(np.array([3.0, 5.0]), np.array([3.0, 4.0]))  # the RMS is sqrt(12.5)
    assert vector.result().max_relative == pytest.approx(1 / math.sqrt(12.5))
