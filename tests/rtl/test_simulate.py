"""`hwsim rtl BLOCK --simulate`: the bench at a user's own parameters."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.commands import rtl_actions
from hwsim.rtl.flows import toolchain
from hwsim.rtl.flows.simulation.simulate import Simulation
from tests.rtl.simulation import BUILDS

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def kept_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(BUILDS / "cache"))


def test_a_users_own_parameters_are_proven(capsys: CAPTURE) -> None:
    assert main(["rtl", "exp", "--set", "degree=1", "--simulate", "--seed", "3"]) == 0
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "exp in Verilator, seed 3",
        "never_stalled passed 8 jobs of 8 to 63 cycles",
        "corner_vectors passed 3 jobs of 0 to 101 cycles",
        "stalled_at_random passed",
        "reset_in_mid_job passed",
        "held_back no backlog stated",
        "outputs equal the golden model's bit for bit; never stalled, cycles equal the contract's",
    ]


def test_the_jobs_and_their_cycles_go_to_json(tmp_path: Path) -> None:
    file = tmp_path / "exp.json"
    assert main(["rtl", "exp", "--set", "degree=1", "--simulate", "--json", str(file)]) == 0
    document = json.loads(file.read_text())
    assert document["checks"]["reset_in_mid_job"] is True
    assert "held_back" not in document["checks"]  # once it passed although there was nothing to check
    corners = [(job["job"], job["cycles"]) for job in document["exact"] if job["check"] == "corner_vectors"]
    assert corners == [("edges and extremes", 101), ("nothing", 0), ("one", 8)]


def test_a_block_that_differs_ends_with_status_1(capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(*_: object) -> Simulation:
        return Simulation(
            block="exp", parameters={}, seed=0, checks={"never_stalled": False}, exact=(), complaint="beat 3 is wrong"
        )

    monkeypatch.setattr(rtl_actions, "simulate", differs)
    assert main(["rtl", "exp", "--simulate"]) == 1
    assert capsys.readouterr().out == "exp in Verilator, seed 0\n  never_stalled      FAILED\nbeat 3 is wrong\n"


def test_a_missing_compiler_is_named(capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch) -> None:
    found: Callable[[str], str | None] = shutil.which
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None if name == "c++" else found(name))
    assert main(["rtl", "exp", "--simulate"]) == 2
    message = "hwsim: error: simulating RTL needs c++; on Debian or Ubuntu: apt-get install g++\n"
    assert capsys.readouterr().err == message


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["rtl", "exp", "--simulate"]) == 2
    assert capsys.readouterr().err.endswith("cannot be written: Not a directory\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--synth", "--seed", "1"], "--seed belongs to --simulate, which is not there"),
        (["--out", "x", "--json", "y"], "--json takes the result of one of --resources, --simulate and --synth"),
    ],
)
def test_options_without_their_own_are_refused(arguments: list[str], message: str, capsys: CAPTURE) -> None:
    assert main(["rtl", "exp", *arguments]) == 2
    assert capsys.readouterr().err == f"hwsim: error: {message}\n"


TINY = ["rtl", "reciprocal", "--set", "degree=1", "--simulate"]


def test_a_compiler_that_fails_is_one_line(tmp_path: Path, capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch) -> None:
    """cocotb 2.1 raises RuntimeError, which was shown as a traceback."""
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(TINY) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("hwsim: error: Verilator or the C++ compiler failed; ")
    assert said.endswith("build.log says why")


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each removed the files that the other was running, and reported that the block differs."""
    command = [sys.executable, "-c", "from hwsim.cli import entry_point; entry_point()", *TINY]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    both = [subprocess.Popen([*command, "--seed", seed], env=environment) for seed in "12"]
    assert [process.wait() for process in both] == [0, 0]


def test_extreme_scores_stay_within_their_format(tmp_path: Path) -> None:
    """Scores close together were drawn up to 4, which a format with one integer bit cannot hold."""
    small = {"activation": "fixed(16,2)", "heads": 1, "slots": 2, "max_tokens": 4}
    settings = [part for name, value in small.items() for part in ("--set", f"{name}={value}")]
    assert main(["rtl", "online_softmax", *settings, "--out", str(tmp_path / "out")]) == 0
