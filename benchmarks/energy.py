"""Energy of the paper's eight models by each energy table, and its sensitivity to the coefficients.

python benchmarks/energy.py [--tokens N] [MODEL ...]
"""

from __future__ import annotations

import argparse
import time

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run
from hwsim.energy import TABLES
from hwsim.errors import UserError
from hwsim.report.schema import EnergyUse, Report

MODELS = ("gpt2", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl")
TURNS = ("off", "paper")
GROUPS = {
    "background": ("dram_background",),
    "activate": ("dram_activate",),
    "MAC": ("dram_mac", "mac_units"),
    "write": ("dram_read", "dram_write", "vector_buffer"),
    "refresh": ("dram_refresh",),
    "I/O": ("dram_io",),
    "ASIC": ("asic_static", "asic_dynamic"),
}


def energy_by(report: Report) -> EnergyUse:
    assert report.energy is not None
    return report.energy


def models_table(models: list[str], tokens: int) -> Table:
    table = Table(title=f"{tokens} tokens on pim_gpt; parts in % of the total", box=None)
    for name in ("model", "table", "mJ/token", "ratio to aim", "W", "pJ/MAC", *GROUPS):
        table.add_column(name, justify="left" if name in ("model", "table") else "right")
    for model in models:
        workload = load_workload(model, tokens=tokens)
        each = {name: energy_by(run(workload, settings={"energy": name})) for name in TABLES}
        for name, energy in each.items():
            joules = {part.component: part.share for part in energy.components}
            table.add_row(
                model,
                name,
                f"{energy.joules_per_unit * 1e3:.3f}",
                f"{energy.joules / each['aim'].joules:.3f}",
                f"{energy.mean_power_w:.2f}",
                f"{(energy.joules_per_mac or 0) * 1e12:.2f}",
                *(f"{sum(joules[part] for part in parts):.1%}" for parts in GROUPS.values()),
            )
    return table


def sensitivity_table(model: str, tokens: int) -> Table:
    """Each unconfirmed coefficient of table `paper` halved and doubled."""
    workload = load_workload(model, tokens=tokens)
    usual = energy_by(run(workload))
    table = Table(
        title=f"{model}, {tokens} tokens, table paper: energy with a coefficient halved and doubled", box=None
    )
    for name in ("coefficient", "grade", "value", "at half", "at double"):
        table.add_column(name, justify="left" if name in ("coefficient", "grade") else "right")
    for coefficient in usual.coefficients:
        if coefficient.grade not in ("M", "A"):
            continue
        changes = []
        for factor in (0.5, 2.0):
            value = coefficient.value * factor if coefficient.value else factor / 2  # from 0: a quarter, all
            try:
                energy = energy_by(run(workload, settings={f"energy_table.{coefficient.name}": value}))
                changes.append(f"{energy.joules / usual.joules - 1:+.1%}")
            except UserError as cause:
                changes.append("refused" if "comes to" in str(cause) else str(cause))
        table.add_row(coefficient.name, coefficient.grade, f"{coefficient.value:g}", *changes)
    whole = energy_by(run(workload, settings={"energy_table.mac_read_share": 1.0}))
    table.add_row(
        "mac_read_share = 1", "", "", "", f"{whole.joules / usual.joules - 1:+.1%}, {whole.mean_power_w:.0f} W"
    )
    return table


def run_times(tokens: int) -> str:
    """CPU time of a run with energy on and off, the best of twelve each, in turns."""
    workload = load_workload("gpt2", tokens=tokens)
    best = dict.fromkeys(TURNS, float("inf"))
    for _ in range(12):
        for name in TURNS:
            begin = time.process_time()
            run(workload, settings={"energy": name})
            best[name] = min(best[name], time.process_time() - begin)
    ratio = best["paper"] / best["off"] - 1
    return f"gpt2, {tokens} tokens: {best['off']:.3f} s with energy off, {best['paper']:.3f} s on ({ratio:+.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--tokens", type=int, default=1024)
    arguments = parser.parse_args()
    console = Console(width=140)
    console.print(models_table(arguments.models, arguments.tokens), highlight=False)
    console.print()
    console.print(sensitivity_table("gpt2", min(arguments.tokens, 32)), highlight=False)
    console.print()
    console.print(run_times(min(arguments.tokens, 256)), highlight=False)


if __name__ == "__main__":
    main()
