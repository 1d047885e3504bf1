"""Fields of a `config.json` that every family may have: those that change no graph, those that nothing here can say."""

from __future__ import annotations

from hwsim.mapping.importers.hf.config import Config

# Fields that change no graph, by what they are for.
NO_MATTER = {
    "the file itself": "architectures model_type _name_or_path name_or_path transformers_version _commit_hash auto_map "
    "license torch_dtype dtype",
    "training": "initializer_range initializer_factor initializer_cutoff_factor pretraining_tp gradient_checkpointing "
    "resid_pdrop embd_pdrop attn_pdrop attention_dropout attention_probs_dropout_prob hidden_dropout "
    "hidden_dropout_prob classifier_dropout classifier_dropout_prob embedding_dropout embed_dropout mlp_dropout "
    "residual_dropout router_aux_loss_coef router_jitter_noise sparse_prediction sparse_pred_ignore_index",
    "small constants": "layer_norm_epsilon layer_norm_eps rms_norm_eps norm_eps",
    "angles, which are tables": "original_max_position_embeddings use_mrope",
    "how transformers computes it": "use_cache cache_implementation attn_implementation _attn_implementation "
    "_attn_implementation_internal _experts_implementation_internal torchscript use_bfloat16 reorder_and_upcast_attn "
    "deterministic_flash_attn reference_compile repad_logits_with_grad onnx_export use_flash_attn flash_attn "
    "fused_dense fused_linear ignore_attention_mask is_decoder",
    "what a pass returns": "output_attentions output_hidden_states output_scores output_past return_dict "
    "return_dict_in_generate output_router_logits",
    "tokens with a meaning": "bos_token_id eos_token_id pad_token_id sep_token_id cls_token_id mask_token_id "
    "unk_token_id decoder_start_token_id image_token_index boi_token_index eoi_token_index forced_bos_token_id "
    "forced_eos_token_id tokenizer_class prefix",
    "heads for other tasks": "id2label label2id num_labels problem_type finetuning_task task_specific_params "
    "summary_type summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout classifier_pooling "
    "classifier_bias classifier_activation decoder_bias encoder_stride",
    "generation": "max_length min_length do_sample num_beams num_beam_groups diversity_penalty temperature top_k top_p "
    "typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids "
    "num_return_sequences early_stopping exponential_decay_length_penalty remove_invalid_values tf_legacy_loss "
    "suppress_tokens begin_suppress_tokens",
}
NO_MATTER_NAMES = frozenset(name for names in NO_MATTER.values() for name in names.split())

# Fields that say something which nothing here can, unless they hold what leaves them out of use.
UNSUPPORTED = {
    "quantization_config": "quantised weights are not imported; import the model before quantisation "
    "and set the workload's format",
    "compression_config": "compressed weights are not imported; import the model before compression",
    "add_cross_attention": "attention over another sequence is not imported",
    "is_encoder_decoder": "models of an encoder and a decoder are not imported",
    "cross_attention_hidden_size": "attention over another sequence is not imported",
    "tie_encoder_decoder": "models of an encoder and a decoder are not imported",
    "chunk_size_feed_forward": "a hidden layer in chunks is not imported",
    "pruned_heads": "heads left out of some layers are not imported",
}
HARMLESS: tuple[object, ...] = (None, False, 0, {})


def refuse_unsupported(config: Config) -> None:
    """Check that no field changes the graph in a way that nothing here can say.

    Raises
    ------
    ConfigError : the first that does
    """
    for name, why in UNSUPPORTED.items():
        config.refuse(name, why, harmless=HARMLESS)


def unknown_fields(config: Config) -> tuple[str, ...]:
    """Fields that nobody asked for and that are not known to leave the graph alone."""
    known = config.asked | NO_MATTER_NAMES | UNSUPPORTED.keys()
    here = tuple(f"{config.place}{name}" for name in config.fields if name not in known)
    return here + tuple(name for group in config.groups.values() for name in unknown_fields(group))
