"""benchmarks/swat.py runs, and docs/validation.md says what it prints."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Script = Callable[..., str]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))

    def call(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["swat.py", *arguments])
        runpy.run_path(str(ROOT / "benchmarks" / "swat.py"), run_name="__main__")
        return capsys.readouterr().out

    return call


def tables(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")]


def missing(printed: str) -> list[str]:
    """Lines of tables that the docs do not have."""
    docs = set(tables((ROOT / "docs" / "validation.md").read_text()))
    return [line for line in tables(printed) if line not in docs]


LONG = ("patterns", "configurations", "layers")


@pytest.mark.parametrize(
    "part",
    [
        "latency",
        "bytes",
        "butterfly",
        "energy",
        "dense",
        *(pytest.param(part, marks=pytest.mark.slow) for part in LONG),
    ],
)
def test_the_docs_have_what_a_part_prints(script: Script, part: str) -> None:
    printed = script(part)
    assert len(tables(printed)) >= 6
    assert missing(printed) == []


@pytest.mark.slow
def test_the_docs_have_the_assumptions_that_are_worth_something(script: Script) -> None:
    left_out = missing(script("assumptions"))
    assert [line.split("|")[1].strip() for line in left_out] == [
        "reduction_group=32", "sum_format=fp16", "200 ns to the memory, 200 back", "hbm.burst_bytes=512",
        "hbm.refresh=false",
    ]  # fmt: skip


def test_powers_of_the_users_own_need_no_energy_table(script: Script) -> None:
    printed = script("energy", "--watts", "40", "--butterfly-watts", "20")
    assert "- SWAT: 40.0 W at 16,384 tokens (given)." in printed


def test_products_take_the_dsps_that_are_given(script: Script) -> None:
    assert "4,458 DSPs as SWAT has, 6 for a product and its sum" in script("dense", "--dsps-per-mac", "6")


def test_no_such_part(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script("widnow")
    assert "no part 'widnow'; there are latency, patterns, " in capsys.readouterr().err
