"""Edge-MoE's arithmetic: the golden encoder by the contracts of its units."""

from __future__ import annotations

from typing import Any

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

# Parameters that affect the numbers; the others are timing.
NUMERIC = ("blocks", "attention.slots", *(f"formats.{name}" for name in ("activation", "weight", "bias")))


def verify(request: VerifyRequest, spec: EdgeMoeSpec, spec_file: SpecFile[EdgeMoeSpec]) -> VerifyReport:
    """One image by the golden models of the units, compared with float64.

    Raises
    ------
    MachineError, MappingError : sizes or formats that no unit can have
    WeightsError : weights that cannot be used
    """
    blocks = encoder_blocks(Design(spec=spec, sizes=sizes_of(request.workload)))
    return verify_images(request, blocks, spec=spec, spec_file=spec_file, numeric=NUMERIC)


def choose_experts(workload: Workload[Any, Any], spec: EdgeMoeSpec) -> Choices:
    """The experts of the image's tokens, from the weights that the run names."""
    return computed_choices(workload, encoder_blocks(Design(spec=spec, sizes=sizes_of(workload))), spec.name)


def encoder_blocks(design: Design) -> EncoderBlocks:
    """The contracts of the units as the golden encoder takes them."""
    return EncoderBlocks(
        patch_embed=design.patch_embed,
        layernorm=design.layernorm,
        weight_loader=design.weight_loader,
        linear=design.linear,
        qk_reorder=design.qk,
        online_softmax=design.softmax,
        mv=design.mv,
        topk_gate=design.gate,
        residual_add=design.residual_add,
    )
