"""Published files without fields that matter to no graph; and helpers of the tests."""

from __future__ import annotations

import json
from typing import Any

from hwsim.mapping.importers.hf import Imported, import_config

# GPT-2 small, openai-community/gpt2
GPT2 = """
{"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256,
 "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
 "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
 "resid_pdrop": 0.1, "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
 "summary_type": "cls_index", "summary_use_proj": true,
 "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}, "vocab_size": 50257}
"""

# EleutherAI/gpt-neox-20b
GPT_NEOX = """
{"architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu_fast",
 "hidden_size": 6144, "initializer_range": 0.02, "intermediate_size": 24576, "layer_norm_eps": 1e-05,
 "max_position_embeddings": 2048, "model_type": "gpt_neox", "num_attention_heads": 64, "num_hidden_layers": 44,
 "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": false, "torch_dtype": "float16",
 "use_cache": true, "vocab_size": 50432}
"""

# meta-llama/Meta-Llama-3.1-8B
LLAMA = """
{"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
 "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
 "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
 "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "pretraining_tp": 1,
 "rms_norm_eps": 1e-05,
 "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                  "original_max_position_embeddings": 8192, "rope_type": "llama3"},
 "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
 "vocab_size": 128256}
"""

# mistralai/Mistral-7B-v0.1
MISTRAL = """
{"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
 "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 32768,
 "model_type": "mistral", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
 "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096, "tie_word_embeddings": false,
 "torch_dtype": "bfloat16", "transformers_version": "4.34.0.dev0", "use_cache": true, "vocab_size": 32000}
"""

# Qwen/Qwen2.5-7B: the file names a window that is switched off
QWEN2 = """
{"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151643,
 "hidden_act": "silu", "hidden_size": 3584, "initializer_range": 0.02, "intermediate_size": 18944,
 "max_position_embeddings": 131072, "max_window_layers": 28, "model_type": "qwen2", "num_attention_heads": 28,
 "num_hidden_layers": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
 "sliding_window": 131072, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
 "use_mrope": false, "use_sliding_window": false, "vocab_size": 152064}
"""

# Qwen/Qwen3-8B
QWEN3 = """
{"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 151643,
 "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
 "intermediate_size": 12288, "max_position_embeddings": 40960, "max_window_layers": 36, "model_type": "qwen3",
 "num_attention_heads": 32, "num_hidden_layers": 36, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
 "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": false,
 "torch_dtype": "bfloat16", "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
 "vocab_size": 151936}
"""

# Qwen/Qwen3-30B-A3B
QWEN3_MOE = """
{"architectures": ["Qwen3MoeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 151643,
 "decoder_sparse_step": 1, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 2048,
 "initializer_range": 0.02, "intermediate_size": 6144, "max_position_embeddings": 40960, "max_window_layers": 48,
 "mlp_only_layers": [], "model_type": "qwen3_moe", "moe_intermediate_size": 768, "norm_topk_prob": true,
 "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48,
 "num_key_value_heads": 4, "output_router_logits": false, "rms_norm_eps": 1e-06, "rope_scaling": null,
 "rope_theta": 1000000.0, "router_aux_loss_coef": 0.001, "sliding_window": null, "tie_word_embeddings": false,
 "torch_dtype": "bfloat16", "use_cache": true, "use_sliding_window": false, "vocab_size": 151936}
"""

# google/gemma-2-9b: queries are scaled by 1 / sqrt(256), the size of a head
GEMMA2 = """
{"architectures": ["Gemma2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
 "attn_logit_softcapping": 50.0, "bos_token_id": 2, "cache_implementation": "hybrid", "eos_token_id": 1,
 "final_logit_softcapping": 30.0, "head_dim": 256, "hidden_act": "gelu_pytorch_tanh",
 "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 3584, "initializer_range": 0.02,
 "intermediate_size": 14336, "max_position_embeddings": 8192, "model_type": "gemma2", "num_attention_heads": 16,
 "num_hidden_layers": 42, "num_key_value_heads": 8, "pad_token_id": 0, "query_pre_attn_scalar": 256,
 "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "sliding_window": 4096, "sliding_window_size": 4096,
 "torch_dtype": "float32", "use_cache": true, "vocab_size": 256000}
"""

