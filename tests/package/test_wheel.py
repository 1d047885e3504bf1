"""The wheel carries what a run needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_workloads_machines_and_standards(wheel: Path) -> None:
    listed = zipfile.ZipFile(wheel).namelist()
    names = set(listed)
    assert len(listed) == len(names)
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"hwsim"}
    assert {
        "hwsim/_workloads/gpt2.yaml",
        "hwsim/_workloads/schema.json",
        "hwsim/machines/pim_gpt/spec.yaml",
        "hwsim/machines/pim_gpt/published.yaml",
        "hwsim/baselines/devices.yaml",
        "hwsim/dram/standards/pim_gpt.csv",
        "hwsim/dram/standards/gddr6_aim.yaml",
        "hwsim/mapping/formats/text.py",
        "hwsim/rtl/vector_unit/contract.py",
    } <= names
    assert not any(name.startswith("tests/") for name in names)


def from_wheel(wheel: Path, folder: Path, arguments: str) -> str:
    """What a command prints when it cannot see the checkout."""
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    script = f"import sys, hwsim; from hwsim.cli import main; print(hwsim.__file__); sys.exit(main({arguments}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    first, _, rest = done.stdout.partition("\n")
    assert first == str(site / "hwsim/__init__.py")
    return rest


def test_workloads_are_listed_and_explained_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    assert "gpt3_xl" in from_wheel(wheel, tmp_path, "['list']")
    assert from_wheel(wheel, tmp_path, "['explain', 'gpt2', '--stage', 'mapped']").startswith("mapped gpt2")


def test_a_users_own_mapping_and_rtl_stand_beside_the_wheel(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "mapping.py").write_text("raise SystemExit('mapping.py of the user was imported')\n")
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl/__init__.py").write_text("raise SystemExit('rtl of the user was imported')\n")
    assert from_wheel(wheel, tmp_path, "['explain', 'gpt2', '--stage', 'mapped']").startswith("mapped gpt2")
    assert "online_softmax" in from_wheel(wheel, tmp_path, "['rtl', 'list']")


@pytest.mark.slow  # compiles the kernel again
def test_a_run_by_name_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    assert '"workload": "gpt2"' in from_wheel(wheel, tmp_path, "['run', 'gpt2', '--tokens', '1', '--json', '-']")
