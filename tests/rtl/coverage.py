"""Line and toggle coverage of the raw Verilog, block by block, merged into one report (`build/rtl/coverage.md`)."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from pathlib import Path

from tests.rtl.simulation import BUILDS

# Bits that never change (sign extensions, tables' unused corners) keep toggles below 100 %.
LINE_THRESHOLD = 0.95
TOGGLE_THRESHOLD = 0.90

_POINT = re.compile(r"^C '(?P<key>.*)' (?P<count>\d+)$")
_KINDS = {"line": "line", "branch": "line", "toggle": "toggle"}


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Points seen, and points in all; branches count as lines, each direction of each bit as a toggle."""

    lines_hit: int
    lines: int
    toggles_hit: int
    toggles: int
    missed: tuple[str, ...]  # the first few, as "file line: what"

    def __add__(self, more: Coverage) -> Coverage:
        return Coverage(
            lines_hit=self.lines_hit + more.lines_hit,
            lines=self.lines + more.lines,
            toggles_hit=self.toggles_hit + more.toggles_hit,
            toggles=self.toggles + more.toggles,
            missed=(*self.missed, *more.missed),
        )

    @property
    def line_share(self) -> float:
        return self.lines_hit / self.lines if self.lines else 0.0

    @property
    def toggle_share(self) -> float:
        return self.toggles_hit / self.toggles if self.toggles else 0.0

    def lateness(self) -> str:
        """Shares below their thresholds, and the points missed; empty if there are none. No points are too few."""
        if not (self.lines and self.toggles):
            return f"{self.lines} lines and {self.toggles} toggles are no coverage"
        if self.line_share >= LINE_THRESHOLD and self.toggle_share >= TOGGLE_THRESHOLD:
            return ""
        return f"lines {self.line_share:.1%}, toggles {self.toggle_share:.1%}; missed: {', '.join(self.missed)}"


# Yosys opens each combinational process with an empty branch on a constant, to start it in event-driven simulators.
_STARTER = "dump_module$"


def read_coverage(path: Path) -> Coverage:
    """The points of Verilator's coverage file, except those that Yosys adds to start processes."""
    sources: dict[str, list[str]] = {}
    hit, there, missed = {"line": 0, "toggle": 0}, {"line": 0, "toggle": 0}, []
    for text in path.read_text(encoding="latin-1").splitlines():
        if not (match := _POINT.match(text)):
            continue
        point = dict(item.split("\x02", 1) for item in match["key"].split("\x01") if "\x02" in item)
        if (kind := _KINDS.get(point["t"])) is None:
            continue
        source = sources.setdefault(point["f"], Path(point["f"]).read_text().splitlines())
        if _STARTER in source[int(point["l"]) - 1]:
            continue
        there[kind] += 1
        hit[kind] += match["count"] != "0"
        if match["count"] == "0":
            missed.append(f"line {point['l']}: {point['o']}")
    return Coverage(
        lines_hit=hit["line"],
        lines=there["line"],
        toggles_hit=hit["toggle"],
        toggles=there["toggle"],
        missed=tuple(missed[:40]),
    )


def add_to_report(name: str, coverage: Coverage, builds: Path = BUILDS) -> None:
    """Keep a block's figures, and write the report of all blocks with figures."""
    folder = builds / "coverage"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(asdict(coverage)))
    rows = {path.stem: Coverage(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))}
    rows[f"all {len(rows)}"] = reduce(add, rows.values())
    table = [
        f"| {block} | {c.line_share:.1%} of {c.lines} | {c.toggle_share:.1%} of {c.toggles} |"
        for block, c in rows.items()
    ]
    head = ["| block | lines and branches | toggles |", "|-|-|-|"]
    (builds / "coverage.md").write_text("\n".join([*head, *table, ""]))
