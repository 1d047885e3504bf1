"""What the scripts of this folder share: which tokens run, how a point runs, the table and the figure.

A point runs the middle tokens of a whole generation: their mean context is that of the generation, and time is close
to linear in the context. `--tokens` of the whole length runs all of it.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hwsim import load_workload, run
from hwsim.errors import CapacityError, UserError
from hwsim.mapping.models.decoder import DecoderWorkload
from hwsim.parameters.settings import parse_settings
from hwsim.pipeline import prepare
from hwsim.report.schema import Report
from hwsim.report.write import check_writable, write_text

MODELS = ("gpt2", "gpt2_medium", "gpt2_xl", "gpt3_xl")
FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures"
NO_ROOM = "does not fit"


def parser(text: str, name: str, *, workloads: Sequence[str] = MODELS, tokens: int = 64) -> argparse.ArgumentParser:
    """The options of every script; `text` is its docstring."""
    made = argparse.ArgumentParser(description=text.splitlines()[0])
    made.add_argument("--workloads", nargs="+", default=list(workloads), metavar="NAME")
    made.add_argument("--tokens", type=int, default=tokens, help="tokens that run at each point (default %(default)s)")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="machine parameter of all points")
    made.add_argument("--figure", type=Path, default=FIGURES / f"{name}.svg", metavar="FILE", help="SVG, PNG or PDF")
    made.add_argument("--no-figure", action="store_true", help="print the table alone")
    return made


def add_length(made: argparse.ArgumentParser) -> None:
    """`--length`, for scripts that run the middle of a generation."""
    made.add_argument("--length", type=int, default=1024, help="tokens of the whole generation (default %(default)s)")


def middle(model: str, options: argparse.Namespace) -> tuple[DecoderWorkload, DecoderWorkload]:
    """(the whole generation, its middle `--tokens` tokens)."""
    tokens = min(options.tokens, options.length)
    context = {"n_ctx": max(load_workload(model).model.n_ctx, options.length)}
    whole = load_workload(model, tokens=options.length, **context)
    return whole, load_workload(model, past=(options.length - tokens) // 2, tokens=tokens, **context)


def contexts(options: argparse.Namespace) -> str:
    """Words for a title: the contexts that run."""
    tokens = min(options.tokens, options.length)
    past = (options.length - tokens) // 2
    return f"contexts {past + 1} to {past + tokens} of {options.length}"


def report_of(whole: DecoderWorkload, part: DecoderWorkload, settings: Mapping[str, Any]) -> Report | None:
    """Run `part` where the machine has room for `whole`; None where it has not."""
    try:
        prepare(whole, settings=settings)
    except CapacityError:
        return None
    return run(part, settings=settings)


def us_per_token(report: Report) -> float:
    return report.latency_s / report.decoding.tokens * 1e6


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """The machine parameters given with --set."""
    parsed = parse_settings(options.set)
    if parsed.workload:
        raise UserError("--set workload.FIELD: these scripts set the workload themselves; machine parameters only")
    return dict(parsed.machine)


def sweep(options: argparse.Namespace, points: Iterable[Mapping[str, Any]]) -> dict[str, list[Report | None]]:
    """Run every workload at every point: workload -> a report (or None: does not fit) a point."""
    common, points = settings_of(options), list(points)
    found = {}
    for model in options.workloads:
        whole, part = middle(model, options)
        found[model] = [report_of(whole, part, {**common, **point}) for point in points]
    return found


def ratio_table(
    title: str, axis: str, labels: Sequence[str], found: Mapping[str, list[Report | None]], base: int, ratio: str
) -> None:
    """A row a point: time a token and its ratio to point `base`, as `x` slower or faster, for each workload."""
    rows = []
    for index, label in enumerate(labels):
        row = [label]
        for reports in found.values():
            report, usual = reports[index], reports[base]
            if report is None:
                row += [NO_ROOM, "-"]
                continue
            ours = us_per_token(report)
            there = us_per_token(usual) if usual else None
            value = "-" if there is None else f"{ours / there:.3f}" if ratio == "time" else f"{there / ours:.3f}"
            row += [f"{ours:.2f}", value]
        rows.append(row)
    heads = [axis]
    for model in found:
        heads += [f"{model} us/token", "time" if ratio == "time" else "speed"]
    print_table(title, heads, rows)


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are figures."""
    table = Table(title=title, box=None, title_justify="left", min_width=len(title), padding=(0, 1))
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table, highlight=False)


def save_figure(options: argparse.Namespace, draw: Callable[[Any], None], *, size: tuple[float, float]) -> None:
    """Draw into a matplotlib figure of `size` inches and write it, the same bytes for the same figures."""
    if options.no_figure:
        return
    pyplot = _pyplot()
    figure = pyplot.figure(figsize=size, layout="constrained")
    draw(figure)
    kind = options.figure.suffix.removeprefix(".")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    pyplot.close(figure)
    if kind == "svg":
        text = buffer.getvalue().decode()
        write_text(options.figure, "\n".join(line.rstrip() for line in text.splitlines()) + "\n")
        return
    beside = options.figure.with_name(f".{options.figure.name}")
    beside.write_bytes(buffer.getvalue())
    beside.replace(options.figure)


def check_figure(options: argparse.Namespace) -> None:
    """Find out before the runs whether the figure can be drawn and written."""
    if options.no_figure:
        return
    _pyplot()
    if options.figure.suffix not in (".svg", ".png", ".pdf"):
        raise UserError(f"--figure {options.figure}: expected a name ending in .svg, .png or .pdf")
    check_writable(options.figure)


def start(body: Callable[[], None]) -> None:
    """Run a script; a mistake of its user is one line and exit status 2."""
    try:
        body()
    except UserError as cause:
        print(f"{Path(sys.argv[0]).name}: {cause}", file=sys.stderr)
        sys.exit(2)


def parse(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The options, checked before anything runs."""
    options = made.parse_args()
    if options.tokens < 1:
        raise UserError(f"--tokens {options.tokens}: expected at least 1")
    check_figure(options)
    return options


def _pyplot() -> Any:
    try:
        import matplotlib
        from matplotlib import pyplot
    except ImportError:
        raise UserError("figures need matplotlib (the extra `figures`); print the table with --no-figure") from None
    matplotlib.use("agg")
    matplotlib.rcParams.update({"svg.hashsalt": "hwsim", "axes.grid": True, "grid.alpha": 0.3, "font.size": 10})
    return pyplot
