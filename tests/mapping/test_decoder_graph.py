"""The operators of a decoder's block, as text."""

from hwsim.mapping.step import Step
from tests.mapping.decoders import graph_of

STEP = Step(queries=1, context=4)


def block(**fields: object) -> list[str]:
    """One line per operator without its work; views are left out."""
    graph = graph_of(**fields)
    return [
        f"{op.name} <- {', '.join(graph.origin(name) for name in op.inputs)}: {op.describe()}"
        for op in graph.operators
        if not op.is_view
    ]


def test_a_block_of_gemmas_form() -> None:
    lines = block(
        family="llama", d_ff=96, activation="gelu", head_dim=16, kv_heads=1, post_norms=True, qk_norm="rmsnorm",
        query_scale=0.25, attention_softcap=50, attention="window", window=3,
    )  # fmt: skip
    assert lines == [
        "l0.norm1 <- embedded: rmsnorm 64",
        "l0.qkv <- l0.norm1: 64 -> 64",
        "l0.qk_norm <- l0.qkv: rmsnorm of 2 + 1 heads x 16",
        "l0.rope <- l0.qk_norm: 2 + 1 heads x 16, theta 10000",
        "l0.kv <- l0.rope, l0.rope: append 1 heads x (16 + 16), the last 4",
        "l0.attention <- l0.rope, l0.kv, l0.kv: 2 heads over 1 x 16, window(3, 0), capped at 50, scaled by 0.25",
        "l0.proj <- l0.attention: 32 -> 64",
        "l0.post_norm1 <- l0.proj: rmsnorm 64",
        "l0.add1 <- embedded, l0.post_norm1: add 64",
        "l0.norm2 <- l0.add1: rmsnorm 64",
        "l0.gate <- l0.norm2: 64 -> 96",
        "l0.up <- l0.norm2: 64 -> 96",
        "l0.glu <- l0.gate, l0.up: gelu gate 96",
        "l0.ffn2 <- l0.glu: 96 -> 64",
        "l0.post_norm2 <- l0.ffn2: rmsnorm 64",
        "l0.add2 <- l0.add1, l0.post_norm2: add 64",
    ]


def test_a_block_of_phis_form_reads_one_norm_twice() -> None:
    lines = block(block="parallel_one_norm", position="rope", rotary_dim=12)
    assert lines == [
        "l0.norm1 <- embedded: layernorm 64",
        "l0.qkv <- l0.norm1: 64 -> 192 + bias",
        "l0.rope <- l0.qkv: 2 + 2 heads x 32, the first 12, theta 10000",
        "l0.kv <- l0.rope, l0.rope: append 2 heads x (32 + 32)",
        "l0.attention <- l0.rope, l0.kv, l0.kv: 2 heads x 32, causal",
        "l0.proj <- l0.attention: 64 -> 64 + bias",
        "l0.add1 <- embedded, l0.proj: add 64",
        "l0.ffn1 <- l0.norm1: 64 -> 256 + bias",
        "l0.gelu <- l0.ffn1: gelu 256",
        "l0.ffn2 <- l0.gelu: 256 -> 64 + bias",
        "l0.add2 <- l0.add1, l0.ffn2: add 64",
    ]


def test_a_parallel_block_of_neoxs_form_norms_the_stream_twice() -> None:
    graph = graph_of(block="parallel")
    assert graph.readers("embedded") == ("l0.norm1", "l0.add1", "l0.norm2")


def test_a_block_with_experts() -> None:
    lines = block(family="llama", d_ff=96, experts=8, top_k=2, renormalise=True)
    assert lines[-4:] == [
        "l0.norm2 <- l0.add1: rmsnorm 64",
        "l0.route <- l0.norm2: 64 -> top 2 of 8 by softmax, renormalised",
        "l0.experts <- l0.norm2, l0.route: 8 experts, 2 a token: 64 -> 96 -> 64, silu gate",
        "l0.add2 <- l0.add1, l0.experts: add 64",
    ]


def test_embedded_tokens_are_scaled_and_logits_capped_where_the_whole_model_runs() -> None:
    lines = block(lm_head="included", embedding_scale=8, logit_softcap=30, lm_head_bias=True)
    assert lines[:2] == ["embed <- token_ids: 100 + 4096 rows x 64", "embed_scale <- embed: 64 times 8"]
    assert lines[-2:] == ["lm_head <- norm: 64 -> 100 + bias", "logit_softcap <- lm_head: 100 capped at 30"]


def test_vector_work_of_a_block() -> None:
    # 1 token: 64 elements a norm, 3 heads of 16 for queries and keys, half of each turned
    graph = graph_of(
        family="llama", d_ff=96, activation="relu", head_dim=16, kv_heads=1, qk_norm="rmsnorm", rotary_dim=8
    )
    ops = {op.name: (op.element_ops(STEP), op.special_functions(STEP)) for op in graph.operators if not op.is_view}
    assert {name: work for name, work in ops.items() if any(work)} == {
        "l0.norm1": (64, 1),
        "l0.qk_norm": (3 * 16, 3),
        "l0.rope": (3 * 8, 0),
        "l0.attention": (2 * 4, 2 * 4 + 2),
        "l0.add1": (64, 0),
        "l0.norm2": (64, 1),
        "l0.glu": (2 * 96, 0),
        "l0.add2": (64, 0),
    }
