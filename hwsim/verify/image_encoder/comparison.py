"""The golden encoder against float64: streams, choices of experts, overflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.float64 import Values
from hwsim.verify.float64_image import EncodedImage, Float64Encoder
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.codes import EncoderCodes, held, quantise, stored_format
from hwsim.verify.image_encoder.observed import ObservedEncoder
from hwsim.verify.image_tensors import ImageModel
from hwsim.verify.image_weights import ImageWeights
from hwsim.verify.report import EncodedImages, ExpertAgreement, FunctionError, LayerError, LayerOverflows
from hwsim.verify.statistics import layer_error

Chosen = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class EncoderComparison:
    """What a comparison found.

    Attributes
    ----------
    layers : against a float64 model that chooses experts itself
    """

    functions: list[FunctionError]
    layers: list[LayerError]
    encoding: EncodedImages


def compare_encoders(
    model: ImageModel,
    weights: ImageWeights,
    blocks: EncoderBlocks,
    *,
    task: int,
    task_name: str | None,
    final_norm: bool,
    progress: Callable[[int, int], None] | None = None,
) -> EncoderComparison:
    """Encode an image by the golden encoder and by float64.

    The float64 model uses the weights as the machine's memory holds them, so that only arithmetic is measured; another
    uses them as given. After a disagreement about experts a float64 model that follows its own choice encodes something
    else from there on. So a third follows the machine's.

    Parameters
    ----------
    task, task_name : whose gates choose experts; 0 and None without tasks
    final_norm : whether the norm after the layers belongs to what is compared
    progress : called with (layers done, layers in all)

    Raises
    ------
    MappingError : blocks of other sizes than the model's
    """
    codes = quantise(weights, blocks)
    in_memory = held(weights, codes)
    machine = ObservedEncoder(model, blocks, codes, final_norm=final_norm, progress=progress)
    made = machine.run(task)
    choices = {layer: choice.experts_tk for layer, choice in made.choices.items()}
    exact = Float64Encoder(model, in_memory, final_norm=final_norm)
    own, unrounded = exact.run(task), Float64Encoder(model, weights, final_norm=final_norm).run(task)
    forced = exact.run(task, choices) if choices else own
    streams = [blocks.activation.dequantise(stream) for stream in made.streams]
    return EncoderComparison(
        functions=machine.errors.results(),
        layers=_layers(model, streams, own),
        encoding=EncodedImages(
            task=task_name,
            forced=_layers(model, streams, forced) if choices else None,
            unrounded=_layers(model, streams, unrounded)[-1],
            experts=[_agreement(layer, chosen, own, forced, unrounded) for layer, chosen in choices.items()],
            overflows=[_stored_overflows(weights, in_memory, codes), *_overflows(machine)],
        ),
    )


def _layers(model: ImageModel, streams: list[Values], exact: EncodedImage) -> list[LayerError]:
    names = ["embedding", *(f"layer {layer}" for layer in range(model.layers)), "final norm"][: len(streams)]
    return [layer_error(*of) for of in zip(names, streams, exact.streams, strict=True)]


def _agreement(
    layer: int, chosen: Chosen, own: EncodedImage, forced: EncodedImage, unrounded: EncodedImage
) -> ExpertAgreement:
    shares = [_equal(chosen, of.choices[layer]).mean() for of in (own, forced, unrounded)]
    return ExpertAgreement(
        layer=layer,
        tokens=len(chosen),
        own=float(shares[0]),
        forced=float(shares[1]),
        unrounded=float(shares[2]),
        widest_gap=_widest_gap(chosen, forced.choices[layer], forced.logits[layer]),
    )


def _equal(chosen: Chosen, best: Chosen) -> NDArray[np.bool_]:
    """Which tokens have the same experts, in any order."""
    return np.asarray((np.sort(chosen, axis=1) == np.sort(best, axis=1)).all(axis=1))


def _widest_gap(chosen: Chosen, best: Chosen, logits_te: Values) -> float | None:
    """How far the worst chosen expert lies below the worst of the best, where they differ.

    The worst of the best is the one that the token should have got in its place.
    """
    apart = ~_equal(chosen, best)
    if not apart.any():
        return None
    got, due = (np.take_along_axis(logits_te, of, axis=1).min(axis=1)[apart] for of in (chosen, best))
    return float((due - got).max())


def _overflows(machine: ObservedEncoder) -> list[LayerOverflows]:
    """Those of what stands outside the layers, and of each layer."""
    places: Mapping[str, int | None] = {
        "outside": None, **{f"layer {layer}": layer for layer in range(machine.model.layers)}
    }  # fmt: skip
    return [
        LayerOverflows(
            layer=name,
            values=machine.results[layer],
            wrapped=machine.wrapped[layer].total(),
            functions={function: count for function, count in machine.wrapped[layer].items() if count},
        )
        for name, layer in places.items()
    ]


def _stored_overflows(weights: ImageWeights, in_memory: ImageWeights, codes: EncoderCodes) -> LayerOverflows:
    """Elements of tensors that their formats cannot hold: a floor moves them by less than a step, a wrap by more."""
    counts = {
        name: _moved(tensor, in_memory[name], stored_format(name, codes.blocks).resolution)
        for name, tensor in weights.tensors.items()
    }
    return LayerOverflows(
        layer="weights",
        values=sum(tensor.size for tensor in weights.tensors.values()),
        wrapped=sum(counts.values()),
        functions={name: count for name, count in counts.items() if count},
    )


def _moved(given: NDArray[np.float32], stored: NDArray[np.float32], step: float) -> int:
    return int((np.abs(given.astype(np.float64) - stored) >= step).sum())
