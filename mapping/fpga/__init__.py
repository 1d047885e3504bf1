"""Mapping to FPGA accelerators that work unit after unit on buffers in memory: tiles, passes, places, units."""

from hwsim.mapping.fpga.map_graph import FpgaMapped, map_graph
from hwsim.mapping.fpga.matrix import MatrixPass, TiledMatrix
from hwsim.mapping.fpga.memory_map import Array, Buffer, BufferSize, MemoryMap
from hwsim.mapping.fpga.target import LINEAR_TYPES, FpgaTarget, LinearShape, LinearType, linear_type

__all__ = [
    "LINEAR_TYPES",
    "Array",
    "Buffer",
    "BufferSize",
    "FpgaMapped",
    "FpgaTarget",
    "LinearShape",
    "LinearType",
    "MatrixPass",
    "MemoryMap",
    "TiledMatrix",
    "linear_type",
    "map_graph",
]
