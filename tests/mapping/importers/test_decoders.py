"""Decoders' files as workloads: their text, with old and new field names."""

import json

import pytest

from tests.mapping.importers.configs import (
    GEMMA2,
    GEMMA3,
    GPT2,
    GPT_NEOX,
    LLAMA,
    MISTRAL,
    MIXTRAL,
    PHI,
    PHI3,
    QWEN2,
    QWEN3,
    QWEN3_MOE,
    changed,
    imported,
)


def fields(config: str) -> list[str]:
    """The lines about the model in a workload's file, without its sizes."""
    sizes = ("#", "layers", "d_model", "d_ff", "vocab", "n_ctx", "tokens", "name", "provenance", " ")
    return [line for line in imported(config).text.splitlines() if not line.startswith(sizes)]


def test_a_file_becomes_a_workload_that_says_where_it_comes_from() -> None:
    got = imported(MISTRAL, "Mistral-7B-v0.1", name="mistral_7b", machine="aim")
    assert got.warnings == ()
    assert got.text.splitlines() == [
        "# imported by `hwsim import hf` from a file of MistralForCausalLM",
        "name: mistral_7b",
        "family: llama",
        "machine: aim",
        "layers: 32",
        "d_model: 4096",
        "heads: 32",
        "kv_heads: 8",
        "d_ff: 14336",
        "vocab: 32000",
        "n_ctx: 32768",
        "attention: window",
        "window: 4095  # sliding_window 4096 counts the query's own key",
        "tokens: 128",
        "provenance:",
        "  grade: S",
        "  source: config.json of Mistral-7B-v0.1",
    ]


def test_gpt2_is_the_family_as_it_is() -> None:
    assert fields(GPT2) == ["family: gpt", "heads: 12"]


def test_gpt_neox_turns_a_quarter_of_each_head_and_has_parallel_blocks() -> None:
    assert fields(GPT_NEOX) == [
        "family: gpt", "heads: 64", "block: parallel", "position: rope", "rotary_dim: 24  # 0.25 of 96",
        "tied_embeddings: false", "format: fp16",
    ]  # fmt: skip


def test_gpt_neox_without_biases_of_attention_keeps_those_of_the_hidden_layer() -> None:
    assert {"qkv_bias: false", "proj_bias: false"} <= set(fields(changed(GPT_NEOX, attention_bias=False)))


def test_stretched_positions_change_no_operator() -> None:
    assert fields(LLAMA) == ["family: llama", "heads: 32", "kv_heads: 8", "rope_theta: 500000"]


def test_qwen2_has_biases_on_queries_keys_and_values_alone() -> None:
    assert fields(QWEN2) == ["family: llama", "heads: 28", "kv_heads: 4", "rope_theta: 1000000", "qkv_bias: true"]


def test_qwen2_with_its_window_switched_on_has_it_in_the_last_layers() -> None:
    text = changed(QWEN2, use_sliding_window=True, num_hidden_layers=4, max_window_layers=3, sliding_window=8)
    assert fields(text)[-2:] == [
        "attention: window",
        "windows: [null, null, null, 7]  # sliding_window 8 counts the query's own key; 1 of 4 layers have it",
    ]


def test_qwen3_has_norms_on_queries_and_keys() -> None:
    assert fields(QWEN3) == ["family: llama", "heads: 32", "kv_heads: 8", "rope_theta: 1000000", "qk_norm: rmsnorm"]


def test_qwen3_with_experts_of_a_size_of_their_own() -> None:
    assert fields(QWEN3_MOE)[-4:] == ["experts: 128", "top_k: 8", "expert_hidden: 768", "renormalise: true"]


def test_gemma2_caps_scores_and_logits_and_has_a_window_in_every_other_layer() -> None:
    assert fields(GEMMA2) == [
        "family: llama", "heads: 16", "kv_heads: 8", "head_dim: 256", "activation: gelu", "post_norms: true",
        "tied_embeddings: true", "embedding_scale: 59.86651818838306  # the square root of hidden_size",
        "attention: window",
        "windows: [4095, null]  # sliding_window 4096 counts the query's own key; 21 of 42 layers have it",
        "attention_softcap: 50", "logit_softcap: 30", "format: fp32",
    ]  # fmt: skip


def test_a_scale_of_queries_that_is_no_heads_size_is_said() -> None:
    # Gemma 2 27B: 4608 / 32
    assert "query_scale: 0.08333333333333333  # 1 / sqrt(query_pre_attn_scalar 144)" in fields(
        changed(GEMMA2, query_pre_attn_scalar=144)
    )


