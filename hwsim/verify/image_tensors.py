"""Names and shapes of the tensors of an encoder of images, as Edge-MoE's source names its files.

Layers count from 0, and so do tasks. A matrix is (outputs, inputs); those of all experts of a layer are one tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hwsim.errors import MappingError
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.models.vit import VitModel
from hwsim.mapping.workload.workload import Workload

ImageModel = VitModel | MoeVitModel
Shape = tuple[int, ...]


def tensor_shapes(model: ImageModel, tasks: Iterable[int], *, final_norm: bool) -> dict[str, Shape]:
    """Name and shape of every tensor that some tasks need, the image among them.

    The learned tokens before the patches are the first rows of `pos_embed`: they are constants, to which their
    positions have been added.

    Parameters
    ----------
    model : its `layers` alone are needed
    tasks : numbers of tasks; a model without experts has none
    final_norm : whether the norm after the layers is needed too
    """
    d, patch = model.d_model, model.patch
    needed: dict[str, Shape] = {
        "image": (model.channels, model.image_height, model.image_width),
        "patch_embed_weight": (d, model.channels, patch, patch),
        "patch_embed_bias": (d,),
        "pos_embed": (model.class_tokens + model.patches, d),
    }
    tasks = tuple(tasks)
    for layer in range(model.layers):
        needed |= {f"l{layer}_{name}": shape for name, shape in _layer(model, layer, tasks)}
    if isinstance(model, MoeVitModel) and model.task_embedding:
        needed["task_embed"] = (len(model.task_names), model.task_embedding)
    return {**needed, "norm_weight": (d,), "norm_bias": (d,)} if final_norm else needed


def image_model(workload: Workload[Any, Any], machine: str) -> ImageModel:
    """The model of a workload that encodes images.

    Raises
    ------
    MappingError : a workload of another kind; names the machine
    """
    if isinstance(workload.model, VitModel | MoeVitModel):
        return workload.model
    raise MappingError(
        f"{machine}: encodes images (families vit, moe_vit); {workload.name} is of family {workload.model.family}"
    )


def has_final_norm(model: ImageModel) -> bool:
    """Whether a norm follows the layers."""
    return model.final_norm if isinstance(model, MoeVitModel) else True


def gate_name(model: MoeVitModel, task: int) -> str:
    """The gate by which a task chooses experts, without its layer."""
    return f"w_gate_T_task{task}" if model.gate == "task" else "w_gate_T"


def _layer(model: ImageModel, layer: int, tasks: tuple[int, ...]) -> Iterator[tuple[str, Shape]]:
    d = model.d_model
    for norm in ("norm1", "norm2"):
        yield from ((f"{norm}_{part}", (d,)) for part in ("weight", "bias"))
    yield from _matrix("qkv", (3 * d, d), bias=model.has_qkv_bias)
    yield from _matrix("attn_proj", (d, d), bias=model.bias)
    if isinstance(model, MoeVitModel) and model.has_experts(layer):
        experts, hidden = model.experts, model.expert_hidden
        yield from dict.fromkeys(
            (gate_name(model, task), (experts, model.gate_width)) for task in tasks
        )  # a shared gate comes once
        yield from _matrix("htoh4", (experts, hidden, d), bias=model.bias)
        yield from _matrix("h4toh", (experts, d, hidden), bias=model.bias)
    else:
        yield from _matrix("fc1", (model.ff_size, d), bias=model.bias)
        yield from _matrix("fc2", (d, model.ff_size), bias=model.bias)


def _matrix(name: str, shape: Shape, *, bias: bool) -> Iterator[tuple[str, Shape]]:
    yield f"{name}_weight", shape
    if bias:
        yield f"{name}_bias", shape[:-1]
