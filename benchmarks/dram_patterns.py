"""What patterns of requests take on plain memory, and how much of that the timing allows.

    python benchmarks/dram_patterns.py [--standards NAME ...] [--requests N]
    python benchmarks/dram_patterns.py --set write_high=16,24 --set write_low=4,8 [--best N]

The first prints a table for each standard: cycles, activates an access, and the least cycles that the timing allows for
these accesses as a share of them. The second plays every combination of the values and prints those with the best
geometric mean over all patterns and standards, as cycles relative to the controller as it is shipped; a write_low that
does not lie below write_high is left out, and so are columns in which nothing moves.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from hwsim.dram.device.standard import Standard
from hwsim.dram.random_access.coalesce import coalesce
from hwsim.dram.random_access.limits import limit, refresh_share
from hwsim.dram.random_access.mappings import load_mapping
from hwsim.dram.random_access.parameters import ControllerParameters, load_parameters
from hwsim.dram.random_access.patterns import generate
from hwsim.dram.random_access.player import MemoryPlayer
from hwsim.dram.random_access.requests import Ints, Requests
from hwsim.dram.random_access.row_visits import RowVisits
from hwsim.dram.random_access.served import Served
from hwsim.dram.standards.load import load_standard
from hwsim.errors import UserError


class Case(NamedTuple):
    """A pattern and its share of reads."""

    name: str
    pattern: str
    read_share: float | None = None


CASES = (
    Case("stream", "stream"),
    Case("write stream", "stream", 0.0),
    Case("random", "random"),
    Case("stride 4,160 B", "stride:4160"),
    Case("stride 8 KiB", f"stride:{8 << 10}"),
    Case("stride 128 KiB + 64", f"stride:{(128 << 10) + 64}"),
    Case("copy", "copy"),
    Case("random, 67 % reads", "random", 0.67),
    Case("local, 67 % reads", "local", 0.67),
)


class Traffic(NamedTuple):
    """The requests of a case, drawn once, and the runs that a memory plays."""

    standard: Standard
    chunks: list[Requests]
    runs: list[Ints]

    def play(self, parameters: ControllerParameters) -> Served:
        return MemoryPlayer(load_mapping(None, self.standard, 1), parameters).play(self.runs)

    def visits(self, parameters: ControllerParameters) -> Ints:
        visits = RowVisits(load_mapping(None, self.standard, 1), parameters.read_queue + parameters.write_queue)
        for chunk in self.chunks:
            visits.add(chunk)
        return visits.counts


def draw(standard: Standard, case: Case, requests: int) -> Traffic:
    chunks = list(generate(case.pattern, load_mapping(None, standard, 1), requests, read_share=case.read_share))
    return Traffic(standard, chunks, [coalesce(chunk) for chunk in chunks])


def print_patterns(standard: Standard, requests: int) -> None:
    """Cycles of each pattern, and what the timing allows."""
    parameters = load_parameters()
    refresh = f"; refresh takes {refresh_share(standard):.1%} of the time" if standard.refresh else ""
    table = Table(title=f"{standard.name}, {requests:,} requests{refresh}", box=None, title_justify="left")
    for name in ("pattern", "cycles", "ACTs an access", "of the limit", "limited by"):
        table.add_column(name, justify="left" if name in ("pattern", "limited by") else "right")
    for case in CASES:
        traffic = draw(standard, case, requests)
        served = traffic.play(parameters)
        strictest = limit(standard, served, traffic.visits(parameters))
        table.add_row(
            case.name,
            f"{served.cycles:,}",
            f"{served.activates / served.accesses:.3f}",
            f"{strictest.cycles / served.cycles:.1%}",
            strictest.name,
        )
    show(table)


def print_comparison(
    standards: Sequence[Standard], requests: int, values: Mapping[str, Sequence[int]], best: int
) -> None:
    """Combinations of parameters by the geometric mean of their cycles, relative to the shipped ones."""
    traffic = [draw(standard, case, requests) for standard in standards for case in CASES]
    shipped = load_parameters()
    before = [each.play(shipped).cycles for each in traffic]
    found = []
    for chosen in product(*values.values()):
        settings = dict(zip(values, chosen, strict=True))
        if settings.get("write_low", shipped.write_low) >= settings.get("write_high", shipped.write_high):
            continue
        parameters = load_parameters(settings)
        ratios = [each.play(parameters).cycles / base for each, base in zip(traffic, before, strict=True)]
        found.append((math.exp(sum(map(math.log, ratios)) / len(ratios)), max(ratios), settings, ratios))
    found.sort(key=lambda each: each[0])
    labels = [f"{standard.name} {case.name}" for standard in standards for case in CASES]
    moved = [k for k in range(len(labels)) if any(each[-1][k] != 1 for each in found)]
    table = Table(title=f"cycles relative to the shipped controller, {len(found)} combinations", box=None)
    for name in (*values, "geometric mean", "worst", *(labels[k] for k in moved)):
        table.add_column(name, justify="right")
    for mean, worst, settings, ratios in found[:best]:
        numbers = (mean, worst, *(ratios[k] for k in moved))
        table.add_row(*(str(value) for value in settings.values()), *(f"{number:.3f}" for number in numbers))
    show(table)


def show(table: Table) -> None:
    Console(width=max(120, 12 * len(table.columns))).print(table, highlight=False)


def values_of(texts: Sequence[str]) -> dict[str, list[int]]:
    """`NAME=VALUE,VALUE` as lists of whole numbers by name."""
    values: dict[str, list[int]] = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        numbers = listed.split(",")
        if not equals or not all(number.isascii() and number.isdecimal() for number in numbers):
            raise UserError(f"--set {text}: expected NAME=VALUE,VALUE with whole numbers")
        values[name] = [int(number) for number in numbers]
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--standards", nargs="+", default=["ddr4_2133", "gddr6", "hbm2"], metavar="NAME")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="NAME=VALUE,VALUE")
    parser.add_argument("--best", type=int, default=10, help="combinations to print")
    arguments = parser.parse_args()
    try:
        standards = [load_standard(name) for name in arguments.standards]
        if arguments.requests < 1:
            raise UserError(f"--requests: expected at least 1, got {arguments.requests}")
        if arguments.settings:
            print_comparison(standards, arguments.requests, values_of(arguments.settings), arguments.best)
            return
        for standard in standards:
            print_patterns(standard, arguments.requests)
    except UserError as cause:
        parser.error(str(cause))


if __name__ == "__main__":
    main()
