"""Encoders' files as workloads: their text, with old and new field names."""

import pytest

from hwsim.mapping.errors import ConfigError
from tests.mapping.importers.configs import (
    BERT,
    BIG_BIRD,
    DEIT,
    LONGFORMER,
    MODERNBERT,
    ROBERTA,
    VIT,
    changed,
    imported,
)


def fields(config: str) -> list[str]:
    """The lines of a workload's file without its name and its source."""
    lines = imported(config).text.splitlines()
    return [line for line in lines if not line.startswith(("#", "name", "provenance", " "))]


def test_bert_is_imported_as_its_base_class() -> None:
    assert imported(BERT, "bert-large-uncased").text.splitlines() == [
        "# imported by `hwsim import hf` from a file of BertForMaskedLM",
        "# the base class, without the head of a task",
        "name: bert_large_uncased",
        "family: bert",
        "layers: 24",
        "d_model: 1024",
        "heads: 16",
        "d_ff: 4096",
        "vocab: 30522",
        "n_ctx: 512",
        "tokens: 512",
        "provenance:",
        "  grade: S",
        "  source: config.json of bert-large-uncased",
    ]


def test_robertas_positions_begin_after_that_of_padding() -> None:
    assert fields(ROBERTA)[-5:-1] == [
        "vocab: 50265",
        "segments: 1",
        "n_ctx: 512  # max_position_embeddings 514 begin with 2 that no token has",
        "position_offset: 2",
    ]


def test_vit_and_deit_end_with_the_pooler() -> None:
    assert fields(VIT) == ["family: vit", "layers: 12", "d_model: 768", "heads: 12", "d_ff: 3072", "pooler: true"]
    assert fields(DEIT)[-2:] == ["pooler: true", "distillation_token: true"]


def test_images_need_not_be_square() -> None:
    assert {"image_height: 384", "image_width: 192"} <= set(fields(changed(VIT, image_size=[384, 192])))


def test_longformer_has_a_window_and_a_global_token() -> None:
    assert fields(LONGFORMER)[-5:] == [
        "n_ctx: 4096  # max_position_embeddings 4098 begin with 2 that no token has",
        "position_offset: 2",
        "patterns: ['window(256, 256)']",
        "global_tokens: 1  # as many as a task has; of them the class token always",
        "tokens: 4096",
    ]


def test_longformers_windows_may_differ_by_layer() -> None:
    text = changed(LONGFORMER, attention_window=[32, 64] * 6)
    assert "patterns: ['window(16, 16)', 'window(32, 32)']" in fields(text)


def test_big_bird_sees_blocks_nearby_random_ones_and_the_outermost() -> None:
    assert fields(BIG_BIRD)[4:] == [
        "d_ff: 3072",
        "activation: gelu",
        "vocab: 50358",
        "n_ctx: 4096",
        "patterns: ['block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)']"
        "  # as in the paper; transformers draws in training alone",
        "tokens: 4096",
    ]


def test_big_birds_class_has_an_activation_of_its_own() -> None:
    assert fields(changed(BIG_BIRD, "hidden_act")) == fields(BIG_BIRD)


def test_big_bird_may_see_everything() -> None:
    assert "patterns: [full]" in fields(changed(BIG_BIRD, attention_type="original_full"))


def test_modernbert_is_the_family_as_it_is() -> None:
    assert fields(MODERNBERT) == [
        "family: modernbert", "layers: 22", "d_model: 768", "heads: 12", "d_ff: 1152", "vocab: 50368", "n_ctx: 8192",
        "format: fp32", "tokens: 8192",
    ]  # fmt: skip


def test_modernberts_old_names_and_new_ones_say_the_same() -> None:
    old = ("global_attn_every_n_layers", "global_rope_theta", "local_rope_theta")
    types = ["sliding_attention" if layer % 2 else "full_attention" for layer in range(22)]
    rope = {"full_attention": {"rope_theta": 5e5}, "sliding_attention": {"rope_theta": 1e3}}
    new = changed(MODERNBERT, *old, layer_types=types, rope_parameters=rope)
    assert {
        "patterns: [full, 'window(64, 64)']  # half of local_attention 128 to each side",
        "rope_thetas: [500000, 1000]",
    } <= set(fields(new))
    assert fields(
        changed(MODERNBERT, global_attn_every_n_layers=2, global_rope_theta=5e5, local_rope_theta=1e3)
    ) == fields(new)


def test_an_images_tokens_are_its_patches() -> None:
    with pytest.raises(ConfigError, match=r"config\.json: --tokens 5: the patches of an image are its tokens"):
        imported(VIT, tokens=5)


def test_an_encoder_takes_as_many_tokens_as_it_may_unless_told_otherwise() -> None:
    assert (imported(BERT).workload.run.tokens, imported(BERT, tokens=128).workload.run.tokens) == (512, 128)
