"""Figures of attention on cores: the same on terminal and page, and side by side in comparisons."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hwsim import run
from hwsim.cli import main
from hwsim.report.attention import attention_figures, attention_notes
from hwsim.report.compare_attention import plans_side_by_side
from hwsim.report.details import Details
from hwsim.report.html import page
from hwsim.report.render import render
from hwsim.report.schema import AttentionUse, Report
from tests.machines.swat.small_runs import CORES, encoder, head
from tests.report.synthetic import fpga_report

CAPTURE = pytest.CaptureFixture[str]
BIGBIRD = ["block_local(4, 1, forward=1) | random_blocks(1, 4, seed=0) | global(4, last=4)"]


def use(pattern: str = "full", **fields: Any) -> AttentionUse:
    """A plan of attention with round figures."""
    values: dict[str, Any] = {
        "pattern": pattern, "queries": 64, "keys": 64, "head_dim": 16, "operators": 2, "heads": 3, "passes": 1,
        "rows": 64, "cores": {"window": 8}, "cycles": 12_345.5, "interval": 201, "depth": 6, "prologue_cycles": 66,
        "prologue_hidden": True, "loads": 64, "most_loads_a_row": 1, "pairs": 512, "dropped": 0, "added": 0,
        "computing": 0.5, "moved": {"q": 1.0, "k": 1.25, "v": 1.25, "z": 1.0},
    }  # fmt: skip
    return AttentionUse(**{**values, **fields})


def with_attention(report: Report, *uses: AttentionUse) -> Report:
    return report.model_copy(update={"attention": list(uses)})


def test_a_figure_has_a_value_for_each_plan_that_has_it() -> None:
    figures = attention_figures([use(), use(cores={"global": 1, "window": 7}, moved={"q": 2.0, "carry": 3.5})])
    texts = {figure.name: figure.texts() for figure in figures}
    assert texts["cycles of a head"] == ["12,345.5", "12,345.5"]
    assert texts["cores, global"] == ["—", "1"]
    assert texts["of the cores' time"] == ["50.0%", "50.0%"]
    assert texts["moves of K"] == ["1.250 x", "—"]
    assert texts["moves of partial rows"] == ["—", "3.500 x"]
    assert "pairs of the model left out" not in texts


def test_pairs_that_a_published_window_drops_are_shown() -> None:
    texts = {figure.name: figure.texts() for figure in attention_figures([use(), use(dropped=60, added=4)])}
    assert texts["pairs of the model left out"] == ["0", "60"]
    assert texts["pairs that the model has not"] == ["0", "4"]


def test_notes_say_how_moves_are_counted_and_whether_prologues_are() -> None:
    assert list(attention_notes([use()])) == [
        "Moves are how often each element crosses the chip's border.",
        "Prologues, which load what a pass needs before its first row, are loaded beside the rows before; only those "
        "of an operator's first head, and of the first with other keys, are in no head's cycles.",
    ]
    assert next(iter(attention_notes([use(moved={"carry": 2.0})]))).endswith(
        ", of partial rows over the elements of Z."
    )


def test_terminal_and_page_show_the_same_figures() -> None:
    report = run(encoder(), settings=CORES)
    assert report.attention
    out = io.StringIO()
    render(report, Console(width=100, file=out))
    text = page(report, Details())
    section = text[text.index('<section id="attention">') :]
    for figure in attention_figures(report.attention):
        line = next(line for line in out.getvalue().splitlines() if line.startswith(f"{figure.name} "))
        assert line.removeprefix(figure.name).replace(" x", "_x").split() == [
            value.replace(" ", "_") for value in figure.texts()
        ]
        cells = "".join(f'<td class="n">{value}</td>' for value in figure.texts())
        assert f"{figure.name.replace(chr(39), '&#39;')}</td>{cells}" in section
    for pattern in ("window(4, 4) | memory_slots(1)", "full"):
        assert f"  {pattern}" in out.getvalue()
        assert f"<code>{pattern}</code>" in section


def test_a_run_without_it_has_no_section() -> None:
    assert 'id="attention"' not in page(fpga_report(), Details())


def test_plans_with_the_same_pattern_stand_side_by_side_others_in_order() -> None:
    base = fpga_report()
    reports = [
        with_attention(base, use("window(4, 3)"), use("full")),
        with_attention(base, use("full"), use("random_blocks(1, 4, seed=0)")),
        base,
    ]
    rows = plans_side_by_side(reports)
    assert [[each.pattern if each else None for each in row.uses] for row in rows] == [
        ["window(4, 3)", "random_blocks(1, 4, seed=0)", None],
        ["full", "full", None],
    ]
    assert [(row.title, row.alike) for row in rows] == [("1: ", False), ("full: ", True)]


def test_one_plan_alone_needs_no_title() -> None:
    reports = [with_attention(fpga_report(), use("full")), with_attention(fpga_report(), use("causal"))]
    assert [row.title for row in plans_side_by_side(reports)] == [""]


def written(tmp_path: Path, **reports: Report) -> list[str]:
    files = []
    for name, report in reports.items():
        file = tmp_path / f"{name}.json"
        file.write_text(report.to_json())
        files.append(str(file))
    return files


def test_window_and_bigbird_are_compared_plan_by_plan(tmp_path: Path, capsys: CAPTURE) -> None:
    window = run(encoder(), settings=CORES)
    bigbird = run(encoder(patterns=BIGBIRD, global_tokens=0), settings={**CORES, "cores": 24})
    files = written(tmp_path, window=window, bigbird=bigbird)
    assert main(["compare", *files, "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure for figure in result["figures"] if figure["group"] == "attention"}
    assert window.attention
    assert bigbird.attention
    cycles = [window.attention[0].cycles, bigbird.attention[0].cycles]
    assert figures["1: cycles of a head"]["values"] == cycles
    assert figures["1: cycles of a head"]["ratios"] == [1.0, cycles[1] / cycles[0]]
    assert figures["1: cores, random"]["values"][0] is None
    assert figures["full: keys"]["values"] == [64, None]
    patterns = next(row for row in result["differences"] if row["name"] == "pattern of attention 1")
    assert patterns["values"] == ["window(4, 4) | memory_slots(1)", BIGBIRD[0]]
    assert main(["compare", *files]) == 0
    out = capsys.readouterr().out
    assert "Attention, of a head: 1" in out
    assert "Attention, of a head: full" in out


def test_fp16_and_fp32_differ_in_cycles_and_not_in_pairs(tmp_path: Path, capsys: CAPTURE) -> None:
    reports = {name: run(head(), settings={**CORES, "format": name}) for name in ("fp16", "fp32")}
    assert main(["compare", *written(tmp_path, **reports), "--json", "-"]) == 0
    figures = {figure["name"]: figure for figure in json.loads(capsys.readouterr().out)["figures"]}
    assert figures["cycles from row to row at best"]["values"] == [83, 83]  # DIV&OUT is the same in both
    assert figures["pairs of query and key"]["ratios"] == [1.0, 1.0]
    assert figures["cycles of a head"]["unit"] == "cycles"


def test_cycles_of_different_clocks_have_no_ratio(tmp_path: Path, capsys: CAPTURE) -> None:
    reports = {
        name: run(head(), settings={**CORES, "clock_hz": hz}) for name, hz in (("a", 300_000_000), ("b", 200_000_000))
    }
    assert main(["compare", *written(tmp_path, **reports), "--json", "-"]) == 0
    figures = {figure["name"]: figure for figure in json.loads(capsys.readouterr().out)["figures"]}
    assert figures["cycles of a head"]["ratios"] == [None, None]
    assert figures["moves of Q"]["ratios"] == [1.0, 1.0]


def test_with_another_machine_it_is_said_what_cannot_be_compared(tmp_path: Path, capsys: CAPTURE) -> None:
    files = written(tmp_path, swat=run(head(), settings=CORES), other=fpga_report())
    assert main(["compare", *files, "--json", "-"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "attention (rows through cores that hold keys): in A, not in B" in notes