# google/gemma-3-1b-pt
GEMMA3 = """
{"architectures": ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
 "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid", "eos_token_id": 1,
 "final_logit_softcapping": null, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152,
 "initializer_range": 0.02, "intermediate_size": 6912, "max_position_embeddings": 32768,
 "model_type": "gemma3_text", "num_attention_heads": 4, "num_hidden_layers": 26, "num_key_value_heads": 1,
 "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_local_base_freq": 10000,
 "rope_scaling": null, "rope_theta": 1000000, "sliding_window": 512, "sliding_window_pattern": 6,
 "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 262144}
"""

# microsoft/phi-2
PHI = """
{"architectures": ["PhiForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 50256, "embd_pdrop": 0.0,
 "eos_token_id": 50256, "hidden_act": "gelu_new", "hidden_size": 2560, "initializer_range": 0.02,
 "intermediate_size": 10240, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048, "model_type": "phi",
 "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32, "partial_rotary_factor": 0.4,
 "qk_layernorm": false, "resid_pdrop": 0.1, "rope_scaling": null, "rope_theta": 10000.0,
 "tie_word_embeddings": false, "torch_dtype": "float16", "use_cache": true, "vocab_size": 51200}
"""

# microsoft/Phi-3-mini-4k-instruct
PHI3 = """
{"architectures": ["Phi3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 1,
 "embd_pdrop": 0.0, "eos_token_id": 32000, "hidden_act": "silu", "hidden_size": 3072, "initializer_range": 0.02,
 "intermediate_size": 8192, "max_position_embeddings": 4096, "model_type": "phi3", "num_attention_heads": 32,
 "num_hidden_layers": 32, "num_key_value_heads": 32, "original_max_position_embeddings": 4096,
 "pad_token_id": 32000, "resid_pdrop": 0.0, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
 "sliding_window": 2047, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
 "vocab_size": 32064}
"""

# mistralai/Mixtral-8x7B-v0.1
MIXTRAL = """
{"architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
 "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
 "max_position_embeddings": 32768, "model_type": "mixtral", "num_attention_heads": 32, "num_experts_per_tok": 2,
 "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
 "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02, "sliding_window": null,
 "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.36.0.dev0",
 "use_cache": true, "vocab_size": 32000}
"""

# google-bert/bert-large-uncased
BERT = """
{"architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false,
 "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 1024, "initializer_range": 0.02,
 "intermediate_size": 4096, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
 "num_attention_heads": 16, "num_hidden_layers": 24, "pad_token_id": 0, "position_embedding_type": "absolute",
 "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522}
"""

# FacebookAI/roberta-base
ROBERTA = """
{"architectures": ["RobertaForMaskedLM"], "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2,
 "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
 "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 514, "model_type": "roberta",
 "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 50265}
"""

# google/vit-base-patch16-224-in21k
VIT = """
{"architectures": ["ViTModel"], "attention_probs_dropout_prob": 0.0, "hidden_act": "gelu",
 "hidden_dropout_prob": 0.0, "hidden_size": 768, "image_size": 224, "initializer_range": 0.02,
 "intermediate_size": 3072, "layer_norm_eps": 1e-12, "model_type": "vit", "num_attention_heads": 12,
 "num_channels": 3, "num_hidden_layers": 12, "patch_size": 16, "qkv_bias": true}
"""

# facebook/deit-tiny-distilled-patch16-224
DEIT = """
{"architectures": ["DeiTForImageClassificationWithTeacher"], "attention_probs_dropout_prob": 0.0,
 "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "hidden_size": 192, "id2label": {"0": "tench, Tinca tinca"},
 "image_size": 224, "initializer_range": 0.02, "intermediate_size": 768, "label2id": {"tench, Tinca tinca": 0},
 "layer_norm_eps": 1e-12, "model_type": "deit", "num_attention_heads": 3, "num_channels": 3,
 "num_hidden_layers": 12, "patch_size": 16, "qkv_bias": true}
"""

