"""The scripts of the paper's questions run, say what does not fit, and name mistakes in one line."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "pim_gpt"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "question")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(FOLDER))

    def call(name: str, *arguments: str) -> str:
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return call


def line(out: str, first: str) -> list[str]:
    """The cells of the last line that begins with this text."""
    return [text for text in out.splitlines() if text.strip().startswith(first)][-1].split()


def test_each_question_of_the_paper_has_its_script() -> None:
    assert SCRIPTS == [
        "asic_clock", "channels", "context", "mac_width", "non_vmm_share", "offchip_bytes", "pin_rate",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_prints_its_table_and_draws_its_figure(script, name: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    figure = tmp_path / f"{name}.svg"
    out = script(name, "--tokens", "1", "--workloads", "gpt2", "--figure", str(figure))
    assert "gpt2" in out
    assert "</svg>" in figure.read_text()
    assert [path.name for path in tmp_path.iterdir()] == [figure.name]


def test_what_does_not_fit_is_a_line_of_the_table(script) -> None:  # type: ignore[no-untyped-def]
    out = script("channels", "--tokens", "1", "--workloads", "gpt3_xl", "--no-figure")
    assert line(out, "4 (ideal") == ["4", "(ideal", "0.5)", "does", "not", "fit", "-"]
    assert line(out, "8 (ideal")[-1] == "1.000"


def test_the_other_machine_moves_each_weight_once_a_token(script) -> None:  # type: ignore[no-untyped-def]
    out = script("offchip_bytes", "--tokens", "2", "--length", "2", "--workloads", "gpt2", "--no-figure")
    cells = line(out, "gpt2")
    assert cells[1] == "169.869"  # 84,934,656 weights of 2 B
    assert cells[2] == "0.240"  # 12 layers x 13 x 768: biases 3d + d + 4d + d, two norms of 2d
    assert cells[3] == "0.092"  # 12 layers x 2 x 768 x 2 B, written once and read for contexts 1 and 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workloads", "gpt5"), "gpt5"),
        (("--tokens", "0"), "--tokens 0: expected at least 1"),
        (("--figure", "figure.txt"), "--figure figure.txt: expected a name ending in .svg, .png or .pdf"),
        (("--set", "workload.heads=3"), "these scripts set the workload themselves"),
        (("--set", "chanels=4"), "no such parameter; nearest: channels"),
    ],
)
def test_a_mistake_is_one_line(  # type: ignore[no-untyped-def]
    script, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    if "--figure" not in arguments:
        arguments = (*arguments, "--no-figure")
    with pytest.raises(SystemExit) as caught:
        script("context", *arguments)
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
