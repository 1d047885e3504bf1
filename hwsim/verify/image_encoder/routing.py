"""Which experts the tokens of a run's image go to, by the golden encoder."""

from __future__ import annotations

from typing import Any

from hwsim.errors import MappingError
from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.workload.computed_load import Choices
from hwsim.mapping.workload.image_run import TaskRun
from hwsim.mapping.workload.workload import Workload
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.choice import Choice
from hwsim.verify.image_encoder.codes import quantise
from hwsim.verify.image_encoder.encoder import GoldenEncoder
from hwsim.verify.image_tensors import ImageModel
from hwsim.verify.image_weights import load_image_weights


def computed_choices(workload: Workload[Any, Any], blocks: EncoderBlocks, machine: str) -> Choices:
    """Experts of the image's tokens for each task of a run, which are a machine's answer to `choose_experts`.

    Parameters
    ----------
    workload : its run says with which weights
    machine : for messages

    Raises
    ------
    MappingError : a workload of another kind, or blocks of other sizes
    WeightsError : weights that cannot be used
    """
    model, run = workload.model, workload.run
    if not (isinstance(model, MoeVitModel) and isinstance(run, TaskRun)):
        raise MappingError(
            f"{machine}: computes experts of family moe_vit; {workload.name} is of family {model.family}"
        )
    assert run.routing.weights is not None  # a load that is computed has them
    tasks = sorted({model.task_names.index(name) for name in run.tasks or model.task_names})
    found = choices_of(model, tasks, run.routing.weights, blocks)
    return {place: choice.experts_tk for place, choice in found.items()}


def choices_of(
    model: ImageModel, tasks: list[int], weights: str, blocks: EncoderBlocks
) -> dict[tuple[int, int], Choice]:
    """Experts and scores of the image's tokens, by task and layer.

    Raises
    ------
    MappingError : blocks of other sizes than the model's
    WeightsError : weights that cannot be used
    """
    loaded = load_image_weights(weights, model, tasks, final_norm=False)
    encoder = GoldenEncoder(model, blocks, quantise(loaded, blocks), final_norm=False)
    return {(task, layer): choice for task in tasks for layer, choice in encoder.run(task).choices.items()}
