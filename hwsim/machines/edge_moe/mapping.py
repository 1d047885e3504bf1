"""Mapping of a model to Edge-MoE: its target, and the buffers that its units use among themselves."""

from __future__ import annotations

from hwsim.machines.edge_moe.design import Design
from hwsim.mapping.fpga import BufferSize, FpgaMapped, map_graph
from hwsim.mapping.graph import OperatorGraph


def map_workload(graph: OperatorGraph, design: Design) -> FpgaMapped:
    """Map a graph for a design.

    Raises
    ------
    MappingError : what the machine cannot execute or hold
    MachineError : units that cannot be made for the model's sizes
    """
    design.check()
    sizes, target = design.sizes, design.target
    beat = design.spec.beat_bytes
    scores = design.qk.rows(sizes.tokens) * design.score_beats * beat
    hidden = sizes.tokens * target.row_bytes(max(sizes.hidden, sizes.expert_hidden))
    workspaces = (
        BufferSize(name="scores", size_bytes=scores),
        BufferSize(name="info", size_bytes=design.queries * design.info_beats * beat),
        BufferSize(name="hidden", size_bytes=hidden),
    )
    return map_graph(graph, target, tokens=design.queries, workspaces=workspaces)
