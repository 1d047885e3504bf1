"""The paper's figures beside those of a run."""

from __future__ import annotations

from itertools import pairwise

from hwsim.baselines.ratios import Ratio
from hwsim.data_file import read_data
from hwsim.machines.m3vit.experts import new_cache
from hwsim.machines.m3vit.model import Execution
from hwsim.machines.m3vit.onchip import OnChip, on_chip
from hwsim.machines.m3vit.programs import Program
from hwsim.machines.m3vit.spec import Mode
from hwsim.mapping.operators import ExpertFfn
from hwsim.report.published import published_beside, read_published
from hwsim.report.published_rows import read_rows, row_ratios, run_figures
from hwsim.report.run_time import RunTime
from hwsim.report.schema import EnergyUse, Published

MIB = 1 << 20
# The two published latencies whose difference the fetches of experts are, on PASCAL-Context.
CACHE_S, REORDER_S = 0.637478, 0.069033


def published(run: Execution, time: RunTime, energy: EnergyUse | None) -> tuple[Published, ...]:
    """Figures that speak of the run's workload and mode, with ours beside them."""
    document, program = read_data("hwsim.machines.m3vit", "published.yaml"), run.program
    figures = read_published([*document["figures"], *document["modes"][program.spec.mode]])
    each = time.seconds(time.ticks) / program.workload.run.produced
    ours = {
        **run_figures(seconds_per_unit=each, energy=energy),
        **row_ratios(read_rows(document["rows"]), seconds_per_unit=each, energy=energy),
        **_memory(program),
        "macs_per_cycle": Ratio(value=run.ledger.macs / run.ledger.ended, note=""),
        "switch_cycles": _switches(run),
        "over_cache": _over_cache(run, energy),
        "fetch_gb_per_s": _fetches(run),
    }
    return published_beside(figures, program.workload.name, ours, energy=energy)


def as_counted(program: Program, mode: Mode | None = None) -> OnChip:
    """What lies on the chip for the images and classes of ImageNet, of which the published sums are.

    Their GPU rows are all parameters of that model (42.058 and 82.747 MiB), their FPGA rows those of one layer and of
    what lies outside the layers. We hold biases for as many experts as the buffers hold, they for a dense layer.
    """
    patches = {"tokens": 197, "class_tokens": 1, "classes": 1000, "final_norm": True}
    return on_chip(program, mode, program.sizes.model_copy(update=patches))


def _memory(program: Program) -> dict[str, Ratio]:
    chip, whole = as_counted(program), as_counted(program, "resident")
    held = f", {chip.held_experts} experts at a time" if chip.held_experts else ""
    inner = f"hidden layer or experts {chip.experts:,} B{held}"
    parts = f"resident {chip.resident:,} B, attention {chip.attention:,} B, {inner}"
    gate = f", gate {chip.gate:,} B" if chip.gate else ""
    return {
        "weights_mib": Ratio(value=chip.weights / MIB, note=f"{parts}{gate}"),
        "memory_ratio": Ratio(
            value=whole.weights / as_counted(program, "reorder").weights,
            note=f"{whole.weights / MIB:.3f} MiB with all {whole.held_experts} experts of a layer",
        ),
    }


def _switches(run: Execution) -> Ratio:
    """Cycles that passes for another task than the one before waited for what the switch changed."""
    steps = run.ledger.steps
    waits = [
        after.begin_wait + after.gate_wait for before, after in pairwise(steps) if before.step.task != after.step.task
    ]
    if not waits:
        return Ratio(value=None, note="not comparable: the run has one task; --set workload.tasks=[A,B,A] switches")
    return Ratio(
        value=sum(waits) / len(waits), note=f"mean of {len(waits)}: waits for a gate or for weights at the begin"
    )


def _over_cache(run: Execution, energy: EnergyUse | None) -> Ratio:
    """Energy with the cache over that with reordering; the mode that was not run is estimated from the one that was."""
    if energy is None:
        return Ratio(value=None, note="not comparable: energy is off")
    ledger, mode = run.ledger, run.program.spec.mode
    if mode == "cache":
        return Ratio(
            value=ledger.ended / (ledger.ended - ledger.weight_wait),
            note="at constant power; without the waits for experts of this run, --set mode=reorder runs it",
        )
    fetches = misses(run.program)
    rate = ledger.fetch_bytes_per_cycle
    cycles = fetches * run.program.mapped.placement.expert_bytes / rate if rate else 0.0
    return Ratio(
        value=(ledger.ended + cycles) / ledger.ended,
        note=f"at constant power; estimated from {fetches:,} misses of the cache at this run's rate of loads, "
        "--set mode=cache runs it",
    )


def _fetches(run: Execution) -> Ratio:
    """Bandwidth of the fetches, and what the published latencies presume for as many."""
    ledger, spec = run.ledger, run.program.spec
    fetched = len(ledger.visits) * run.program.mapped.placement.expert_bytes
    if not fetched:
        return Ratio(value=None, note="not comparable: nothing was fetched")
    rate = ledger.fetch_bytes_per_cycle * spec.clock_hz
    presumed = fetched / (CACHE_S - REORDER_S)
    peak = spec.standard.column_bytes / spec.standard.params["nBL"] * float(spec.standard.clock_hz)
    return Ratio(
        value=rate / 1e9,
        note=f"their two latencies presume {presumed / 1e9:.1f} GB/s for our {len(ledger.visits):,} misses; "
        f"the memory's peak is {peak / 1e9:.1f} GB/s",
    )


def misses(program: Program) -> int:
    """Fetches of experts over a run with the cache of the spec."""
    spec, size = program.spec, program.mapped.placement.expert_bytes
    if not size or spec.cache.capacity_bytes < size:
        return 0
    capacity = spec.cache.capacity_bytes // size
    operators = [op for op in program.mapped.graph.operators if isinstance(op, ExpertFfn)]
    return sum(
        sum(1 for _ in new_cache(spec, capacity).misses(op.token_experts(step)))
        for step in program.steps()
        for op in operators
    )