# allenai/longformer-base-4096
LONGFORMER = """
{"attention_mode": "longformer", "attention_probs_dropout_prob": 0.1,
 "attention_window": [512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512, 512], "bos_token_id": 0,
 "eos_token_id": 2, "gradient_checkpointing": false, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
 "hidden_size": 768, "ignore_attention_mask": false, "initializer_range": 0.02, "intermediate_size": 3072,
 "layer_norm_eps": 1e-05, "max_position_embeddings": 4098, "model_type": "longformer", "num_attention_heads": 12,
 "num_hidden_layers": 12, "pad_token_id": 1, "sep_token_id": 2, "type_vocab_size": 1, "vocab_size": 50265}
"""

# google/bigbird-roberta-base
BIG_BIRD = """
{"architectures": ["BigBirdForPreTraining"], "attention_probs_dropout_prob": 0.1, "attention_type": "block_sparse",
 "block_size": 64, "bos_token_id": 1, "eos_token_id": 2, "gradient_checkpointing": false, "hidden_act": "gelu_new",
 "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072,
 "layer_norm_eps": 1e-12, "max_position_embeddings": 4096, "model_type": "big_bird", "num_attention_heads": 12,
 "num_hidden_layers": 12, "num_random_blocks": 3, "pad_token_id": 0, "rescale_embeddings": false,
 "sep_token_id": 66, "type_vocab_size": 2, "use_bias": true, "use_cache": true, "vocab_size": 50358}
"""

# answerdotai/ModernBERT-base
MODERNBERT = """
{"architectures": ["ModernBertForMaskedLM"], "attention_bias": false, "attention_dropout": 0.0,
 "bos_token_id": 50281, "classifier_activation": "gelu", "classifier_bias": false, "classifier_dropout": 0.0,
 "classifier_pooling": "mean", "cls_token_id": 50281, "decoder_bias": true, "deterministic_flash_attn": false,
 "embedding_dropout": 0.0, "eos_token_id": 50282, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
 "gradient_checkpointing": false, "hidden_activation": "gelu", "hidden_size": 768,
 "initializer_cutoff_factor": 2.0, "initializer_range": 0.02, "intermediate_size": 1152, "layer_norm_eps": 1e-05,
 "local_attention": 128, "local_rope_theta": 10000.0, "max_position_embeddings": 8192, "mlp_bias": false,
 "mlp_dropout": 0.0, "model_type": "modernbert", "norm_bias": false, "norm_eps": 1e-05, "num_attention_heads": 12,
 "num_hidden_layers": 22, "pad_token_id": 50283, "position_embedding_type": "absolute", "reference_compile": null,
 "repad_logits_with_grad": false, "sep_token_id": 50282, "sparse_pred_ignore_index": -100,
 "sparse_prediction": false, "tie_word_embeddings": true, "torch_dtype": "float32", "vocab_size": 50368}
"""

DECODERS = {
    "gpt2": GPT2,
    "gpt-neox-20b": GPT_NEOX,
    "Llama-3.1-8B": LLAMA,
    "Mistral-7B-v0.1": MISTRAL,
    "Qwen2.5-7B": QWEN2,
    "Qwen3-8B": QWEN3,
    "Qwen3-30B-A3B": QWEN3_MOE,
    "gemma-2-9b": GEMMA2,
    "gemma-3-1b-pt": GEMMA3,
    "phi-2": PHI,
    "Phi-3-mini-4k-instruct": PHI3,
    "Mixtral-8x7B-v0.1": MIXTRAL,
}

ENCODERS = {
    "bert-large-uncased": BERT,
    "roberta-base": ROBERTA,
    "vit-base-patch16-224-in21k": VIT,
    "deit-tiny-distilled-patch16-224": DEIT,
    "longformer-base-4096": LONGFORMER,
    "bigbird-roberta-base": BIG_BIRD,
    "ModernBERT-base": MODERNBERT,
}

PUBLISHED = {**DECODERS, **ENCODERS}


def imported(config: str, title: str = "model", **options: Any) -> Imported:
    return import_config(config, origin="config.json", title=title, **options)


def changed(config: str, /, *left_out: str, **fields: Any) -> str:
    """A file with some fields left out and others replaced."""
    kept = {name: value for name, value in json.loads(config).items() if name not in left_out}
    return json.dumps({**kept, **fields})
