"""An encoder of images, played in RTL from the program that Edge-MoE's `lower` made, beside the golden encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.machines.edge_moe.instructions import Program
from hwsim.machines.edge_moe.numerics import encoder_blocks
from hwsim.mapping.workload.workload import Workload
from hwsim.pipeline import prepare
from hwsim.rtl.ports import Codes
from hwsim.verify.image_encoder.codes import quantise
from hwsim.verify.image_weights import load_image_weights
from tests.rtl.byte_memory import ByteMemory
from tests.rtl.machine_units import MachineUnits
from tests.rtl.memory_image import memory_image
from tests.rtl.program_player import ProgramPlayer
from tests.rtl.recording_encoder import RecordingEncoder


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is known before the RTL plays.

    Attributes
    ----------
    memory : with the image and all parameters
    golden : arrays by instruction, see `RecordingEncoder`
    """

    program: Program
    memory: ByteMemory
    golden: dict[str, Codes]


def prepared(workload: Workload[Any, Any], settings: dict[str, Any]) -> Prepared:
    """Lower a workload for blocks of RTL, and encode its image by their golden models.

    Parameters
    ----------
    workload : its run computes experts, and says by which weights
    settings : of the machine, besides its blocks
    """
    stages = prepare(workload, "edge_moe", {"blocks": "rtl", **settings})
    program, model, text = stages.program, workload.model, workload.run.routing.weights
    assert isinstance(program, Program)
    blocks = encoder_blocks(workload, stages.spec)
    tensors = load_image_weights(text, model, range(len(model.task_names)), final_norm=False)
    codes = quantise(tensors, blocks)
    encoder = RecordingEncoder(model, blocks, codes, final_norm=False)
    encoder.run(next(program.steps()).task)
    return Prepared(program=program, memory=memory_image(program, codes), golden=encoder.made)


def play_and_compare(case: Prepared, units: MachineUnits) -> ProgramPlayer:
    """Play one image; what an instruction leaves is compared at once, so that a difference names its instruction.

    Raises
    ------
    AssertionError : a number or a cycle differs from the golden encoder, a contract or the machine
    """
    program, player = case.program, ProgramPlayer(case.program, case.memory, units)
    compared = []
    for instruction in (*program.once, *program.instructions(next(program.steps()))):
        for name, array in player.play(instruction).items():
            np.testing.assert_array_equal(array, case.golden[name], err_msg=name)
            compared.append(name)
    assert sorted(compared) == sorted(case.golden)
    return player