def test_gemma3_turns_by_another_base_in_layers_with_a_window() -> None:
    assert fields(GEMMA3) == [
        "family: llama", "heads: 4", "kv_heads: 1", "head_dim: 256", "activation: gelu", "post_norms: true",
        "tied_embeddings: true", "embedding_scale: 33.94112549695428  # the square root of hidden_size",
        "attention: window",
        "windows: [511, 511, 511, 511, 511, null]  "
        "# sliding_window 512 counts the query's own key; 22 of 26 layers have it",
        "qk_norm: rmsnorm", "rope_theta: 1000000", "window_rope_theta: 10000",
    ]  # fmt: skip


def test_gemma3_with_eyes_is_imported_by_its_text_part() -> None:
    whole = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "text_config": json.loads(GEMMA3),
        "vision_config": {"hidden_size": 1152},
        "mm_tokens_per_image": 256,
    }
    got = imported(json.dumps(whole))
    assert got.workload.model.parameters == imported(GEMMA3).workload.model.parameters
    assert "family: llama  # the text part alone" in got.text.splitlines()
    assert got.warnings == ()


def test_phi_reads_one_norm_in_attention_and_hidden_layer() -> None:
    assert fields(PHI) == [
        "family: gpt", "heads: 32", "block: parallel_one_norm", "position: rope", "rotary_dim: 32  # 0.4 of 80",
        "lm_head_bias: true", "tied_embeddings: false", "format: fp16",
    ]  # fmt: skip


def test_phi3_is_a_llama_with_a_window() -> None:
    note = "sliding_window 2047 counts the query's own key"
    assert fields(PHI3) == ["family: llama", "heads: 32", "attention: window", f"window: 2046  # {note}"]


def test_mixtral_sends_each_token_to_two_of_eight_experts() -> None:
    assert fields(MIXTRAL) == [
        "family: llama", "heads: 32", "kv_heads: 8", "experts: 8", "top_k: 2", "renormalise: true",
        "rope_theta: 1000000",
    ]  # fmt: skip


GEMMA3_LAYERS = (["sliding_attention"] * 5 + ["full_attention"]) * 4 + ["sliding_attention"] * 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LLAMA, changed(LLAMA, "rope_theta", "rope_scaling", rope_parameters={"rope_theta": 500000.0})),
        (
            GPT_NEOX,
            changed(
                GPT_NEOX, "rotary_pct", "rotary_emb_base",
                rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25},
            ),
        ),
        (
            PHI,
            changed(
                PHI, "partial_rotary_factor", "rope_theta",
                rope_parameters={"partial_rotary_factor": 0.4, "rope_theta": 10000.0},
            ),
        ),
        (QWEN3_MOE, changed(QWEN3_MOE, "num_experts", num_local_experts=128)),
        (MISTRAL, changed(MISTRAL, "torch_dtype", dtype="bfloat16", head_dim=128)),
        (
            GEMMA3,
            changed(
                GEMMA3, "sliding_window_pattern", "rope_theta", "rope_local_base_freq", layer_types=GEMMA3_LAYERS,
                rope_parameters={
                    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                    "full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                },
            ),
        ),
        (
            GPT2,
            changed(
                GPT2, "n_embd", "n_layer", "n_head", hidden_size=768, num_hidden_layers=12, num_attention_heads=12
            ),
        ),
    ],
    ids=["llama", "gpt_neox", "phi", "qwen3_moe", "mistral", "gemma3", "gpt2"],
)  # fmt: skip
def test_old_names_and_new_ones_say_the_same(old: str, new: str) -> None:
    assert imported(old).text == imported(new).text
    assert imported(new).warnings == ()


def test_what_the_file_leaves_to_its_class_is_said() -> None:
    text = imported(changed(MISTRAL, "sliding_window", "hidden_act")).text
    assert text.splitlines()[1] == (
        "# not in the file, taken from the defaults of its class: hidden_act silu, sliding_window 4096"
    )


def test_what_nobody_knows_is_a_warning_and_what_changes_nothing_is_none() -> None:
    got = imported(changed(MISTRAL, rotary_bend=3, attention_dropout=0.5, rope_scaling={"factor": 2, "bend": 1}))
    assert got.warnings == (
        "config.json: rotary_bend: not known here; it may change the model",
        "config.json: rope_scaling.bend: not known here; it may change the model",
    )


def test_a_file_of_another_head_is_imported_with_a_warning() -> None:
    got = imported(changed(MISTRAL, architectures=["MistralForSequenceClassification"]))
    assert got.warnings == (
        "config.json: architectures: MistralForSequenceClassification: imported with a vocabulary projection in "
        "place of its head",
    )


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("mistralai/Mistral-7B-v0.1", "mistral_7b_v0_1"),
        ("gpt2", "gpt2"),
        ("/models/Qwen3-8B/", "qwen3_8b"),
        ("7B", "model_7b"),
        ("...", "model"),
    ],
)
def test_a_workload_is_called_as_its_model(title: str, name: str) -> None:
    assert imported(GPT2, title).workload.name == name
    assert imported(changed(GPT2, _name_or_path=title)).workload.name == name
