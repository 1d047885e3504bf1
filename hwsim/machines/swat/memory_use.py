"""What a run moved to and from the board's memory, and the commands that its channels took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from hwsim.dram.random_access.bursts import burst_times
from hwsim.machines.swat.design import Design
from hwsim.machines.swat.ledger import AttentionDone
from hwsim.machines.swat.model import Execution
from hwsim.machines.swat.parts import HBM, channels_in_use
from hwsim.machines.swat.rows.head import prologue_bursts
from hwsim.machines.swat.rows.player import Heads, Played
from hwsim.machines.swat.spec import SwatSpec
from hwsim.mapping.cores.plan import CorePlan
from hwsim.report.schema import DramUse, MemoryUse


def played_groups(done: AttentionDone) -> Iterator[tuple[int, CorePlan, Heads, Played]]:
    """Number and plan of a group of heads, those that a pipeline took of it, and what came of them."""
    for pipeline, played in enumerate(done.played):
        taken = [
            (number, group.plan, heads)
            for number, group in enumerate(done.work.groups)
            if (heads := group.heads(done.work.design, pipeline))
        ]
        for (number, plan, heads), one in zip(taken, played, strict=True):
            yield number, plan, heads, one


def moved_bytes(done: AttentionDone, number: int) -> Counter[str]:
    """Bytes of all heads of a group, by channel: q, k, v, z and carry."""
    found: Counter[str] = Counter()
    design = done.work.design
    for which, plan, heads, one in played_groups(done):
        if which != number:
            continue
        found.update(one.read_bytes)
        results = heads.count * int(heads.each.divided.sum()) * design.layout.result.row_bytes
        found["z"] += results
        found["carry"] += one.written_bytes - results
        first = first_loads(plan, design)[0]
        found["k"] += first
        found["v"] += first
    return found


@lru_cache(maxsize=64)
def first_loads(plan: CorePlan, design: Design) -> tuple[int, Mapping[str, int]]:
    """Bytes of K that are loaded before the first row is begun, and commands for them; V's are as many.

    Only a hidden prologue has them: they are read before the time that counts, when no refresh is near.
    """
    spec = design.spec
    if spec.prologue == "counted":
        return 0, {}
    bursts = prologue_bursts(plan, design.layout, design.table_rows)
    commands: Counter[str] = Counter()
    for kind in bursts.kind.tolist():
        offset, size = bursts.kinds[kind]
        times = burst_times(spec.channel, write=False, offset=offset, size=size)
        commands.update(times.commands(times.quiet))
    return bursts.size_bytes, commands


def offchip(run: Execution) -> dict[str, int]:
    """Bytes that crossed the chip's border, by what they are."""
    found: Counter[str] = Counter()
    for done in run.ledger.attention:
        for number in range(len(done.work.groups)):
            found.update(moved_bytes(done, number))
    if run.companion:
        found["activations"] = sum(run.companion.rows.bytes)
        found["weights"] = sum(run.companion.weights.bytes)
    return {name: size for name, size in found.items() if size}


def commands_of(run: Execution) -> Counter[str]:
    """DRAM commands of all channels by name, without refreshes."""
    found: Counter[str] = Counter()
    for done in run.ledger.attention:
        for _, plan, _, one in played_groups(done):
            found.update(one.commands)
            for name, count in first_loads(plan, done.work.design)[1].items():
                found[name] += 2 * count
    if run.companion:
        found.update(run.companion.rows.commands())
        found.update(run.companion.weights.commands())
    return found


def dram_use(run: Execution) -> DramUse:
    """The report's section."""
    spec = run.program.spec
    standard, commands = spec.standard, commands_of(run)
    reads, writes = commands["RD"] + commands["RDA"], commands["WR"] + commands["WRA"]
    refreshes = _refreshes(run)
    if standard.refresh:
        commands[standard.refresh.command] = refreshes
    return DramUse(
        standard=standard.name,
        bytes_read=reads * standard.column_bytes,
        bytes_written=writes * standard.column_bytes,
        io_bytes=(reads + writes) * standard.column_bytes,
        commands={name: count for name, count in sorted(commands.items()) if count},
        row_hit_rate=1 - commands["ACT"] / (reads + writes) if reads + writes else 0.0,
        refreshes=refreshes,
        refresh_cycles=refreshes * standard.params["nRFC"] if refreshes else 0,
        commands_represented=sum(commands.values()),
        steps_executed=sum(one.bursts for done in run.ledger.attention for one in done.all_played),
    )


def _refreshes(run: Execution) -> int:
    """Of the channels that the machine uses."""
    spec = run.program.spec
    cycle = -(-run.ticks // run.diagram.clocks["memory"].period_ticks)
    return spec.channel.refreshes_by(cycle) * channels_in_use(spec)


def memory_use(spec: SwatSpec, use: DramUse) -> MemoryUse:
    """The board's memory: what it holds is not planned, since each stream has channels of its own."""
    return MemoryUse(
        name=HBM,
        kind="hbm",
        size_bytes=spec.channel.address_mapping.capacity_bytes * spec.hbm.channels,
        used_bytes=None,
        padding_bytes=None,
        bytes_read=use.bytes_read,
        bytes_written=use.bytes_written,
        parts=[],
    )
