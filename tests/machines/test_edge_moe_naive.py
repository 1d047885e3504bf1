"""Edge-MoE's run against a plain loop over cycles that was written independently of the SimPy model, to the cycle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hwsim.mapping.operators import ExpertFfn
from hwsim.pipeline import load_workload, prepare
from tests.machines.naive_edge_moe import NaiveEdgeMoe

SMALL = """
name: small
family: moe_vit
image_height: 64
image_width: 64
d_model: 32
heads: 2
layers: 2
d_ff: 64
experts: 4
top_k: 2
expert_hidden: 32
final_norm: false
routing: {load: zipf, seed: 1}
provenance: {grade: A, source: a size for tests}
"""


def run_both(
    tmp_path: Path, settings: dict[str, Any], **fields: Any
) -> tuple[Any, list[tuple[str, int]], NaiveEdgeMoe]:
    """The machine's execution of one image, the cycle after each of its calls, and the naive run."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    stages = prepare(load_workload(path, **fields), "edge_moe", settings)
    program = stages.program
    (step,) = program.steps()
    queues: dict[int, list[tuple[int, ...]]] = {}
    for op in program.mapped.graph.operators:
        if isinstance(op, ExpertFfn):
            chosen = op.token_experts(step)
            queues[op.layer or 0] = [
                tuple(t for t in range(step.tokens) if expert in chosen[t]) for expert in range(op.experts)
            ]
    naive = NaiveEdgeMoe(program.mapped, program.design, queues, step.task)
    naive.run(2)
    machine = stages.machine.simulate(program, trace_tokens=1)
    period = machine.diagram.clocks["fabric"].period_ticks
    ended = {(piece.unit, piece.name): piece.end // period for piece in machine.diagram.trace.slices}
    calls = (*program.once, *program.instructions(step))
    return machine, [(call.name, ended[call.unit, call.name]) for call in calls], naive


slow = pytest.mark.slow
CASES = [
    ({}, {}),
    ({"blocks": "rtl"}, {}),
    ({"attention.slots": 2, "axi.outstanding_reads": 2, "axi.outstanding_writes": 1}, {}),
    pytest.param({"attention.slots": 1, "axi.request_ns": 5, "axi.response_ns": 200}, {}, marks=slow),
    pytest.param({"attention.slots": 8, "axi.ps_width_bits": 256, "axi.burst_beats": 4}, {}, marks=slow),
    pytest.param({"blocks": "rtl", "memory.ports.HP2": 5, "axi.buffer_beats": 64}, {}, marks=slow),
    pytest.param({"memory.refresh": False}, {"routing": {"load": "zipf", "seed": 2}, "tasks": ["main"]}, marks=slow),
]


@pytest.mark.parametrize(("settings", "fields"), CASES)
def test_every_call_of_two_layers_ends_in_the_same_cycle(
    settings: dict[str, Any], fields: dict[str, Any], tmp_path: Path
) -> None:
    machine, ends, naive = run_both(tmp_path, settings, **fields)
    names = [name for name, _ in ends]
    assert list(zip(names, naive.ends, strict=True)) == ends
    assert naive.fabric.commands() == machine.memory.player.served().commands


def test_the_small_run_takes_so_many_cycles(tmp_path: Path) -> None:
    """A literal that a change of timing moves."""
    _, ends, _ = run_both(tmp_path, {})
    assert ends[-1] == ("l1.add2", 26_281)
