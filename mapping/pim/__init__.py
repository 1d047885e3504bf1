"""Mapping to processing-in-memory: matrices and caches in DRAM banks, everything else beside them."""

from mapping.pim.map_graph import MappedGraph, MappedOperator, map_graph
from mapping.pim.placement import Address, CachePlacement, MatrixPlacement, Placement
from mapping.pim.target import PimTarget

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
