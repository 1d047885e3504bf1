"""Mapping to processing-in-memory: matrices and caches in DRAM banks, everything else in units outside them."""

from hwsim.mapping.pim.map_graph import PimMapped, map_graph
from hwsim.mapping.pim.placement import Address, CachePlacement, MatrixPlacement, Placement
from hwsim.mapping.pim.target import PimTarget

__all__ = [
    "Address",
    "CachePlacement",
    "MatrixPlacement",
    "PimMapped",
    "PimTarget",
    "Placement",
    "map_graph",
]
