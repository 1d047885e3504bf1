"""`hwsim import hf`: a file becomes a workload, or nothing is written."""

from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.mapping.workload.load import load_workload
from hwsim.shipped import shipped_workloads
from tests.mapping.importers.configs import MISTRAL, MIXTRAL, QWEN3, changed

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture
def mistral(tmp_path: Path) -> Path:
    folder = tmp_path / "Mistral-7B-v0.1"
    folder.mkdir()
    (folder / "config.json").write_text(MISTRAL)
    return folder / "config.json"


def test_a_file_in_its_models_folder_is_printed_as_a_workload(mistral: Path, capsys: CAPTURE) -> None:
    assert main(["import", "hf", str(mistral)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "name: mistral_7b_v0_1\n" in out
    assert "machine" not in out


def test_what_is_written_is_a_workload(mistral: Path, capsys: CAPTURE) -> None:
    file = mistral.with_name("made.yaml")
    arguments = ["--name", "small_run", "--machine", "aim", "--tokens", "3", "--out", str(file)]
    assert main(["import", "hf", str(mistral), *arguments]) == 0
    workload = load_workload(file)
    assert (workload.name, workload.machine, workload.run.tokens) == ("small_run", "aim", 3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (MISTRAL[:90], [], ":2:81: not JSON: "),
        (changed(MISTRAL, num_key_value_heads=5), [], ": num_key_value_heads: 5 do not divide num_attention_heads 32"),
        (MISTRAL, ["--tokens", "0"], ": decode needs at least 1 token to generate"),
        (MISTRAL, ["--tokens", "99999"], ": a context of 99999 tokens is longer than n_ctx 32768"),
        (MISTRAL, ["--name", "Mistral 7B"], ": name: string should match pattern"),
    ],
)
def test_a_wrong_file_is_one_line_and_nothing_is_written(
    mistral: Path, capsys: CAPTURE, text: str, options: list[str], message: str
) -> None:
    mistral.write_text(text)
    made = mistral.with_name("made.yaml")
    made.write_text("as it was\n")
    assert main(["import", "hf", str(mistral), "--out", str(made), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"hwsim: error: {mistral}{message}")
    assert err.count("\n") == 1
    assert made.read_text() == "as it was\n"
    assert sorted(file.name for file in mistral.parent.iterdir()) == ["config.json", "made.yaml"]


def test_the_file_that_is_read_is_not_written_over(mistral: Path, capsys: CAPTURE) -> None:
    assert main(["import", "hf", str(mistral), "--out", str(mistral)]) == 2
    assert "is what is read; it would be overwritten" in capsys.readouterr().err
    assert mistral.read_text() == MISTRAL


def test_an_unknown_field_is_a_warning(mistral: Path, capsys: CAPTURE) -> None:
    mistral.write_text(changed(MISTRAL, bend=1))
    assert main(["import", "hf", str(mistral)]) == 0
    assert capsys.readouterr().err == f"hwsim: warning: {mistral}: bend: not known here; it may change the model\n"


@pytest.mark.parametrize(
    ("name", "title", "config", "options"),
    [
        ("mistral_7b", "Mistral-7B-v0.1", MISTRAL, ["--machine", "aim"]),
        ("qwen3_8b", "Qwen3-8B", QWEN3, ["--machine", "aim"]),
        ("mixtral_8x7b", "Mixtral-8x7B-v0.1", MIXTRAL, []),
    ],
)
def test_shipped_workloads_are_as_the_importer_writes_them(
    tmp_path: Path, capsys: CAPTURE, name: str, title: str, config: str, options: list[str]
) -> None:
    # after a change: hwsim import hf CONFIG --name NAME --tokens 128 ..., below the file's first line. The grade is M,
    # since these files were remembered; only the parameter counts that follow from them are confirmed.
    file = tmp_path / f"{title}.json"
    file.write_text(config)
    assert main(["import", "hf", str(file), "--name", name, "--tokens", "128", *options]) == 0
    schema_line, _, rest = shipped_workloads()[name].read_text().partition("\n")
    assert schema_line == "# yaml-language-server: $schema=schema.json"
    as_written = rest.replace("grade: M", "grade: S").replace("remembered config.json", "config.json")
    assert as_written == capsys.readouterr().out
