"""What a machine that encodes images answers to `hwsim verify`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from pydantic import BaseModel

from hwsim.mapping.models.moe_vit import MoeVitModel
from hwsim.mapping.workload.image_run import TaskRun
from hwsim.mapping.workload.run import Run
from hwsim.parameters.spec_file import SpecFile
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.comparison import compare_encoders
from hwsim.verify.image_tensors import ImageModel, has_final_norm, image_model
from hwsim.verify.image_weights import load_image_weights
from hwsim.verify.report import VerifiedImageSize, VerifyReport
from hwsim.verify.request import VerifyRequest
from hwsim.verify.unconfirmed import unconfirmed_parameters
from hwsim.version import VERSION

SpecT = TypeVar("SpecT", bound=BaseModel)


def verify_images(
    request: VerifyRequest, blocks: EncoderBlocks, *, spec: SpecT, spec_file: SpecFile[SpecT], numeric: Collection[str]
) -> VerifyReport:
    """Encode one image by the golden models of a machine's blocks, for the first task of the run; compare with float64.

    Parameters
    ----------
    numeric : parameters that affect the numbers; others are not listed in `unconfirmed`

    Raises
    ------
    MappingError : a workload of another kind, or blocks of other sizes
    WeightsError : weights that cannot be used
    """
    parameters = spec.model_dump()
    model, own = (image_model(of, parameters["name"]) for of in (request.workload, request.own))
    final_norm = model.layers == own.layers and has_final_norm(model)
    task, task_name = _first_task(model, request.workload.run)
    weights = load_image_weights(request.weights, model, (task,), final_norm=final_norm)
    found = compare_encoders(
        model, weights, blocks, task=task, task_name=task_name, final_norm=final_norm, progress=request.progress
    )
    return VerifyReport(
        hwsim_version=VERSION,
        machine=parameters["name"],
        workload=request.workload.name,
        weights=weights.origin,
        seed=weights.seed,
        size=_size(model, own, final_norm=final_norm),
        functions=found.functions,
        layers=found.layers,
        encoding=found.encoding,
        blocks={contract.block: contract.parameters() for contract in blocks.contracts()},
        parameters=parameters,
        unconfirmed=unconfirmed_parameters(spec, spec_file, numeric),
    )


def _first_task(model: ImageModel, run: Run) -> tuple[int, str | None]:
    """Number and name of the task of a run's first pass; None where the model knows no tasks."""
    if not (isinstance(model, MoeVitModel) and isinstance(run, TaskRun)):
        return 0, None
    name = (run.tasks or model.task_names)[0]
    return model.task_names.index(name), name


def _size(model: ImageModel, own: ImageModel, *, final_norm: bool) -> VerifiedImageSize:
    return VerifiedImageSize(
        layers=model.layers,
        of_layers=own.layers,
        tokens=model.tokens,
        d_model=model.d_model,
        heads=model.heads,
        head_dim=model.head_size,
        d_ff=model.ff_size,
        experts=model.experts if isinstance(model, MoeVitModel) else 0,
        top_k=model.top_k if isinstance(model, MoeVitModel) else 0,
        expert_hidden=model.expert_hidden if isinstance(model, MoeVitModel) else 0,
        final_norm=final_norm,
        parameters=model.parameters,
    )
