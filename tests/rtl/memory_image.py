"""An image and a model's parameters as they lie in Edge-MoE's memory before a run."""

from __future__ import annotations

import re

import numpy as np

from hwsim.machines.edge_moe.instructions import Program
from hwsim.mapping.fpga import Array
from hwsim.rtl.ports import Codes
from hwsim.verify.image_encoder.codes import EncoderCodes
from tests.rtl.byte_memory import ByteMemory

# Of matrices, the program's names and those of the tensors.
MATRICES = {
    "proj": "attn_proj", "ffn1": "fc1", "ffn2": "fc2", "experts.up": "htoh4", "experts.down": "h4toh",
}  # fmt: skip


def memory_image(program: Program, codes: EncoderCodes) -> ByteMemory:
    """The memory with everything that the host puts there."""
    memory = ByteMemory(program.mapped.memory.end, program.spec.beat_bytes)
    memory.put(program.mapped.memory.buffers["image"].address, codes["image"].astype(np.uint8))
    for array in program.mapped.memory.arrays.values():
        numbers = np.dtype("<i4" if array.name.endswith(".positions") else "<i2")
        rows = _padded(array, numbers, _rows(array.name, codes, program))
        memory.put(array.address, rows)
    return memory


def _padded(array: Array, numbers: np.dtype[np.signedinteger], rows: Codes) -> Codes:
    """(count, rows, columns) numbers, with zeros up to the sizes that the array has."""
    padded = np.zeros((array.count, array.rows, array.row_bytes // numbers.itemsize), dtype=numbers)
    count, height, width = rows.shape
    padded[:count, :height, :width] = rows
    return padded


def _rows(name: str, codes: EncoderCodes, program: Program) -> Codes:
    """The rows of an array, (count, rows, columns)."""
    operator, _, part = name.rpartition(".")
    if operator == "embed":
        tensor = codes["pos_embed" if part == "positions" else f"patch_embed_{part}"]
        return _in_tiles(tensor[None], program) if part == "bias" else tensor.reshape(1, len(tensor), -1)
    found = re.fullmatch(r"l(\d+)\.(.+)", operator)
    assert found, name
    layer, inner = f"l{found[1]}", found[2]
    if inner in ("norm1", "norm2"):
        return np.stack([codes[f"{layer}_{inner}_{which}"] for which in ("weight", "bias")])[None]
    if inner == "route":
        return codes[f"{layer}_{part.replace('gate', 'w_gate_T_task')}"][None]
    if inner in ("q", "k", "v"):
        tensor = np.split(codes[f"{layer}_qkv_{part}"], 3)["qkv".index(inner)][None]
    else:
        tensor = codes[f"{layer}_{MATRICES[inner]}_{part}"]
        tensor = tensor if inner.startswith("experts") else tensor[None]
    return _in_tiles(tensor, program) if part == "bias" else tensor


def _in_tiles(biases: Codes, program: Program) -> Codes:
    """(count, 1, numbers) of (count, outputs): each tile of outputs begins a beat."""
    linear = program.spec.linear
    beats = -(-linear.out_lanes // program.design.beat_weights)
    tiles = biases.reshape(len(biases), -1, linear.out_lanes)
    room = beats * program.design.beat_weights - linear.out_lanes
    return np.pad(tiles, ((0, 0), (0, 0), (0, room))).reshape(len(biases), 1, -1)
