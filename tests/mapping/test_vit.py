"""Vision transformers: patches, the tokens in front of them, and their readers."""

from typing import Any

import pytest

from hwsim.mapping.errors import GraphError, WorkloadError
from hwsim.mapping.formats import BF16
from hwsim.mapping.operators import PatchEmbed
from hwsim.mapping.step import Step
from tests.mapping.families import graph_of, lines_of, workload

B16: dict[str, Any] = {
    "layers": 12, "d_model": 768, "heads": 12, "image_height": 224, "image_width": 224, "patch": 16,
}  # fmt: skip


def test_a_layer_of_vits_form() -> None:
    assert lines_of(graph_of("vit", classes=5)) == [
        "embed <- image: 3 x 4 x 8 in patches of 2 x 2 -> 1 + 8 tokens x 8",
        "l0.norm1 <- embed: layernorm 8",
        "l0.q <- l0.norm1: 8 -> 8 + bias",
        "l0.k <- l0.norm1: 8 -> 8 + bias",
        "l0.v <- l0.norm1: 8 -> 8 + bias",
        "l0.attention <- l0.q, l0.k, l0.v: 2 heads x 4, full",
        "l0.proj <- l0.attention: 8 -> 8 + bias",
        "l0.add1 <- embed, l0.proj: add 8",
        "l0.norm2 <- l0.add1: layernorm 8",
        "l0.ffn1 <- l0.norm2: 8 -> 32 + bias",
        "l0.gelu_erf <- l0.ffn1: gelu_erf 32",
        "l0.ffn2 <- l0.gelu_erf: 32 -> 8 + bias",
        "l0.add2 <- l0.add1, l0.ffn2: add 8",
        "final_norm <- l0.add2: layernorm 8",
        "classifier <- first: 8 -> 5 + bias",
    ]


def test_a_classifier_of_base_size_is_the_published_one() -> None:
    base = workload("vit", **B16, classes=1000)
    assert base.model.tokens == 197
    assert base.model.parameters == 86_567_656
    assert base.model.macs(base.run.last_step(base.model)) == 17_563_828_224  # 17.56 G


@pytest.mark.parametrize(
    ("layers", "d_model", "heads", "giga"), [(24, 1024, 16, 61.55), (12, 192, 3, 1.25), (12, 384, 6, 4.60)]
)
def test_work_of_other_sizes(layers: int, d_model: int, heads: int, giga: float) -> None:
    model = workload("vit", **{**B16, "layers": layers, "d_model": d_model, "heads": heads}, classes=1000)
    assert model.model.macs(model.run.last_step(model.model)) / 1e9 == pytest.approx(giga, abs=0.01)


def test_patches_are_a_matrix_for_each_and_a_position_for_every_token() -> None:
    embed = graph_of("vit", distillation_token=True).operator("embed")
    assert isinstance(embed, PatchEmbed)
    step = Step(queries=10, context=10, batch=3)
    assert embed.macs(step) == 3 * 8 * (3 * 4) * 8  # images x patches x values of a patch x elements of a token
    assert embed.element_ops(step) == 3 * 10 * 8
    assert {table.identity: (table.rows, table.columns) for table in embed.tables} == {
        "embed.weight": (8, 12), "embed.bias": (1, 8), "embed.class_tokens": (2, 8), "embed.positions": (10, 8),
    }  # fmt: skip


def test_images_pass_in_batches() -> None:
    vit = workload("vit", images=3, batch=2)
    assert list(vit.steps()) == [Step(queries=9, context=9, batch=2), Step(queries=9, context=9, batch=1)]
    assert (vit.run.produced, vit.run.unit) == (3, "images")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"patch": 3}, "patches of 3 pixels do not divide image_height 4"),
        ({"patch": 4, "image_width": 6}, "patches of 4 pixels do not divide image_width 6"),
        ({"class_token": False, "pooler": True}, "pooler goes with a class_token"),
        ({"class_token": False, "classes": 5}, "classes goes with a class_token"),
        ({"classes": 5, "pooler": True}, "expected a pooler or classes, got both"),
        ({"images": 0}, "images: input should be greater than or equal to 1, got 0"),
        ({"tasks": ["depth"]}, "no field 'tasks' in family vit; families moe_vit have it"),
    ],
)
def test_what_a_vit_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        workload("vit", **fields)
    assert str(caught.value).startswith(f"small: {message}")


def test_an_operator_refuses_patches_that_leave_pixels_over() -> None:
    with pytest.raises(GraphError, match="embed: patches of 3 x 3 do not tile 4 x 9"):
        PatchEmbed(
            name="embed", inputs=("image",), fmt=BF16, channels=3, image_height=4, image_width=9, patch=3, width=8
        )
