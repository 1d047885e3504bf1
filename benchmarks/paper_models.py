"""The paper's eight models, 1,024 tokens each: latency against its lower bound, and what lies between.

python benchmarks/paper_models.py [--tokens N] [MODEL ...]
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run

MODELS = ("gpt2", "gpt2_medium", "gpt2_large", "gpt2_xl", "gpt3_small", "gpt3_medium", "gpt3_large", "gpt3_xl")
# Bounds in ms, calculated apart from this code, for 1,024 tokens (docs/validation.md).
FACTS_MS = {
    "gpt2": 69.3, "gpt2_medium": 235.7, "gpt2_large": 540.5, "gpt2_xl": 1128.0,
    "gpt3_small": 69.3, "gpt3_medium": 235.7, "gpt3_large": 509.5, "gpt3_xl": 886.7,
}  # fmt: skip

COLUMNS = (
    "model",
    "latency ms",
    "bound ms",
    "bound/facts",
    "ratio",
    "row hits",
    "refresh",
    "transfers",
    "rows",
    "ASIC",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--tokens", type=int, default=1024)
    arguments = parser.parse_args()
    title = f"{arguments.tokens} tokens on pim_gpt, schedule paper; the parts are in % of the bound"
    table = Table(title=title, box=None)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "model" else "right")
    for model in arguments.models:
        report = run(load_workload(model, tokens=arguments.tokens))
        bound = report.bound
        facts = f"{bound.lower_bound_s * 1e3 / FACTS_MS[model]:.4f}" if arguments.tokens == 1024 else "-"
        kinds = ("refresh", "transfers", "rows", "unit")
        parts = [f"{bound.seconds(kind) / bound.lower_bound_s:.1%}" for kind in kinds]
        table.add_row(
            model,
            f"{report.latency_s * 1e3:.3f}",
            f"{bound.lower_bound_s * 1e3:.3f}",
            facts,
            f"{bound.ratio:.3f}",
            f"{report.dram.row_hit_rate:.2%}",
            *parts,
        )
    Console(width=120).print(table, highlight=False)


if __name__ == "__main__":
    main()
