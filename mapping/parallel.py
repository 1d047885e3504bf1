"""A model split over devices: layers over stages, and the matrices and heads of a stage over its devices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hwsim.mapping.errors import MappingError

if TYPE_CHECKING:  # models import this module for the work that split devices do together
    from hwsim.mapping.models.decoder import DecoderModel, DecoderWorkload
    from hwsim.mapping.workload.model import Model


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a device's graph has in addition to its share of a model.

    Attributes
    ----------
    tensor : devices that share each layer: heads and hidden units are split, sums are added up over all of them
    sends : whether the result goes on to a next stage
    """

    tensor: int = 1
    sends: bool = False


WHOLE = Split()


def require_whole(model: Model, split: Split) -> None:
    """Check that a model is not to be split, for families that cannot be.

    Raises
    ------
    MappingError : the run asks for a split
    """
    if split != WHOLE:
        raise MappingError(f"{model.name}: a model of family {model.family} runs on one device")


@dataclass(frozen=True, kw_only=True)
class PipelineStage:
    """The devices of one stage of a pipeline, all equal.

    Attributes
    ----------
    share : the workload of one device: its layers, its heads, its part of the hidden layer
    """

    share: DecoderWorkload
    split: Split


def split_model(workload: DecoderWorkload, tensor: int, pipeline: int) -> tuple[PipelineStage, ...]:
    """The stages of a model, in order.

    Heads of queries, heads of keys and values and hidden units are divided among `tensor` devices, layers among
    `pipeline` stages; if layers do not divide evenly, the first stages have one more.

    Raises
    ------
    MappingError : something cannot be divided evenly; more stages than layers
    """
    model = workload.model
    _check(model, tensor, pipeline)
    if workload.run.lm_head == "included" and tensor * pipeline > 1:
        raise MappingError(
            f"{model.name}: lm_head included: several devices run the blocks alone; set workload.lm_head=excluded"
        )
    return tuple(
        PipelineStage(
            share=replace(workload, model=_share(model, layers, tensor)),
            split=Split(tensor=tensor, sends=layers.stop < model.layers),
        )
        for layers in _layers_of_stages(model.layers, pipeline)
    )


def _layers_of_stages(layers: int, stages: int) -> list[range]:
    """The layers of each stage; the first stages have one more if layers do not divide evenly."""
    each, longer = divmod(layers, stages)
    bounds = [stage * each + min(stage, longer) for stage in range(stages + 1)]
    return [range(first, end) for first, end in pairwise(bounds)]


def _check(model: DecoderModel, tensor: int, pipeline: int) -> None:
    for name, count in (
        ("heads", model.heads),
        ("kv_heads", model.key_heads),
        ("d_ff", model.ff_size),
        ("d_model", model.d_model),
    ):
        if count % tensor:
            raise MappingError(f"{model.name}: tensor_parallel {tensor} does not divide {name} {count}")
    if model.experts is not None and tensor * pipeline > 1:
        raise MappingError(f"{model.name}: {model.experts} experts: they are not dealt out over several devices")
    if pipeline > model.layers:
        raise MappingError(f"{model.name}: pipeline_parallel {pipeline} needs as many layers, got {model.layers}")


def _share(model: DecoderModel, layers: range, tensor: int) -> DecoderModel:
    """One device's part of a model, with the windows of its own layers."""
    return model.model_copy(
        update={
            "layers": len(layers),
            "windows": model.windows and tuple(model.window_of(layer) for layer in layers),
            "heads": model.heads // tensor,
            "kv_heads": model.key_heads // tensor,
            "head_dim": model.head_size,
            "d_ff": model.ff_size // tensor,
            "vocab": -(-model.vocab // tensor),
        }
    )
