"""PIM-GPT against modelled GPUs and CPUs, what the paper's ratios imply, and the model against a measured GPU.

python benchmarks/baselines.py [--tokens N] [--measured FILE ...] [MODEL ...]

All devices are modelled (hwsim/baselines); measured figures come from files that benchmarks/gpu_decode.py wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run
from hwsim.baselines import Device, decode_latency, devices, find_device, step_times
from hwsim.errors import MachineError, UserError
from hwsim.mapping.models import build_graph
from hwsim.mapping.step import Step
from hwsim.report.schema import Report

MODELS = ("gpt2", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl")
# The paper's ranges over its eight models; speed-ups are the same in all its versions.
SPEED = {"t4": (41, 137), "xeon_gold_6154": (631, 1074)}
ENERGY = {"t4": {"v1": (339, 1085), "v2": (123, 383)}, "xeon_gold_6154": {"v1": (890, 1632), "v2": (320, 602)}}
MEASURED = Path(__file__).parent.parent / "docs" / "data"


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]], console: Console) -> None:
    made = Table(title=title, title_justify="left", box=None)
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index else "left")
    for row in rows:
        made.add_row(*row)
    console.print(made, highlight=False)
    console.print()


def span(values: Iterable[float]) -> str:
    found = list(values)
    return f"{min(found):.1f}-{max(found):.1f}x"


def latencies(reports: dict[str, Report], console: Console) -> None:
    """Latency of every model on every device, and the speed-ups over the paper's two."""
    rows = []
    ratios: dict[str, list[float]] = {key: [] for key in SPEED}
    for name, report in reports.items():
        workload = load_workload(name, tokens=report.decoding.tokens)
        made = {key: decode_latency(workload, device).latency_s for key, device in devices().items()}
        for key in SPEED:
            ratios[key].append(made[key] / report.latency_s)
        cells = [f"{seconds * 1e3:.1f}" for seconds in made.values()]
        rows.append((name, f"{report.latency_s * 1e3:.1f}", *cells, *(f"{ratios[key][-1]:.1f}x" for key in SPEED)))
    columns = ("model", "PIM-GPT ms", *(f"{key} ms" for key in devices()), *(f"over {key}" for key in SPEED))
    table("Latency, PIM-GPT simulated and the others modelled", columns, rows, console)
    for key, (low, high) in SPEED.items():
        console.print(f"speed-up over {key}: ours, modelled {span(ratios[key])}; paper (v1, v2, journal) {low}-{high}x")
    console.print()


def energies(reports: dict[str, Report], console: Console) -> None:
    """Energy of every model on the paper's two devices, beside the paper's ranges by version."""
    known = {name: report for name, report in reports.items() if report.energy_j is not None}
    if not known:
        console.print("energy ratios: not comparable, the runs have no energy\n")
        return
    rows = []
    ratios: dict[str, list[float]] = {key: [] for key in ENERGY}
    for name, report in known.items():
        workload = load_workload(name, tokens=report.decoding.tokens)
        made = {key: decode_latency(workload, find_device(key)).energy_j for key in ENERGY}
        for key in ENERGY:
            ratios[key].append(made[key] / (report.energy_j or 0))
        cells = [f"{joules:.1f}" for joules in made.values()]
        rows.append((name, f"{report.energy_j:.3f}", *cells, *(f"{ratios[key][-1]:.1f}x" for key in ENERGY)))
    columns = ("model", "PIM-GPT J", *(f"{key} J" for key in ENERGY), *(f"over {key}" for key in ENERGY))
    table("Energy, all modelled", columns, rows, console)
    for key, versions in ENERGY.items():
        theirs = ", ".join(f"{low}-{high}x ({version})" for version, (low, high) in versions.items())
        console.print(f"energy over {key}: ours, modelled {span(ratios[key])}; paper {theirs} (journal as v2)")
    console.print()


def implied(reports: dict[str, Report], console: Console) -> None:
    """What the ends of the paper's ranges would mean for its baselines, given our PIM-GPT latency."""
    rows = []
    for key, (low, high) in SPEED.items():
        device = find_device(key)
        for name, ratio in (("gpt2", high), ("gpt2_xl", low)):  # smaller models have the larger speed-up (M .6)
            if name not in reports:
                continue
            workload = load_workload(name, tokens=reports[name].decoding.tokens)
            made = decode_latency(workload, device)
            theirs = reports[name].latency_s * ratio
            launches = made.overhead_s / device.launch_overhead_s
            moved = made.busy_s * device.memory_bytes_per_s * device.memory_efficiency
            rows.append((
                key, name, f"{ratio}x", f"{theirs * 1e3 / workload.run.tokens:.1f}", f"{moved / theirs * 1e-9:.1f}",
                f"{moved / theirs / device.memory_bytes_per_s:.1%}", f"{(theirs - made.busy_s) / launches * 1e6:.0f}",
            ))  # fmt: skip
    columns = ("device", "model", "speed-up", "ms a token", "GB/s", "of its bandwidth", "or us an operator")
    table("What the paper's ratios imply of its baselines (from our PIM-GPT latency)", columns, rows, console)


