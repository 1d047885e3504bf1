"""Files that cannot be imported: one clear line each."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import UserError
from hwsim.mapping.importers.hf import import_file
from tests.mapping.importers.configs import (
    BERT,
    BIG_BIRD,
    GEMMA3,
    GPT2,
    GPT_NEOX,
    LLAMA,
    LONGFORMER,
    MISTRAL,
    MIXTRAL,
    MODERNBERT,
    PHI,
    PUBLISHED,
    QWEN3,
    QWEN3_MOE,
    ROBERTA,
    VIT,
    changed,
    imported,
)


def complaint(config: str) -> str:
    with pytest.raises(UserError) as caught:
        imported(config)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("config.json:")
    return str(caught.value).removeprefix("config.json:").strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: not JSON: Expecting value"),
        ("{", "1:2: not JSON: Expecting property name enclosed in double quotes"),
        ("[1, 2]", "expected an object of fields, found [1, 2]"),
        ('{"model_type": "gpt2", "model_type": "bert"}', "not JSON that can be read: 'model_type' is given twice"),
        ("[" * 100_000, "not JSON that can be read: "),
        ('{"n_layer": ' + "9" * 5_000 + "}", "not JSON that can be read: "),
        ("{}", "model_type: this field is missing, and so is architectures"),
    ],
)
def test_what_is_no_configuration(text: str, message: str) -> None:
    assert complaint(text).startswith(message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "mistrall"}, "model_type: no importer for 'mistrall'; nearest: mistral, mixtral"),
        ({"model_type": 3}, "model_type: expected text, found 3"),
        ({"architectures": ["BertModel"]}, "architectures: BertModel is no class of model_type mistral"),
        ({"architectures": "MistralModel"}, 'architectures: expected a list of texts, found "MistralModel"'),
        (
            {"num_attention_heads": 30},
            "num_attention_heads: 30 heads do not divide hidden_size 4096, and there is no head_dim",
        ),
        ({"num_key_value_heads": 5}, "num_key_value_heads: 5 do not divide num_attention_heads 32"),
        ({"num_hidden_layers": 0}, "num_hidden_layers: expected a whole number from 1 to 10000, found 0"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers: expected a whole number from 1 to 10000, found 1000000000"),
        ({"hidden_size": 4096.5}, "hidden_size: expected a whole number from 1 to 1000000000, found 4096.5"),
        ({"hidden_size": "4096"}, 'hidden_size: expected a whole number from 1 to 1000000000, found "4096"'),
        ({"hidden_size": True}, "hidden_size: expected a whole number from 1 to 1000000000, found true"),
        ({"hidden_size": None}, "hidden_size: this field is missing (also known as n_embd)"),
        ({"hidden_size": 10**40}, "hidden_size: expected a whole number from 1 to 1000000000, found 1" + "0" * 40),
        ({"vocab_size": 10**9}, "vocab: input should be less than or equal to 100000000, got 1000000000"),
        ({"hidden_act": "selu"}, "hidden_act: no activation 'selu' here; nearest: silu, relu, gelu"),
        ({"rope_theta": -1}, "rope_theta: expected a number above 0, found -1"),
        ({"rope_theta": float("nan")}, "rope_theta: expected a number above 0, found NaN"),
        (
            {"rope_parameters": {"rope_theta": 5e5}},
            "rope_theta: 10000 contradicts rope_parameters.rope_theta, which is 500000",
        ),
        (
            {"rope_scaling": {"rope_type": "bent"}},
            "rope_scaling.rope_type: no way 'bent' to stretch positions is known here",
        ),
        ({"rope_scaling": "linear"}, 'rope_scaling: expected an object of fields, found "linear"'),
        (
            {"rope_scaling": {"factor": 2}, "rope_parameters": {"factor": 3}},
            "rope_scaling: contradicts rope_parameters, which has it now",
        ),
        (
            {"rope_parameters": {"full_attention": {}}},
            "rope_parameters: one for each layer type, which this family has not",
        ),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor: 0.5: heads of this family turn as a whole"),
        ({"layer_types": ["full_attention"]}, "layer_types: 1 of them for num_hidden_layers 32"),
        (
            {"layer_types": ["linear_attention"] * 32},
            "layer_types: expected full_attention or sliding_attention, found 'linear_attention'",
        ),
        (
            {"layer_types": ["sliding_attention"] * 32, "sliding_window": None},
            "layer_types: 32 layers have a window, but sliding_window is null or off",
        ),
        ({"torch_dtype": "int8"}, "dtype: expected one of bfloat16, float16, float32, found 'int8'"),
        ({"dtype": "float16"}, 'torch_dtype: "bfloat16" contradicts dtype, which is "float16"'),
        ({"tie_word_embeddings": "no"}, 'tie_word_embeddings: expected true or false, found "no"'),
        (
            {"quantization_config": {"bits": 4}},
            'quantization_config: {"bits": 4}: quantised weights are not imported; import the model before '
            "quantisation and set the workload's format",
        ),
        ({"is_encoder_decoder": True}, "is_encoder_decoder: true: models of an encoder and a decoder are not imported"),
    ],
)
def test_fields_that_are_wrong_or_contradict_each_other(fields: dict[str, Any], message: str) -> None:
    assert complaint(changed(MISTRAL, **fields)) == message


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            changed(GPT2, n_head=5),
            "num_attention_heads: 5 heads do not divide hidden_size 768, and there is no head_dim",
        ),
        (changed(GPT2, n_ctx=512), "n_ctx: 512 contradicts n_positions, which is 1024"),
        (changed(GPT2, hidden_size=1024), "n_embd: 768 contradicts hidden_size, which is 1024"),
        (
            changed(GPT2, scale_attn_by_inverse_layer_idx=True),
            "scale_attn_by_inverse_layer_idx: true: a scale of the scores that depends on the layer is not imported",
        ),
        (
            changed(BERT, position_embedding_type="relative_key"),
            'position_embedding_type: "relative_key": other than learned positions are not imported',
        ),
        (changed(BERT, is_decoder=True), "is_decoder: true: an encoder that decodes is not imported"),
        (
            changed(ROBERTA, max_position_embeddings=2),
            "max_position_embeddings: 2 positions, of which the first 2 are padding's",
        ),
        (changed(VIT, image_size=225), "patches of 16 pixels do not divide image_height 225"),
        (
            changed(VIT, image_size=[224, 224, 3]),
            "image_size: expected a whole number or a list of 2, found [224, 224, 3]",
        ),
        (changed(VIT, patch_size=[16, 8]), "patch_size: 16 x 8: other than square patches are not imported"),
        (changed(VIT, pooler_act="relu"), 'pooler_act: "relu": a pooler of another form is not imported'),
        (
            changed(LONGFORMER, attention_window=[512, 511]),
            "attention_window: expected a whole number or a list of 12, found [512, 511]",
        ),
        (
            changed(LONGFORMER, attention_window=511),
            "attention_window: expected even numbers, half of it to each side, found 511",
        ),
        (
            changed(BIG_BIRD, use_bias=False),
            "use_bias: false: queries, keys and values without biases are not imported",
        ),
        (
            changed(BIG_BIRD, attention_type="dense"),
            "attention_type: expected block_sparse or original_full, found 'dense'",
        ),
        (
            changed(MODERNBERT, mlp_bias=True),
            "mlp_bias: true, and attention_bias is not; one of them alone is not imported",
        ),
        (changed(MODERNBERT, layer_types=["full_attention"] * 3), "layer_types: 3 of them for num_hidden_layers 22"),
        (
            changed(MODERNBERT, rope_parameters={"full_attention": {"rope_theta": 5.0}}),
            "global_rope_theta: 160000 contradicts rope_parameters.full_attention.rope_theta, which is 5",
        ),
        (
            changed(GPT2, add_cross_attention=True),
            "add_cross_attention: true: attention over another sequence is not imported",
        ),
        (changed(GPT_NEOX, rotary_pct=1.5), "rotary_pct: expected a share of a head, at most 1, found 1.5"),
        (
            changed(GPT_NEOX, rotary_pct=0.24),
            "rope rotates pairs of elements, but rotary_dim is 23; give an even rotary_dim",
        ),
        (
            changed(PHI, rope_parameters={"partial_rotary_factor": 0.5}),
            "partial_rotary_factor: 0.4 contradicts rope_parameters.partial_rotary_factor, which is 0.5",
        ),
        (
            changed(QWEN3, layer_types=["sliding_attention"] * 36, sliding_window=64),
            "layer_types: 36 layers have a window, but sliding_window is null or off",
        ),
        (changed(MIXTRAL, num_experts_per_tok=9), "num_experts_per_tok: 9 of 8 experts"),
        (changed(MIXTRAL, num_experts=16), "num_experts: 16 contradicts num_local_experts, which is 8"),
        (
            changed(QWEN3_MOE, mlp_only_layers=[0]),
            "mlp_only_layers: [0]: layers of a list without experts are not imported",
        ),
        (
            changed(GEMMA3, use_bidirectional_attention=True),
            "use_bidirectional_attention: true: attention to later tokens is not imported",
        ),
        (
            changed(GEMMA3, rope_parameters={"sliding_attention": {"rope_theta": 5.0}}),
            "rope_local_base_freq: 10000 contradicts rope_parameters.sliding_attention.rope_theta, which is 5",
        ),
        ('{"model_type": "gemma3"}', "text_config: this field is missing, and with it the model's text part"),
        (
            json.dumps({"model_type": "gemma3", "text_config": {"tie_word_embeddings": False}}),
            "tie_word_embeddings: true contradicts text_config.tie_word_embeddings",
        ),
        (
            '{"architectures": ["MistrelForCausalLM"]}',
            "architectures: no importer for MistrelForCausalLM; nearest: mistral, mixtral, vit",
        ),
    ],
)
def test_what_families_refuse(config: str, message: str) -> None:
    assert complaint(config) == message


def test_a_file_without_a_model_type_goes_by_its_class() -> None:
    assert imported(changed(LLAMA, "model_type")).text == imported(LLAMA).text


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    binary, nowhere = tmp_path / "binary.json", tmp_path / "nowhere.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, message in (
        (binary, "not UTF-8 text, expected JSON"),
        (nowhere, "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        with pytest.raises(UserError) as caught:
            import_file(path)
        assert str(caught.value) == f"{path}: {message}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)


@given(data=st.data())
def test_any_values_of_a_file_give_a_workload_or_a_users_error(data: st.DataObject) -> None:
    config = PUBLISHED[data.draw(st.sampled_from(sorted(PUBLISHED)))]
    names = sorted(json.loads(config))
    changes = data.draw(st.dictionaries(st.sampled_from(names), json_values, max_size=3))
    with contextlib.suppress(UserError):
        imported(changed(config, **changes))


@given(text=st.text(max_size=80))
def test_any_text_is_refused_with_one_line(text: str) -> None:
    complaint(text)


def test_numbers_longer_than_python_prints_are_one_line() -> None:
    limit = sys.get_int_max_str_digits()
    assert complaint('{"model_type": "gpt2", "n_layer": ' + "9" * (limit + 1) + "}").startswith("not JSON")
