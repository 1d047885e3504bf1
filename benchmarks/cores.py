"""Attention patterns on cores: what global queries and the refill of random cores cost, by other ways of doing it.

python benchmarks/cores.py [--tokens 4096] [--cores 512] [--loads 6]
"""

from __future__ import annotations

import argparse
from math import ceil

import numpy as np
from rich.console import Console
from rich.table import Table

from hwsim.mapping.cores.compile import Alternative, alternatives
from hwsim.mapping.cores.plan import CorePass
from hwsim.mapping.cores.target import CoreTarget
from hwsim.mapping.patterns import Pattern, parse_pattern

BIGBIRD = "block_local(64, 1, forward=1) | random_blocks(3, 64, seed=0) | global(64, last=64)"
GLOBAL = (BIGBIRD, "window(256, 256) | global(1)", "window(256, 255) | global(1)")


def global_queries(console: Console, tokens: int, target: CoreTarget) -> None:
    """Print rows through the cores, keys loaded and intervals of each way to serve global queries."""
    for text in GLOBAL:
        pattern = parse_pattern(text)
        table = Table(title=f"{text}, {tokens:,} tokens, {target.cores} cores", title_justify="left", box=None)
        for name in ("global queries", "rows", "passes", "loads", "intervals"):
            table.add_column(name, justify="left" if name == "global queries" else "right")
        for found in alternatives(pattern, tokens, tokens, target):
            name = f"in passes of their own ({found.apart})" if found.apart else "with the other rows"
            table.add_row(name, *_counted(found, target))
        passes = ceil(tokens / target.cores)
        rows = tokens * passes
        every = (rows, passes, tokens, rows + target.drain * passes)
        table.add_row("all rows through all keys", *(f"{number:,}" for number in every))
        console.print(table, highlight=False)
        console.print()


def _counted(found: Alternative, target: CoreTarget) -> list[str]:
    time, loaded, passes = found.cost(target)
    rows = sum(len(each.rows) for each in found.passes)
    return [f"{rows:,}", f"{passes}", f"{loaded:,}", f"{time:,.0f}"]


def random_refill(console: Console, tokens: int, target: CoreTarget) -> None:
    """Print the first pass of BigBird with keys spread over rows, and with keys loaded where they are first needed."""
    table = Table(title=f"{BIGBIRD}, the first pass", title_justify="left", box=None)
    for name in ("refill", "most loads a row", "intervals of the rows"):
        table.add_column(name, justify="left" if name == "refill" else "right")
    first = _first_pass(parse_pattern(BIGBIRD), tokens, target)
    held = first.residencies
    needed = np.bincount(held.first[held.first > 0], minlength=len(first.rows))
    for name, counts in (("spread over the block before", first.loads), ("in the first row of a block", needed)):
        table.add_row(name, f"{counts.max()}", f"{np.maximum(1, counts / target.loads).sum():,.0f}")
    console.print(table, highlight=False)


def _first_pass(pattern: Pattern, tokens: int, target: CoreTarget) -> CorePass:
    found = alternatives(pattern, tokens, tokens, target)
    return min(found, key=lambda each: each.cost(target)).passes[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=4096, help="a multiple of 64")
    parser.add_argument("--cores", type=int, default=512)
    parser.add_argument("--loads", type=int, default=6, help="rows of K and V that a row's interval has time to load")
    arguments = parser.parse_args()
    console = Console(width=120)
    target = CoreTarget(cores=arguments.cores, loads=arguments.loads)
    global_queries(console, arguments.tokens, target)
    random_refill(console, arguments.tokens, target)


if __name__ == "__main__":
    main()