def measured(path: Path, console: Console) -> None:
    """The model against a measured GPU, mean over the contexts, blocks alone."""
    found: dict[str, Any] = json.loads(path.read_text())
    name, probes = found["device"]["name"], found["probes"]
    device = device_named(name)
    console.print(f"{name}, driver {found['device']['driver']}, torch {found['device']['torch']}, {found['date']}")
    copied, read = probes["copy_bytes_per_s"] * 1e-12, probes["gemv_read_bytes_per_s"] * 1e-12
    console.print(
        f"probes: copy {copied:.2f}, gemv {read:.2f} of {device.memory_bytes_per_s * 1e-12:.2f} TB/s; "
        f"eager operator {probes['eager_add_s'] * 1e6:.2f} us, graph node {probes['graph_node_s'] * 1e6:.2f} us\n",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    rows = []
    for model in found["models"]:
        means = {mean["mode"]: mean["mean_s"] for mean in model["means"] if mean["part"] == "blocks"}
        contexts = max(found["settings"]["contexts"])
        for mode, probe in (("eager", "eager_add_s"), ("graph", "graph_node_s")):
            probed = replace(device, launch_overhead_s=probes[probe])
            shipped, own = (per_token(model["name"], each, contexts) for each in (device, probed))
            pure = per_token(model["name"], replace(device, launch_overhead_s=0.0), contexts)
            real = means[mode]
            cells = [f"{seconds * 1e6:.0f}" for seconds in (real, pure, shipped, own)]
            rows.append((model["name"], mode, *cells, f"{real / shipped:.2f}", f"{real / own:.2f}"))
    columns = ("model", "mode", "measured us", "no launch", "as shipped", "probed launch", "/ shipped", "/ probed")
    table("Mean us a token over contexts, blocks alone: measured, and modelled three ways", columns, rows, console)
    _energy(found, device, console)


def _energy(found: dict[str, Any], device: Device, console: Console) -> None:
    rows = []
    for model in found["models"]:
        workload = load_workload(model["name"])
        for entry in model["energy"]:
            times = step_times(build_graph(workload), Step(queries=1, context=entry["context"]), device, "bf16")
            busy, waiting = sum(t.busy_s for t in times), sum(t.overhead_s for t in times)
            watts = device.tdp_w * (device.active_fraction * busy + device.idle_fraction * waiting) / (busy + waiting)
            joules = watts * (busy + waiting)
            rows.append((
                model["name"], entry["mode"], str(entry["context"]), f"{entry['board_power_w']:.0f}", f"{watts:.0f}",
                f"{entry['energy_per_token_j'] * 1e3:.1f}", f"{joules * 1e3:.1f}",
            ))  # fmt: skip
    columns = ("model", "mode", "context", "board W", "modelled W", "mJ a token", "modelled mJ")
    if rows:
        table(f"Power and energy ({found['power_source']}) and the model as shipped", columns, rows, console)


def per_token(model: str, device: Device, contexts: int) -> float:
    """Modelled mean over contexts 1..contexts."""
    return decode_latency(load_workload(model, tokens=contexts), device).latency_s / contexts


def device_named(name: str) -> Device:
    """The modelled device that a measured one is."""
    for key, device in devices().items():
        if device.kind == "gpu" and key.upper() in name.upper().split():
            return device
    raise MachineError(f"{name}: no such device in hwsim/baselines/devices.yaml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--measured", nargs="*", type=Path, default=sorted(MEASURED.glob("gpu_decode_*.json")))
    arguments = parser.parse_args()
    console = Console(width=150)
    reports = {name: run(load_workload(name, tokens=arguments.tokens)) for name in arguments.models}
    latencies(reports, console)
    energies(reports, console)
    implied(reports, console)
    for path in arguments.measured:
        measured(path, console)


if __name__ == "__main__":
    try:
        main()
    except UserError as cause:
        raise SystemExit(f"error: {cause}") from None
