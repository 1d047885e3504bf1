"""A model split over devices: stages of layers, and each stage's matrices and heads over devices that work together."""

from __future__ import annotations

from dataclasses import dataclass

from hwsim.mapping.errors import MappingError
from hwsim.mapping.workload import GptWorkload


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a device's graph has beside its own share of a model.

    Attributes
    ----------
    tensor : devices that share each layer: heads and hidden units are split, sums are added up over all of them
    sends : whether the result goes on to a next stage
    """

    tensor: int = 1
    sends: bool = False


WHOLE = Split()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The devices of one stage of a pipeline, all alike.

    Attributes
    ----------
    share : the model as one device holds it: its layers, its heads, its part of the hidden layer
    """

    share: GptWorkload
    split: Split


def split_model(workload: GptWorkload, tensor: int, pipeline: int) -> tuple[Stage, ...]:
    """The stages of a model, in order.

    Heads of queries, heads of keys and values and hidden units are dealt out over `tensor` devices; layers over
    `pipeline` stages, the first ones a layer longer where they do not divide.

    Raises
    ------
    MappingError : what cannot be dealt out evenly; more stages than layers
    """
    for name, count in (
        ("heads", workload.heads),
        ("kv_heads", workload.key_heads),
        ("d_ff", workload.ff_size),
        ("d_model", workload.d_model),
    ):
        if count % tensor:
            raise MappingError(f"{workload.name}: tensor_parallel {tensor} does not divide {name} {count}")
    if pipeline > workload.layers:
        raise MappingError(f"{workload.name}: pipeline_parallel {pipeline} needs as many layers, got {workload.layers}")
    if workload.lm_head != "excluded" and tensor * pipeline > 1:
        raise MappingError(
            f"{workload.name}: lm_head {workload.lm_head}: several devices run the blocks alone; "
            "set workload.lm_head=excluded"
        )
    each, longer = divmod(workload.layers, pipeline)
    return tuple(
        Stage(
            share=workload.model_copy(
                update={
                    "layers": each + (stage < longer),
                    "heads": workload.heads // tensor,
                    "kv_heads": workload.key_heads // tensor,
                    "head_dim": workload.head_size,
                    "d_ff": workload.ff_size // tensor,
                    "vocab": -(-workload.vocab // tensor),
                }
            ),
            split=Split(tensor=tensor, sends=stage < pipeline - 1),
        )
        for stage in range(pipeline)
    )
