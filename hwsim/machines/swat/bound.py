"""The lower bound of a run, and what lies above it."""

from __future__ import annotations

from collections import Counter

from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.report.build import Distance, bound_use
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound

NOTE = (
    "pairs of query and key at the rate of all cores, multiply-accumulates of the companion at the rate of its array, "
    "one operator after the other as data depend"
)


def bound_of(run: Execution, time: RunTime) -> Bound:
    """Split the latency into the lower bound and what lies above it, by the pipeline that each operator waits for."""
    parts: Counter[str] = Counter()
    lower = 0
    for done in run.ledger.attention:
        slowest = max(done.played, key=lambda played: played[-1].ended if played else 0)
        lower += _least(done)
        parts["memory"] += sum(each.memory_wait + each.room_wait for each in slowest)
        parts["loads"] += sum(each.prologue for each in slowest)
        parts["drain"] += sum(each.drain for each in slowest)
    inside = sum(done.ended - done.begun for done in run.ledger.attention) - lower - parts.total()
    for work, played in run.ledger.beside:
        least = _least_beside(run, work.macs)
        lower += least
        parts["array"] += played.matrix - least
        parts["lanes"] += played.vector
        parts["rows"] += played.rows_wait + played.writes_wait
        parts["weights"] += played.weights_wait
    rest = time.ticks - lower - parts.total() - inside
    distance: list[Distance] = [
        ("cores without a key, and stages slower than a core's products", "unit", inside),
        ("filling and emptying the stages", "unit", parts["drain"]),
        ("loads between passes", "transfers", parts["loads"]),
        ("cores wait for memory", "transfers", parts["memory"]),
    ]
    if run.companion:
        distance += [
            ("matrix unit: tiles that are not full, latency", "unit", parts["array"]),
            ("vector lanes", "unit", parts["lanes"]),
            ("companion waits for rows", "transfers", parts["rows"]),
            ("companion waits for weights", "transfers", parts["weights"]),
            ("last rows of attention on their way to the memory", "transfers", rest),
        ]
    return bound_use(time, lower, NOTE, distance)


def _least(done: AttentionDone) -> int:
    """Ticks of all pairs if every core always had one."""
    design = done.work.design
    spec = design.spec
    pairs = sum(group.plan.pairs * group.count for group in done.work.groups)
    cycles = pairs * max(spec.qk_interval, spec.sv_interval) * design.head_dim // (spec.cores * spec.pipelines)
    return spec.time_base.clocks["fabric"].ticks(cycles)


def _least_beside(run: Execution, macs: int) -> int:
    """Ticks of multiply-accumulates on a full array."""
    spec = run.program.spec
    assert spec.companion_units is not None  # it has run something
    return spec.time_base.clocks["fabric"].ticks(macs // spec.companion_units.matrix.macs_per_cycle)
