"""Coverage as Verilator writes it: which points count, which shares are too low, and the report of all blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rtl.coverage import Coverage, add_to_report, read_coverage

FULL = Coverage(lines_hit=20, lines=20, toggles_hit=40, toggles=40, missed=())


def point(file: Path, line: int, kind: str, what: str, count: int) -> str:
    key = {"f": file, "l": line, "n": 1, "t": kind, "page": f"v_{kind}/top", "o": what, "h": "top"}
    return "C '" + "".join(f"\x01{name}\x02{value}" for name, value in key.items()) + f"' {count}"


def test_points_are_counted_by_kind_and_those_missed_are_named(tmp_path: Path) -> None:
    source, file = tmp_path / "top.v", tmp_path / "coverage.dat"
    source.write_text("module top;\nif (dump_module$1) begin end\nif (a) b <= 1;\nendmodule\n")
    points = [
        point(source, 1, "line", "block", 7),
        point(source, 2, "line", "block", 0),  # Yosys's own, to start a process
        point(source, 3, "branch", "if", 0),
        point(source, 3, "branch", "else", 2),
        point(source, 3, "toggle", "b[0]:0->1", 1),
        point(source, 3, "toggle", "b[0]:1->0", 0),
        point(source, 3, "expr", "(a==1)", 0),  # neither lines nor toggles
    ]
    file.write_text("\n".join(["# SystemC::Coverage-3", *points, ""]))
    assert read_coverage(file) == Coverage(
        lines_hit=2, lines=3, toggles_hit=1, toggles=2, missed=("line 3: if", "line 3: b[0]:1->0")
    )


def test_a_file_without_points_is_no_coverage(tmp_path: Path) -> None:
    """Its shares counted as 1, so a simulation built without coverage passed."""
    (tmp_path / "coverage.dat").write_text("# SystemC::Coverage-3\n")
    empty = read_coverage(tmp_path / "coverage.dat")
    assert (empty.line_share, empty.toggle_share) == (0, 0)
    assert empty.lateness() == "0 lines and 0 toggles are no coverage"


@pytest.mark.parametrize(
    ("changes", "lateness"),
    [
        ({}, ""),
        ({"lines_hit": 19, "toggles_hit": 36}, ""),
        ({"lines_hit": 18, "missed": ("line 3: if",)}, "lines 90.0%, toggles 100.0%; missed: line 3: if"),
        ({"toggles_hit": 35}, "lines 100.0%, toggles 87.5%; missed: "),
        ({"toggles_hit": 0, "toggles": 0}, "20 lines and 0 toggles are no coverage"),
    ],
)
def test_too_little_is_said(changes: dict[str, int], lateness: str) -> None:
    assert replace(FULL, **changes).lateness() == lateness


def test_the_report_ends_with_all_blocks_together(tmp_path: Path) -> None:
    add_to_report("exp", FULL, tmp_path)
    add_to_report("mv", replace(FULL, lines_hit=10, toggles_hit=30), tmp_path)
    assert (tmp_path / "coverage.md").read_text().splitlines()[2:] == [
        "| exp | 100.0% of 20 | 100.0% of 40 |",
        "| mv | 50.0% of 20 | 75.0% of 40 |",
        "| all 2 | 75.0% of 40 | 87.5% of 80 |",
    ]
