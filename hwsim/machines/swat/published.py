"""SWAT's figures beside a run of its published configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.baselines.ratios import Ratio
from hwsim.baselines.window_attention import AttentionRun, attention_ratios
from hwsim.data_file import read_data
from hwsim.fpga.budget import Budget
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.patterns import Window
from hwsim.report.published import published_beside, read_published
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AttentionUse, EnergyUse, Published

CORES, HEAD_DIM = 512, 64
CELLS = {"dsp_share": "dsp", "lut_share": "lut", "ff_share": "ff", "bram_share": "bram36"}


def figures_beside(
    run: Execution, time: RunTime, budget: Budget, uses: list[AttentionUse], energy: EnergyUse | None
) -> tuple[Published, ...]:
    """The published figures; none for another number of cores or size of heads than the paper's."""
    spec, first = run.program.spec, run.ledger.attention[0]
    if (spec.cores, first.work.design.head_dim, spec.pipelines) != (CORES, HEAD_DIM, 1):
        return ()
    document = read_data("hwsim.machines.swat", "published.yaml")
    entries = [*document["figures"], *document["formats"].get(spec.format, ())]
    ours = {**_stages(first), **_cells(budget, run), **_bytes(uses[0], run), **_ratios(run, time, first, energy)}
    name = run.program.workload.name
    return published_beside(read_published(entries), name, ours, energy=energy, tokens=uses[0].queries)


def _stages(first: AttentionDone) -> Mapping[str, Ratio]:
    stages = stages_of(first.work.design)
    found = {f"cycles.{stage.unit}": Ratio(value=float(stage.cycles), note="") for stage in stages}
    return {**found, "interval": Ratio(value=float(interval_of(stages)), note="")}


def _cells(budget: Budget, run: Execution) -> Mapping[str, Ratio]:
    """Shares of the part, of all units of the pipeline."""
    companion = run.program.companion
    beside = {unit.name for unit in companion.units()} if companion else set()
    own: dict[str, Any] = {
        cell: sum(float(getattr(unit.cells, cell)) for unit in budget.units if unit.unit not in beside)
        for cell in CELLS.values()
    }
    return {
        name: Ratio(value=own[cell] / getattr(budget.board.cells, cell), note="without the companion")
        for name, cell in CELLS.items()
    }


def _bytes(use: AttentionUse, run: Execution) -> Mapping[str, Ratio]:
    row = use.head_dim * run.program.spec.fmt.bits // 8
    moved = sum(use.moved[name] for name in ("q", "k", "v", "z"))
    return {"bytes_per_row": Ratio(value=row * moved, note="mean of a head, its prologue included")}


def _ratios(run: Execution, time: RunTime, first: AttentionDone, energy: EnergyUse | None) -> Mapping[str, Ratio]:
    """The baselines over the heads of one operator."""
    op, spec = first.work.operator, run.program.spec
    pattern = op.pattern
    seconds = time.seconds(first.ended - first.begun)
    return attention_ratios(
        AttentionRun(
            tokens=first.work.groups[0].plan.queries,
            keys=pattern.left + pattern.right + 1 if isinstance(pattern, Window) else None,
            heads=op.heads * first.step.batch,
            head_dim=op.d_k,
            format=spec.format,
            attention_s=seconds,
            attention_j=None if energy is None else energy.mean_power_w * seconds,
        )
    )
