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


@pytest.mark.parametrize("blocks", ["published", pytest.param("rtl", marks=pytest.mark.slow)])
def test_seventeen_tokens_through_two_layers_end_in_the_same_cycle(blocks: str, tmp_path: Path) -> None:
    machine, ends, naive = run_both(tmp_path, {"blocks": blocks})
    names = [name for name, _ in ends]
    assert list(zip(names, naive.ends, strict=True)) == ends
