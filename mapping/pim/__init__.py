"""Mapping to processing-in-memory: matrices and caches in DRAM banks, everything else beside them."""

from hwsim.mapping.pim.map_graph import MappedGraph, MappedOperator, map_graph
from hwsim.mapping.pim.placement import Address, CachePlacement, MatrixPlacement, Placement
from hwsim.mapping.pim.target import PimTarget

__all__ = [
    "Address",
    "CachePlacement",
    "MappedGraph",
    "MappedOperator",
    "MatrixPlacement",
    "PimTarget",
    "Placement",
    "map_graph",
]
