"""Reports whose cycles and counts no change of structure may alter.

`python -m tests.golden.reports` runs every case and prints how many reports were compared and how many differ;
`--record` keeps what the code gives now.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim import load_workload, run
from hwsim.errors import UserError
from hwsim.report.schema import Report

KEPT = Path(__file__).with_name("reports.json")
RECORDED = (
    "gpt2", "gpt2_large", "gpt2_medium", "gpt2_xl", "gpt3_large", "gpt3_medium", "gpt3_small", "gpt3_xl", "llama2_7b",
    "llama3_8b", "tiny_llama",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run, by the names that a user types."""

    workload: str
    machine: str
    run: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        parts = {**{f"workload.{key}": value for key, value in self.run.items()}, **self.settings}
        return " ".join([self.workload, self.machine, *(f"{key}={value}" for key, value in parts.items())])


OVERLAP = {"schedule": "overlap"}
FULL = (("gpt2", {}), ("gpt2", OVERLAP), ("tiny_llama", {}), ("gpt3_xl", {}))


def cases() -> Iterator[Case]:
    """All shipped workloads on both machines and schedules, then prompts, batches, devices and other settings."""
    for name in RECORDED:
        yield Case(workload=name, machine="pim_gpt", run={"tokens": 24})
        yield Case(workload=name, machine="pim_gpt", run={"tokens": 24}, settings=OVERLAP)
        yield Case(workload=name, machine="aim", run={"tokens": 16})
    for name, settings in FULL:
        yield Case(workload=name, machine="pim_gpt", settings=settings)
    for name in ("gpt2", "tiny_llama"):
        for machine, settings in (("pim_gpt", {}), ("pim_gpt", OVERLAP), ("aim", {})):
            for changes in (
                {"prompt": 40, "tokens": 8},
                {"batch": 3, "tokens": 8},
                {"prompt": 9, "batch": 2, "tokens": 5, "past": 30},
                {"phase": "prefill", "prompt": 33},
                {"attention": "window", "window": 20, "past": 60, "tokens": 12},
                {"lm_head": "included", "tokens": 6, "prompt": 3},
            ):
                yield Case(workload=name, machine=machine, run=changes, settings=settings)
            if machine == "pim_gpt":
                included, on_host = {"lm_head": "included", "tokens": 6}, {**settings, "lm_head": "host"}
                yield Case(workload=name, machine=machine, run=included, settings=on_host)
            more = {"batching": "row_reuse"} if machine == "pim_gpt" else {"refresh": "all_bank"}
            changes = {"prompt": 40, "batch": 2, "tokens": 4}
            yield Case(workload=name, machine=machine, run=changes, settings={**settings, **more})
    for devices in (
        {"devices": 2, "tensor_parallel": 2},
        {"devices": 4, "pipeline_parallel": 4},
        {"devices": 4, "tensor_parallel": 2, "pipeline_parallel": 2},
    ):
        for machine in ("pim_gpt", "aim"):
            yield Case(workload="gpt2", machine=machine, run={"tokens": 8, "prompt": 6}, settings=devices)
            yield Case(workload="llama2_7b", machine=machine, run={"tokens": 4}, settings={**devices})
    for dram in ("hbm2_newton", "hbm_pim"):
        yield Case(workload="gpt2", machine="pim_gpt", run={"tokens": 12}, settings={"dram": dram})
    yield Case(workload="gpt2", machine="pim_gpt", run={"tokens": 12}, settings={"refresh": False, "channels": 5})


def play(case: Case) -> dict[str, Any]:
    """The counts of a case's report, or the message of its error."""
    try:
        return counts_of(run(load_workload(case.workload, **case.run), case.machine, case.settings))
    except UserError as error:
        return {"error": type(error).__name__}


def counts_of(report: Report) -> dict[str, Any]:
    """The cycles and counts of a report, by the names of the schema in which they were first kept."""
    decoding, dram = report.decoding, report.dram
    assert decoding
    assert dram
    return {
        "cycles": report.cycles,
        "latency_s": report.latency_s,
        "instructions": report.instructions,
        "time_to_first_token_s": decoding.time_to_first_token_s,
        "tokens_per_s": decoding.tokens_per_s,
        "token_latencies": [[entry.context, entry.seconds] for entry in decoding.token_latencies],
        "breakdown": {part.kind: part.cycles for part in report.breakdown},
        "units": {unit.name: unit.busy_cycles for unit in report.units},
        "distance": {part.cause: part.seconds for part in report.bound.distance},
        "lower_bound_s": report.bound.lower_bound_s,
        "commands": dict(sorted(dram.commands.items())),
        "dram": [
            dram.bytes_read, dram.bytes_written, dram.io_bytes, dram.row_hit_rate, dram.refreshes, dram.refresh_cycles,
        ],
        "offchip": {way.link: way.size_bytes for way in report.offchip},
        "energy_j": report.energy_j,
        "excluded": [part.seconds_per_unit for part in report.excluded],
        "resources": _resources(report),
    }  # fmt: skip


def _resources(report: Report) -> dict[str, int]:
    """Memory, units and what was played, as far as the machine has them."""
    banks, dram = report.memory("banks"), report.dram
    assert dram
    found = {
        "weights_bytes": banks.holding("weights"),
        "cache_bytes": banks.holding("cache"),
        "padding_bytes": banks.padding_bytes,
        "memory_bytes": banks.used_bytes,
        "capacity_bytes": banks.size_bytes,
        "max_context": report.decoding and report.decoding.longest_context,
        "mac_units": report.resource("memory", "mac_units").used,
        **{f"asic_{use.resource}": use.used for use in report.resources if use.place == "asic"},
        "trace_cycles": dram.trace_cycles,
        "refresh_cost_cycles": dram.refresh_cost_cycles,
        "programs_played": dram.programs_played,
        "programs_repeated": dram.programs_repeated,
    }
    return {name: int(value) for name, value in found.items() if value is not None}


def differences(ours: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """The parts of a kept report that differ now."""
    return [f"{key}: {kept.get(key)} -> {ours.get(key)}" for key in {**kept, **ours} if kept.get(key) != ours.get(key)]


def main() -> int:
    record = "--record" in sys.argv[1:]
    kept = {} if record else json.loads(KEPT.read_text(encoding="utf-8"))
    found = {}
    differing = 0
    for case in cases():
        found[case.name] = json.loads(json.dumps(play(case)))
        changes = [] if record else differences(found[case.name], kept[case.name])
        differing += bool(changes)
        for change in changes:
            print(f"{case.name}: {change}")
    if record:
        lines = [f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in found.items()]
        KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    errors = sum("error" in entry for entry in found.values())
    print(f"{len(found)} reports {'recorded' if record else 'compared'} ({errors} refused), differences {differing}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
