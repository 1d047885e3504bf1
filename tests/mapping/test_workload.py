"""Workload files: their content, and one clear line for each kind of mistake."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwsim.mapping.errors import UserError, WorkloadError
from hwsim.mapping.models import MODELS, build_graph
from hwsim.mapping.step import Step
from hwsim.mapping.workload.load import check_workload, field_names, json_schema, load_workload
from hwsim.shipped import shipped_workloads, workloads_folder
from tests.mapping.workloads import tiny

SHIPPED = shipped_workloads()
LONG_TEXTS = ("longformer_base_4096", "bigbird_base_4096", "modernbert_base", "modernbert_large")


def test_the_eight_models_of_the_paper_have_their_parameter_counts() -> None:
    # closed forms: (V + n_ctx) d + L (12 d^2 + 13 d) + 2 d, and the blocks' matrices 12 L d^2
    counts = {name: load_workload(path).model.parameters for name, path in SHIPPED.items() if name.startswith("gpt")}
    assert counts == {
        "gpt2": 124_439_808,
        "gpt2_large": 774_030_080,
        "gpt2_medium": 354_823_168,
        "gpt2_xl": 1_557_611_200,
        "gpt3_large": 760_300_032,
        "gpt3_medium": 355_871_744,
        "gpt3_small": 125_226_240,
        "gpt3_xl": 1_315_723_264,
    }
    blocks = {name: round(load_workload(SHIPPED[name]).model.block_weights / 1e6, 1) for name in counts}
    assert blocks["gpt2"] == blocks["gpt3_small"] == 84.9
    assert (blocks["gpt2_xl"], blocks["gpt3_xl"], blocks["gpt3_large"]) == (1474.6, 1208.0, 679.5)


def test_llamas_have_their_published_parameter_counts() -> None:
    counts = {name: load_workload(path).model.parameters for name, path in SHIPPED.items() if name.startswith("llama")}
    assert counts == {"llama2_7b": 6_738_415_616, "llama3_8b": 8_030_261_248}


def test_shipped_encoders_have_their_counts() -> None:
    shipped = {name: load_workload(SHIPPED[name]) for name in ("bert_large", "vit_base")}
    assert {name: workload.model.parameters for name, workload in shipped.items()} == {
        "bert_large": 335_141_888,
        "vit_base": 86_567_656,
    }
    macs = {name: workload.model.macs(workload.run.last_step(workload.model)) for name, workload in shipped.items()}
    assert macs == {"bert_large": 167_504_773_120, "vit_base": 17_563_828_224}


def test_shipped_vits_have_their_published_work() -> None:
    # m3vit_tiny as Edge-MoE's source has it; 31.71 and 39.11 GMAC of M3ViT are without the gates, which are 37.7 and
    # 44.2 M
    shipped = {name: load_workload(path) for name, path in SHIPPED.items() if "vit" in name or "deit" in name}
    assert {name: (w.model.tokens, w.model.macs(w.run.last_step(w.model))) for name, w in shipped.items()} == {
        "m3vit_tiny": (129, 782_719_488),
        "m3vit_small_pascal": (1024, 31_708_938_240 + 37_748_736),
        "m3vit_small_pascal_top2": (1024, 31_708_938_240 + 37_748_736),
        "m3vit_small_nyud": (1200, 39_105_331_200 + 44_236_800),
        "vit_small_pascal": (1024, 31_708_938_240),
        "vit_tiny": (197, 1_253_683_200),
        "vit_small": (197, 4_598_882_304),
        "vit_base": (197, 17_563_828_224),
        "deit_tiny": (197, 1_253_683_200),
    }
    assert {
        name: round(shipped[name].model.parameters / 1e6, 2) for name in ("deit_tiny", "vit_small", "vit_base")
    } == {
        "deit_tiny": 5.72,
        "vit_small": 22.05,
        "vit_base": 86.57,
    }


def test_shipped_encoders_of_long_texts_have_their_counts() -> None:
    # BigBird and ModernBERT as transformers counts them; Longformer's class defaults have another vocabulary
    shipped = {name: load_workload(SHIPPED[name]) for name in LONG_TEXTS}
    assert {name: (w.model.parameters, w.run.tokens) for name, w in shipped.items()} == {
        "longformer_base_4096": (148_659_456, 4096),
        "bigbird_base_4096": (127_468_800, 4096),
        "modernbert_base": (149_014_272, 8192),
        "modernbert_large": (394_781_696, 8192),
    }
    for w in shipped.values():
        step, graph = w.run.last_step(w.model), build_graph(w)
        assert (w.model.parameters, w.model.macs(step)) == (graph.parameters, graph.totals(step).macs)
        assert (w.machine, w.model.format) == ("swat", "fp16")


def test_longformers_work_is_in_its_matrices() -> None:
    longformer = load_workload(SHIPPED["longformer_base_4096"])
    step, graph = longformer.run.last_step(longformer.model), build_graph(longformer)
    in_matrices = sum(op.macs(step) for op in graph.operators if op.role in ("q", "k", "v", "proj", "ffn1", "ffn2"))
    windows = sum(op.macs(step) for op in graph.operators if op.name.endswith(".attention"))
    assert in_matrices == 347_892_350_976  # 348 G
    # a window of 513 keys for every token would be 38.7 G, all keys 309 G; both ends of the sequence see fewer, and the
    # class token is seen by all
    assert (12 * 2 * 768 * 4096 * 513, 12 * 2 * 768 * 4096**2) == (38_730_203_136, 309_237_645_312)
    pairs = 4096 * 513 - 256 * 257 + (4096 - 257)
    assert windows == 12 * 2 * 768 * pairs == 37_588_285_440
    of_global_token = longformer.model.macs(step) - in_matrices - windows - 768**2
    assert of_global_token == 12 * ((2 * 4096 + 1) * 768**2 + 2 * 768 * 4096)  # keys and values of all tokens, mostly


def test_swats_cores_hold_a_row_of_bigbird() -> None:
    pattern = load_workload(SHIPPED["bigbird_base_4096"]).model.pattern_of(0)
    inner = pattern.keys_of(2000, 4096)
    assert sum(last - first for first, last in inner) == 192 + 192 + 128  # window, random, first and last block


def test_every_third_layer_of_modernbert_sees_all_tokens() -> None:
    for name, full in (("modernbert_base", 8), ("modernbert_large", 10)):
        model = load_workload(SHIPPED[name]).model
        patterns = [str(model.pattern_of(layer)) for layer in range(model.layers)]
        assert [layer for layer, pattern in enumerate(patterns) if pattern == "full"] == list(range(0, model.layers, 3))
        assert patterns.count("full") == full
        assert patterns.count("window(64, 64)") == model.layers - full


def test_m3vits_tasks_are_those_of_their_data_sets() -> None:
    tasks = {name: load_workload(SHIPPED[name]).model.task_names for name in SHIPPED if name.startswith("m3vit")}
    assert tasks["m3vit_tiny"] == ("segmentation", "depth")
    assert tasks["m3vit_small_pascal"] == ("segmentation", "human_parts", "saliency", "normals", "edges")
    assert tasks["m3vit_small_nyud"] == ("segmentation", "depth", "normals", "edges")


def test_a_family_gives_the_usual_form_and_fields_change_it() -> None:
    llama = tiny(family="llama", d_ff=96).model
    assert (llama.norm, llama.position, llama.mlp, llama.activation, llama.bias) == (
        "rmsnorm", "rope", "gated", "silu", False,
    )  # fmt: skip
    assert (llama.key_heads, tiny(family="llama", d_ff=96, kv_heads=1).model.key_heads) == (2, 1)
    assert tiny(family="llama", mlp="plain", bias=True).model.ff_size == 256


def test_shipped_files_are_named_as_they_call_themselves() -> None:
    assert all(load_workload(path).name == name for name, path in SHIPPED.items())


def test_the_exported_schema_is_current() -> None:
    # after a change: python -m hwsim.mapping.export_schema
    assert json.loads((workloads_folder() / "schema.json").read_text()) == json_schema()


def test_a_prompt_precedes_the_generated_tokens() -> None:
    steps = list(tiny(prompt=2, tokens=2, batch=3).steps())
    # the prompt's tokens give no result
    assert steps == [
        *(Step(queries=1, context=context, batch=3, results=0) for context in (1, 2)),
        *(Step(queries=1, context=context, batch=3) for context in (3, 4)),
    ]


def test_a_filled_cache_lengthens_every_context() -> None:
    steps = list(tiny(past=5, prompt=1, tokens=2).steps())
    assert steps == [
        Step(queries=1, context=6, results=0),
        Step(queries=1, context=7),
        Step(queries=1, context=8),
    ]


def test_a_prompt_can_go_several_tokens_at_a_time() -> None:
    steps = [(s.queries, s.context, s.outputs) for s in tiny(phase="prefill", prompt=5).steps(2)]
    assert steps == [(2, 2, 0), (2, 4, 0), (1, 5, 1)]  # only the last token gives a result


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"heads": 3}, "d_model 64 is not divisible by 3 heads; choose another number of heads or give head_dim"),
        ({"layers": -3}, "layers: input should be greater than or equal to 1, got -3"),
        ({"layers": 10**30}, "layers: input should be less than or equal to 10000, got 1" + 30 * "0"),
        ({"layers": "twelve"}, "layers: input should be a valid integer, got 'twelve'"),
        (
            {"tokens": 5000},
            "a context of 5000 tokens is longer than n_ctx 4096; set it with --set workload.n_ctx=5000",
        ),
        ({"format": "bf17"}, "format: no number format 'bf17'"),
        ({"attention": "full"}, "decoding token by token needs a causal attention, got full"),
        ({"attention": "window"}, "window goes with attention: window"),
        ({"phase": "prefill"}, "prefill needs a prompt of at least 1 token"),
        ({"tokens": 0}, "decode needs at least 1 token to generate"),
        ({"layer": 3}, "no field 'layer'; nearest: layers"),
        ({"family": "rnn"}, f"family: expected one of {', '.join(MODELS)}, got 'rnn'"),
        ({"kv_heads": 4}, "2 heads do not share 4 kv_heads evenly"),
        ({"kv_heads": 0}, "kv_heads: input should be greater than or equal to 1, got 0"),
        (
            {"position": "rope", "head_dim": 7},
            "rope rotates pairs of elements, but a head has 7; give an even head_dim",
        ),
        ({"rope_theta": 500_000}, "rope_theta goes with position: rope, and with no other"),
        ({"mlp": "gated"}, "a gated mlp has no usual hidden size; give d_ff"),
        ({"norm": "batch"}, "norm: input should be 'layernorm' or 'rmsnorm', got 'batch'"),
        ({"lm_head": "moon"}, "lm_head: input should be 'excluded' or 'included', got 'moon'"),
        (
            {"lm_head": "host"},
            "lm_head: expected excluded or included, got 'host'; where it runs is a parameter of the machine that has "
            "a choice (--set lm_head=host)",
        ),
        ({"name": "Not Snake"}, "name: string should match pattern"),
    ],
)
def test_a_wrong_field_is_one_line_that_names_it(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        tiny(**fields)
    assert str(caught.value).startswith(f"tiny: {message}")
    assert "\n" not in str(caught.value)


def test_heads_need_not_divide_with_an_explicit_head_size() -> None:
    assert tiny(heads=3, head_dim=24).model.head_size == 24


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [1, 2", "w.yaml:1:12: YAML syntax: "),
        ("layers: 3\nlayers: 4", "w.yaml:1:1: YAML syntax: a key is given twice"),
        ("- a list", "w.yaml: expected a mapping of names to values, found list"),
        ("", "w.yaml: expected a mapping of names to values, found NoneType"),
        ("a: &a [*a]", "w.yaml: "),
        ("? [1, 2]\n: 3", "w.yaml:1:3: YAML syntax: found unhashable key"),
        ("12: 3", "w.yaml: expected names as keys, found 12"),
        ("2001-99-99: 1", "w.yaml: YAML syntax: "),
    ],
)
def test_a_file_that_is_no_mapping_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(text)
    with pytest.raises(WorkloadError) as caught:
        load_workload(file)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


def test_missing_unreadable_and_binary_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="no such file"):
        load_workload(tmp_path / "nowhere.yaml")
    with pytest.raises(WorkloadError, match="is a folder"):
        load_workload(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkloadError, match="not UTF-8"):
        load_workload(tmp_path / "binary.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(WorkloadError, match="larger than"):
        load_workload(tmp_path / "huge.yaml")


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_workload_or_one_line(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_bytes(data)
    _load_or_complain(file)


yaml_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(field_names())), yaml_values, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_give_a_workload_or_one_line(tmp_path: Path, changes: dict[str, Any]) -> None:
    file = tmp_path / "fuzz.yaml"
    document = yaml.safe_load(SHIPPED["gpt2"].read_text())
    file.write_text(yaml.safe_dump({**document, **changes}))
    _load_or_complain(file)


def _load_or_complain(file: Path) -> None:
    complaint = ""
    try:
        load_workload(file)
    except UserError as cause:
        complaint = str(cause)
    assert "\n" not in complaint
    assert complaint.startswith(str(file) if complaint else "")


def test_a_batch_larger_than_the_run_is_refused_not_cut() -> None:
    sizes = {"family": "bert", "d_model": 64, "heads": 2, "layers": 1, "vocab": 100, "n_ctx": 64, "tokens": 8}
    document = {"name": "small", "provenance": {"grade": "A", "source": "a test"}, **sizes}
    with pytest.raises(WorkloadError, match="batch 8 is more than the 1 sequences of the run; set sequences too, to 8"):
        check_workload({**document, "batch": 8}, origin="small")
    steps = list(check_workload({**document, "batch": 8, "sequences": 20}, origin="small").steps())
    assert [step.batch for step in steps] == [8, 8, 4]
