"""Families: parameters and work in closed form equal those of their graphs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.mapping.errors import MappingError
from hwsim.mapping.models import MODELS, build_graph
from hwsim.mapping.parallel import Split
from hwsim.mapping.passes.split_attention import split_attention
from tests.mapping.families import (
    SMALL,
    hat_fields,
    long_context_fields,
    moe_vit_fields,
    swin_fields,
    text_fields,
    vit_fields,
    workload,
)

GENERATED = st.one_of(
    text_fields().map(lambda fields: ("bert", fields)),
    long_context_fields().map(lambda fields: ("long_context", fields)),
    long_context_fields().map(lambda fields: ("modernbert", fields)),
    hat_fields().map(lambda fields: ("hat", fields)),
    vit_fields().map(lambda fields: ("vit", fields)),
    moe_vit_fields().map(lambda fields: ("moe_vit", fields)),
    swin_fields().map(lambda fields: ("swin", fields)),
)


@given(generated=GENERATED)
def test_closed_forms_are_the_sums_over_the_operators(generated: tuple[str, dict[str, Any]]) -> None:
    family, fields = generated
    whole = workload(family, **fields)
    graph = build_graph(whole)
    assert whole.model.parameters == graph.parameters
    for step in [*whole.steps(), whole.run.last_step(whole.model)]:
        assert whole.model.macs(step) == graph.totals(step).macs


@given(generated=GENERATED)
def test_splitting_attention_moves_no_work(generated: tuple[str, dict[str, Any]]) -> None:
    family, fields = generated
    whole = workload(family, **fields)
    step, graph = whole.run.last_step(whole.model), build_graph(whole)
    before, after = graph.totals(step), split_attention(graph).totals(step)
    assert after == before


# Parameters as transformers counts them on the meta device: the base class, with its pooler where it has one.
@pytest.mark.parametrize(
    ("family", "fields", "parameters"),
    [
        ("bert", {"layers": 24, "d_model": 1024, "heads": 16, "vocab": 30522, "n_ctx": 512}, 335_141_888),
        ("vit", {"layers": 12, "d_model": 768, "heads": 12, "pooler": True}, 86_389_248),
        ("vit", {"layers": 24, "d_model": 1024, "heads": 16, "pooler": True}, 304_351_232),
        ("vit", {"layers": 12, "d_model": 192, "heads": 3, "pooler": True, "distillation_token": True}, 5_561_856),
        ("vit", {"layers": 12, "d_model": 384, "heads": 6, "pooler": True, "distillation_token": True}, 21_814_272),
        (
            "modernbert",
            {"layers": 22, "d_model": 768, "heads": 12, "d_ff": 1152, "vocab": 50368, "n_ctx": 8192},
            149_014_272,
        ),
        (
            "modernbert",
            {"layers": 28, "d_model": 1024, "heads": 16, "d_ff": 2624, "vocab": 50368, "n_ctx": 8192},
            394_781_696,
        ),
        (
            "long_context",  # longformer-base
            {
                "layers": 12, "d_model": 768, "heads": 12, "vocab": 30522, "n_ctx": 512, "global_tokens": 1,
                "patterns": ["window(256, 256)"],
            },
            130_743_552,
        ),
        (
            "long_context",  # bigbird-base
            {
                "layers": 12, "d_model": 768, "heads": 12, "vocab": 50358, "n_ctx": 4096, "activation": "gelu",
                "patterns": ["block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)"],
                "tokens": 4096,
            },
            127_468_800,
        ),
        (
            "swin",  # swin-tiny
            {"d_model": 96, "depths": [2, 2, 6, 2], "heads": [3, 6, 12, 24], "window": 7},
            27_519_354,
        ),
        (
            "swin",  # swin-base
            {"d_model": 128, "depths": [2, 2, 18, 2], "heads": [4, 8, 16, 32], "window": 7},
            86_743_224,
        ),
    ],
)  # fmt: skip
def test_parameters_of_known_models(family: str, fields: dict[str, Any], parameters: int) -> None:
    sizes = {"image_height": 224, "image_width": 224}
    images = {"vit": {**sizes, "patch": 16}, "swin": {**sizes, "patch": 4}}.get(family, {})
    whole = workload(family, **images, **fields)
    assert whole.model.parameters == build_graph(whole).parameters == parameters


@pytest.mark.parametrize("family", [family for family in MODELS if family not in ("gpt", "llama")])
def test_a_family_that_nothing_splits_runs_on_one_device(family: str) -> None:
    fields = {"operator": "rmsnorm", "width": 4} if family == "kernel" else SMALL[family]
    with pytest.raises(MappingError, match=f"small: a model of family {family} runs on one device"):
        build_graph(workload(family, **fields), Split(tensor=2))


@pytest.mark.parametrize("family", MODELS)
def test_a_model_and_its_runs_share_no_field(family: str) -> None:
    model = MODELS[family]
    assert not set(model.model_fields) & set(model.run_type.model_fields)  # files are flat over both
