"""Bandwidth and latency over load of every shipped DRAM standard, one channel each: a table and a figure.

python benchmarks/dram_load.py [--requests 100000] [--standards NAME ...] [--figure FILE | --no-figure]
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwsim.dram.standards.load import STANDARDS
from hwsim.errors import UserError
from hwsim.replay.load_report import LoadSweep
from hwsim.replay.load_sweep import sweep_load
from hwsim.report.write import check_writable, write_text

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "dram_load.svg"
PATTERNS = {"stream, reads": ("stream", 1.0), "random, 67 % reads": ("random", 0.67)}
HEADS = (
    "standard", "timing allows", "saturation", "of it", "knee", "of saturation", "unloaded", "at the knee", "p99 there",
)  # fmt: skip
HIGHEST = 16  # the figure shows latencies up to so many times the lowest


def main() -> None:
    options = _options()
    for title, (pattern, read_share) in PATTERNS.items():
        sweeps = {
            name: sweep_load(name, pattern, requests=options.requests, read_share=read_share)
            for name in options.standards
        }
        _print_table(title, sweeps)
        options.found[title] = sweeps
    if not options.no_figure:
        _draw(options.found, options.figure)


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("--requests", type=int, default=100_000, help="at each load (default %(default)s)")
    made.add_argument("--standards", nargs="+", default=list(STANDARDS), metavar="NAME")
    made.add_argument("--figure", type=Path, default=FIGURE, metavar="FILE", help="SVG")
    made.add_argument("--no-figure", action="store_true", help="print the tables alone")
    options = made.parse_args()
    if not options.no_figure:
        _pyplot()  # before any work
        check_writable(options.figure)
    options.found = {}
    return options


def _print_table(title: str, sweeps: Mapping[str, LoadSweep]) -> None:
    """In Markdown, as docs/dram_load.md has it."""
    print(f"\n{title}\n")
    print(
        "| standard | timing allows | saturation | of it | knee | of saturation | unloaded | at the knee | p99 there |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for sweep in sweeps.values():
        saturation, knee = sweep.loads.saturation, sweep.loads.knee
        cells = [
            sweep.memory.title(sweep.standard),
            f"{sweep.peak_bytes_per_s / 1e9:.2f} GB/s",
            f"{sweep.bytes_per_s(saturation.delivered) / 1e9:.2f} GB/s",
            f"{sweep.bytes_per_s(saturation.delivered) / sweep.peak_bytes_per_s:.1%}",
        ]
        if knee:
            cells += [
                f"{sweep.bytes_per_s(knee.delivered) / 1e9:.2f} GB/s",
                f"{sweep.share(knee):.1%}",
                f"{sweep.unloaded.latency * sweep.ns:.1f} ns",
                f"{knee.latency * sweep.ns:.1f} ns",
                f"{knee.latencies.percentile(99) * sweep.ns:.1f} ns",
            ]
        else:
            cells += ["none", "", f"{sweep.unloaded.latency * sweep.ns:.1f} ns", "", ""]
        print("| " + " | ".join(cells) + " |", flush=True)


def _draw(found: Mapping[str, Mapping[str, LoadSweep]], file: Path) -> None:
    """A panel a pattern; the mean latency over what is delivered, and the knee of each standard."""
    pyplot = _pyplot()
    figure, panels = pyplot.subplots(len(found), 1, figsize=(9, 5 * len(found)), layout="constrained")
    colours = pyplot.get_cmap("tab20").colors
    for panel, (title, sweeps) in zip(panels, found.items()):
        lowest = min(sweep.unloaded.latency * sweep.ns for sweep in sweeps.values())
        for colour, (name, sweep) in zip(colours, sweeps.items()):
            points = sweep.loads.points
            x = [sweep.bytes_per_s(point.delivered) / 1e9 for point in points]
            panel.plot(x, [point.latency * sweep.ns for point in points], color=colour, label=name, linewidth=1.6)
            if knee := sweep.loads.knee:
                at = sweep.bytes_per_s(knee.delivered) / 1e9, knee.latency * sweep.ns
                panel.plot(*at, "o", color=colour, markersize=6)
        panel.set(title=title, xlabel="delivered by one channel (GB/s)", ylabel="mean read latency (ns)")
        panel.set(xlim=(0, None), ylim=(lowest * 0.9, lowest * HIGHEST), yscale="log")
        ticks = [tick for tick in (20, 50, 100, 200, 500, 1000) if lowest * 0.9 <= tick <= lowest * HIGHEST]
        panel.set_yticks(ticks, [str(tick) for tick in ticks])
        panel.minorticks_off()
    panels[0].legend(loc="upper center", bbox_to_anchor=(0.5, 1.32), ncols=5, frameon=False, title="dots: knees")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    write_text(file, "\n".join(line.rstrip() for line in buffer.getvalue().decode().splitlines()) + "\n")


def _pyplot() -> Any:
    try:
        import matplotlib
        from matplotlib import pyplot
    except ImportError:
        raise UserError("figures need matplotlib (the extra `figures`); print the tables with --no-figure") from None
    matplotlib.use("agg")
    matplotlib.rcParams.update({"svg.hashsalt": "hwsim", "axes.grid": True, "grid.alpha": 0.3, "font.size": 10})
    return pyplot


if __name__ == "__main__":
    try:
        main()
    except UserError as cause:
        print(f"{Path(sys.argv[0]).name}: {cause}", file=sys.stderr)
        sys.exit(2)
