"""The script that splits the distance to a published power, and what docs/energy.md says by it."""

import re
from pathlib import Path

import pytest

from benchmarks import power_distance

DOCS = Path(__file__).parents[2] / "docs" / "energy.md"
ROW = re.compile(r"^\| ([a-z_ ]+) \| ([\d.]+) \| (\d+) \|$", re.MULTILINE)


def test_the_docs_say_what_the_script_prints(capsys: pytest.CaptureFixture[str]) -> None:
    power_distance.main()
    printed = [line.rsplit(maxsplit=2) for line in capsys.readouterr().out.splitlines()[2:-4]]
    said = {name: (float(watts), int(factor)) for name, watts, factor in ROW.findall(DOCS.read_text())}
    assert len(said) == 10
    assert said == {
        name: (pytest.approx(float(watts), abs=0.006), pytest.approx(float(factor), rel=0.05, abs=0.5))
        for name, watts, factor in printed
    }
