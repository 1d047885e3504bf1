"""What the schedule `overlap` gains over the paper's, model by model.

python benchmarks/overlap.py [--tokens N] [--past N] [MODEL ...]
"""

from __future__ import annotations

import argparse
import time

from paper_models import MODELS
from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run

COLUMNS = ("model", "paper ms", "overlap ms", "gain", "of the bound", "package busy", "ASIC busy", "run time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--past", type=int, default=0, help="tokens whose keys and values are there already")
    arguments = parser.parse_args()
    past = f", after {arguments.past}" if arguments.past else ""
    table = Table(title=f"{arguments.tokens} tokens{past} on pim_gpt; `of the bound` is the placement's", box=None)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "model" else "right")
    for model in arguments.models:
        window = max(load_workload(model).model.n_ctx, arguments.past + arguments.tokens)
        workload = load_workload(model, tokens=arguments.tokens, past=arguments.past, n_ctx=window)
        begun = time.perf_counter()
        paper = run(workload)
        between = time.perf_counter()
        overlap = run(workload, settings={"schedule": "overlap"})
        took = (time.perf_counter() - between) / (between - begun)
        busy = {unit.name: unit.utilisation for unit in overlap.units}
        table.add_row(
            model,
            f"{paper.latency_s * 1e3:.3f}",
            f"{overlap.latency_s * 1e3:.3f}",
            f"{paper.latency_s / overlap.latency_s:.3f}x",
            f"{paper.bound.ratio:.3f} -> {overlap.bound.ratio:.3f}",
            f"{busy['pim']:.1%}",
            f"{busy['asic']:.1%}",
            f"{took:.1f}x",
        )
    Console(width=120).print(table, highlight=False)


if __name__ == "__main__":
    main()
