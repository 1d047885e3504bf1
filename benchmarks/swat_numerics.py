"""SWAT's arithmetic: errors by the parameters that decide them, one at a time, and what a running maximum costs.

python benchmarks/swat_numerics.py [--tokens 4096] [--seed 0]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from hwsim.pipeline import load_workload, run
from hwsim.verification import verify
from hwsim.verify.report import AttentionError

# Settings beside the shipped ones, FP16 with FP32 sums over the cores.
STUDY: tuple[tuple[str, ...], ...] = (
    (),
    ("qk_sum_format=fp32",),
    ("sum_format=fp16",),
    ("sum_format=fp16", "reduce_order=chain"),
    ("reduce_order=chain",),
    ("reduction_group=512",),
    ("format=fp32",),
)
RUNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("swat_kernel", ("workload.tokens=512",)),
    ("swat_kernel", ("workload.tokens=16384",)),
    ("swat_kernel", ("workload.tokens=16384", "mode=elastic")),
    ("longformer_base_4096", ("companion=none",)),
    ("bigbird_base_4096", ("companion=none",)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    console = Console(width=160)
    console.print(_errors(arguments.tokens, arguments.seed), highlight=False)
    console.print()
    console.print(_cycles(), highlight=False)


def _errors(tokens: int, seed: int) -> Table:
    title = f"swat_kernel, {tokens:,} tokens, random:{seed}: mean error by inputs, and rows lost of those computed"
    columns = (
        "settings",
        "random plain",
        "random safe",
        "dominating safe",
        "cancelling safe",
        "large plain",
        "large safe",
    )
    table = _table(title, columns)
    for settings in STUDY:
        report = verify("swat_kernel", "swat", [f"workload.tokens={tokens}", *settings], weights=f"random:{seed}")
        assert report.attention is not None
        (pattern,) = report.attention.patterns
        found: dict[tuple[str, str], AttentionError] = {
            (error.inputs, error.softmax): error for error in pattern.errors
        }
        means = (("random", "plain"), ("random", "safe"), ("dominating", "safe"), ("cancelling", "safe"))
        lost = (f"{found['large', softmax].rows_lost} of {pattern.rows}" for softmax in ("plain", "safe"))
        table.add_row(" ".join(settings) or "as shipped", *(_mean(found[of]) for of in means), *lost)
    return table


def _cycles() -> Table:
    table = _table("What a running maximum costs", ("workload", "plain", "safe", "more cycles", "share"))
    for name, settings in RUNS:
        cycles = [_run(name, (*settings, f"softmax={softmax}")) for softmax in ("plain", "safe")]
        more = cycles[1] - cycles[0]
        words = " ".join((name, *settings))
        table.add_row(words, *(f"{of:,}" for of in (*cycles, more)), f"{more / cycles[0]:.3%}")
    return table


def _run(name: str, settings: Sequence[str]) -> int:
    """Cycles of a run."""
    given = dict(word.split("=") for word in settings)
    workload = {
        key.removeprefix("workload."): int(value) for key, value in given.items() if key.startswith("workload.")
    }
    machine = {key: value for key, value in given.items() if not key.startswith("workload.")}
    return run(load_workload(name, **workload), "swat", machine).cycles


def _mean(error: AttentionError) -> str:
    return "-" if error.mean_absolute is None else f"{error.mean_absolute:.2e}"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="left" if name in ("settings", "workload") else "right")
    return table


if __name__ == "__main__":
    main()
