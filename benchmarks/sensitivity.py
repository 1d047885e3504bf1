"""How latency depends on unconfirmed numbers: each remembered or assumed number is halved and doubled.

python benchmarks/sensitivity.py [--model gpt2] [--tokens 128]
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run
from hwsim.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="gpt2")
    parser.add_argument("--tokens", type=int, default=128)
    arguments = parser.parse_args()
    workload = load_workload(arguments.model, tokens=arguments.tokens)
    usual = run(workload, settings={"energy": "off"})  # whose coefficients move no latency
    table = Table(
        title=f"{arguments.model}, {arguments.tokens} tokens: latency {usual.latency_s * 1e3:.3f} ms", box=None
    )
    for name in ("parameter", "grade", "value", "at half", "at double"):
        table.add_column(name, justify="left" if name in ("parameter", "grade") else "right")
    for parameter in usual.unconfirmed:
        value = parameter.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not value:
            continue
        halves = value / 2 if isinstance(value, float) else value // 2
        changes = []
        for other in (halves, value * 2):
            try:
                latency = run(workload, settings={"energy": "off", parameter.name: other}).latency_s
                changes.append(f"{latency / usual.latency_s - 1:+.2%}")
            except UserError as cause:
                changes.append(str(cause).split(": ")[-1][:40])
        table.add_row(parameter.name, parameter.grade, f"{value:g}", *changes)
    Console(width=120).print(table, highlight=False)


if __name__ == "__main__":
    main()
