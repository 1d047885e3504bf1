"""Parameters counted again by transformers itself, on the meta device, for published files and changed ones.

Slow, and needs an environment of its own, since torch is large:

    python -m venv hf && hf/bin/pip install '.[import-test]'
    hf/bin/python -m pytest -m slow tests/mapping/importers/test_transformers.py
"""

import json

import pytest

from tests.mapping.importers.configs import (
    GEMMA2,
    GEMMA3,
    GPT2,
    GPT_NEOX,
    LLAMA,
    LONGFORMER,
    MIXTRAL,
    MODERNBERT,
    PHI,
    PUBLISHED,
    QWEN2,
    QWEN3,
    QWEN3_MOE,
    ROBERTA,
    VIT,
    changed,
    imported,
)

transformers = pytest.importorskip("transformers", reason="pip install 'hwsim[import-test]'")
torch = pytest.importorskip("torch")

pytestmark = pytest.mark.slow

CHANGED = {
    "untied GPT-2": changed(GPT2, tie_word_embeddings=False, n_inner=1000),
    "GPT-NeoX in sequence, without biases of attention": changed(
        GPT_NEOX, use_parallel_residual=False, attention_bias=False
    ),
    "Llama with all biases": changed(LLAMA, attention_bias=True, mlp_bias=True, tie_word_embeddings=True),
    "Llama with biases of the hidden layer": changed(LLAMA, mlp_bias=True, head_dim=64),
    "Qwen2 with windows": changed(QWEN2, use_sliding_window=True, max_window_layers=3),
    "Qwen3 with biases": changed(QWEN3, attention_bias=True, head_dim=64),
    "Qwen3 with experts in every other layer": changed(QWEN3_MOE, decoder_sparse_step=2),
    "Gemma 2 with biases": changed(GEMMA2, attention_bias=True),
    "Gemma 3, narrow": changed(GEMMA3, num_hidden_layers=7, sliding_window_pattern=3),
    "Phi with norms of heads": changed(PHI, qk_layernorm=True, num_key_value_heads=8),
    "tied Mixtral": changed(MIXTRAL, tie_word_embeddings=True, num_local_experts=5),
    "RoBERTa with three segments": changed(ROBERTA, type_vocab_size=3, max_position_embeddings=100),
    "ViT on other images": changed(VIT, image_size=[384, 192], qkv_bias=False, num_channels=1),
    "Longformer with windows by layer": changed(LONGFORMER, attention_window=[32, 64] * 6),
    "ModernBERT with biases": changed(MODERNBERT, attention_bias=True, mlp_bias=True, norm_bias=True),
}


def counted(text: str) -> int:
    """Parameters of a workload's class: a decoder with its vocabulary projection, an encoder as base class."""
    fields = json.loads(text)
    config = transformers.AutoConfig.for_model(**{**fields, "architectures": None, "torch_dtype": None})
    causal = any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in fields.get("architectures", ()))
    auto = transformers.AutoModelForCausalLM if causal else transformers.AutoModel
    with torch.device("meta"):
        model = auto.from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("title", PUBLISHED)
def test_published_files(title: str) -> None:
    assert imported(PUBLISHED[title], title).workload.model.parameters == counted(PUBLISHED[title])


@pytest.mark.parametrize("title", CHANGED)
def test_changed_files(title: str) -> None:
    assert imported(CHANGED[title]).workload.model.parameters == counted(CHANGED[title])
