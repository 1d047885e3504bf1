"""Edge-MoE's own arithmetic: the golden models of its units, for `hwsim verify` and for experts that are computed."""

from __future__ import annotations

from typing import Any

from hwsim.errors import MachineError
from hwsim.machines.edge_moe.design import Design
from hwsim.machines.edge_moe.sizes import sizes_of
from hwsim.machines.edge_moe.spec import EdgeMoeSpec
from hwsim.mapping.workload.computed_load import Choices
from hwsim.mapping.workload.workload import Workload
from hwsim.parameters.spec_file import SpecFile
from hwsim.verify.image_encoder.blocks import EncoderBlocks
from hwsim.verify.image_encoder.routing import computed_choices
from hwsim.verify.image_encoder.verify import verify_images
from hwsim.verify.report import VerifyReport
from hwsim.verify.request import VerifyRequest

# Parameters that affect numbers; the others affect timing only.
NUMERIC = ("blocks", "attention.slots", "attention.channels", *(f"formats.{name}" for name in (
    "activation", "weight", "bias", "attention_bias", "chip_bias", "patch_weight", "pixel",
)))  # fmt: skip
# Techniques without which numbers come out otherwise; there are golden models of what the source has alone.
DECIDING = ("single_pass_softmax", "gelu_approximation", "attention_reordering")


def verify(request: VerifyRequest, spec: EdgeMoeSpec, spec_file: SpecFile[EdgeMoeSpec]) -> VerifyReport:
    """Encode an image by the golden models of the units, and compare with float64.

    Raises
    ------
    MachineError : sizes that no unit can have, a technique that is off
    WeightsError : weights that cannot be used
    """
    blocks = encoder_blocks(request.workload, spec)
    return verify_images(request, blocks, spec=spec, spec_file=spec_file, numeric=NUMERIC)


def choose_experts(workload: Workload[Any, Any], spec: EdgeMoeSpec) -> Choices:
    """See `Machine.choose_experts`."""
    return computed_choices(workload, encoder_blocks(workload, spec), spec.name)


def encoder_blocks(workload: Workload[Any, Any], spec: EdgeMoeSpec) -> EncoderBlocks:
    """The units' contracts for a workload's sizes.

    Raises
    ------
    MachineError : sizes that no unit can have, a technique that is off and decides numbers
    """
    off = [name for name in DECIDING if getattr(spec.techniques, name) == "off"]
    if off:
        raise MachineError(f"techniques.{off[0]} off: the golden models are those of the source, which has it on")
    one_linear = spec.techniques.model_copy(update={"unified_linear": "on"})  # which gives the same numbers
    design = Design(spec=spec.model_copy(update={"techniques": one_linear}), sizes=sizes_of(workload))
    return EncoderBlocks(
        patch_embed=design.patch_embed,
        layernorm=design.layernorm,
        weight_loader=next(iter(design.loaders.values())),
        linear=next(iter(design.linears.values())),
        qk_reorder=design.qk,
        online_softmax=design.softmax,
        mv=design.mv,
        topk_gate=design.gate,
        residual_add=design.residual_add,
    )
