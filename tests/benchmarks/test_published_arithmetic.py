"""The script that measures how the arithmetic of the two presets differs."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "published_arithmetic.py"


def test_it_prints_a_row_for_each_block_that_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["published_arithmetic", "--tokens", "9"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    rows = capsys.readouterr().out.splitlines()
    first = [row.split()[0].rstrip(":") for row in rows]
    assert list(dict.fromkeys(first)) == [
        "values", "exp", "reciprocal", "rsqrt", "qk_reorder", "online_softmax", "mv", "topk_gate", "layernorm",
    ]  # fmt: skip
    assert rows[1].split()[-4:] == ["1", "-0.495", "1.03", "0.63"]
