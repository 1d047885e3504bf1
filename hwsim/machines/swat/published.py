"""SWAT's figures beside a run of its published configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hwsim.baselines.ratios import Ratio
from hwsim.baselines.window_attention import AttentionRun, attention_ratios
from hwsim.data_file import read_data
from hwsim.fpga.budget import Budget
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.stages import interval_of, stages_of
from hwsim.mapping.patterns import Pattern, Window
from hwsim.report.published import PublishedFigure, published_beside, read_published
from hwsim.report.run_time import RunTime
from hwsim.report.schema import AttentionUse, EnergyUse, Published

CORES, HEAD_DIM, BOARD = 512, 64, "u55c"
CELLS = {"dsp_share": "dsp", "lut_share": "lut", "ff_share": "ff", "bram_share": "bram36"}


def figures_beside(
    run: Execution, time: RunTime, budget: Budget, uses: list[AttentionUse], energy: EnergyUse | None
) -> tuple[Published, ...]:
    """The published figures; none for other numbers of cores and pipelines, or sizes of heads, than the paper's.

    Its ratios are of one attention. A model whose layers differ has no such ratio, and the figures say so.
    """
    spec, first = run.program.spec, run.ledger.attention[0]
    sizes = {done.work.design.head_dim for done in run.ledger.attention}
    if (spec.cores, spec.head_dim, spec.pipelines) != (CORES, HEAD_DIM, 1) or sizes != {HEAD_DIM}:
        return ()
    figures = read_figures(spec.format)
    ours = {**_stages(first), **_cells(budget, run)}
    alike = uses[0] if len(uses) == 1 else None
    if alike:
        ours |= {"bytes_per_row": _bytes(alike, first, run), **_ratios(run, time, first, energy)}
    else:
        why = f"not comparable: theirs is of one attention, and this run has {len(uses)} that differ"
        ours |= {name: Ratio(value=None, note=why) for name in _names(figures) - set(ours)}
    name = run.program.workload.name
    return published_beside(figures, name, ours, energy=energy, tokens=alike.queries if alike else None)


def read_figures(fmt: str) -> tuple[PublishedFigure, ...]:
    """The lines of published.yaml for runs in a number format."""
    document = read_data("hwsim.machines.swat", "published.yaml")
    return read_published([*document["figures"], *document["formats"].get(fmt, ())])


def _names(figures: Iterable[PublishedFigure]) -> set[str]:
    return {figure.ours for figure in figures if figure.ours}


def _stages(first: AttentionDone) -> Mapping[str, Ratio]:
    stages = stages_of(first.work.design)
    found = {f"cycles.{stage.unit}": Ratio(value=float(stage.cycles), note="") for stage in stages}
    return {**found, "interval": Ratio(value=float(interval_of(stages)), note="")}


def _cells(budget: Budget, run: Execution) -> Mapping[str, Ratio]:
    """Shares of the part, of all units of the pipeline."""
    spec, companion = run.program.spec, run.program.companion
    if spec.board != BOARD:
        return {name: Ratio(value=None, note=f"not comparable: ours is on a {spec.board}") for name in CELLS}
    beside = {unit.name for unit in companion.units()} if companion else set()
    own = [unit.cells for unit in budget.units if unit.unit not in beside]
    note = "estimates of the contracts" + (", without the companion" if companion else "")
    return {
        name: Ratio(
            value=float(sum(getattr(cells, cell) for cells in own) / getattr(budget.board.cells, cell)), note=note
        )
        for name, cell in CELLS.items()
    }


def _bytes(use: AttentionUse, first: AttentionDone, run: Execution) -> Ratio:
    """Of a row of a window that passes once; other patterns move keys again, and partial rows."""
    of_queries = sum(share for name, share in use.moved.items() if name not in ("k", "v"))
    of_keys = (use.moved["k"] + use.moved["v"]) * use.keys / use.queries
    moved = use.head_dim * run.program.spec.fmt.bits // 8 * (of_queries + of_keys)
    if use.passes > 1 or window_keys(first.work.operator.pattern) is None:
        passes = f"{use.passes} pass{'es' if use.passes > 1 else ''}"
        text = f"theirs is of a window in one pass; {use.pattern} in {passes} takes {moved:,.0f} B"
        return Ratio(value=None, note=f"not comparable: {text}")
    return Ratio(value=moved, note="mean of a head, its prologue included")


def window_keys(pattern: Pattern) -> int | None:
    """Keys of a row in a window of w keys before it, and w or w - 1 after it; None for any other pattern."""
    if isinstance(pattern, Window) and pattern.dilation == 1 and pattern.left - pattern.right in (0, 1):
        return pattern.left + pattern.right + 1 if pattern.left else None
    return None


def _ratios(run: Execution, time: RunTime, first: AttentionDone, energy: EnergyUse | None) -> Mapping[str, Ratio]:
    """The baselines over the heads of one operator."""
    op, spec = first.work.operator, run.program.spec
    seconds = time.seconds(first.ended - first.begun)
    alone = energy if run.program.companion is None else None
    found = attention_ratios(
        AttentionRun(
            tokens=first.work.groups[0].plan.queries,
            keys=window_keys(op.pattern),
            heads=op.heads * first.step.batch,
            head_dim=op.d_k,
            format=spec.format,
            attention_s=seconds,
            attention_j=None if alone is None else alone.mean_power_w * seconds,
        )
    )
    if energy is None or alone is not None:
        return found
    why = "not comparable: our power is that of the companion too; companion=none leaves it out"
    return {name: Ratio(value=None, note=why) if name.startswith("energy_") else ratio for name, ratio in found.items()}
