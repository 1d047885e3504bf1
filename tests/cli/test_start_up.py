"""What each command imports: nobody waits for numba, SimPy or a machine that the command does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

from hwsim.cli import cli

HEAVY = ("numba", "simpy", "numpy", "pydantic", "plotly", "rich", "hwsim.machines.aim", "hwsim.machines.pim_gpt")
SCRIPT = f"""
import sys
from hwsim.cli import main
status = main(sys.argv[1:])
print(status, *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def start(*command: str) -> tuple[int, set[str], str]:
    """A command's exit status, which of `HEAVY` it imported, and the line that it wrote to stderr, if any."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, *command], capture_output=True, text=True, check=True)
    *message, last = done.stderr.splitlines()
    status, *names = last.split()
    return int(status), set(names), "".join(message)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_help_imports_nothing_heavy(name: str) -> None:
    assert start(name, "--help") == (0, set(), "")


def test_list_reads_data_files_and_loads_no_machine() -> None:
    assert start("list") == (0, {"numpy", "pydantic"}, "")


def test_an_unknown_machine_is_refused_before_anything_is_loaded() -> None:
    assert start("machine", "pim_gp") == (2, set(), "hwsim: error: pim_gp: no such machine; nearest: pim_gpt, aim")


def test_a_run_on_an_unknown_machine_loads_none() -> None:
    status, names, message = start("run", "gpt2", "--machine", "pim_gp")
    assert (status, message) == (2, "hwsim: error: pim_gp: no such machine or file; nearest: pim_gpt, aim")
    assert names == {"numpy", "pydantic"}


def test_an_unknown_workload_is_refused_before_any_machine_is_loaded() -> None:
    status, names, message = start("run", "gpt3_x")
    assert (status, names) == (2, {"numpy", "pydantic"})
    assert message.startswith("hwsim: error: gpt3_x: no such file and no shipped workload; nearest: gpt3_xl")


@pytest.mark.parametrize("name", ["aim", "pim_gpt"])
@pytest.mark.parametrize("command", ["machine", "fit"])
def test_a_machine_is_shown_without_the_other_and_without_what_only_runs_need(command: str, name: str) -> None:
    status, names, _ = start(command, name)
    assert (status, names) == (0, {"numpy", "pydantic", f"hwsim.machines.{name}"})


def test_a_wrong_parameter_is_refused_before_anything_is_compiled() -> None:
    status, names, message = start("run", "gpt2", "--set", "chanels=3")
    assert (status, names) == (2, {"numpy", "pydantic", "hwsim.machines.pim_gpt"})
    assert message.startswith("hwsim: error: --set chanels: no such parameter; nearest: channels")


@pytest.mark.parametrize(("name", "other"), [("aim", "pim_gpt"), ("pim_gpt", "aim")])
def test_a_run_loads_its_own_machine_alone(name: str, other: str) -> None:
    status, names, _ = start("run", "gpt2", "--tokens", "1", "--machine", name, "--quiet")
    assert status == 0
    assert f"hwsim.machines.{name}" in names
    assert f"hwsim.machines.{other}" not in names


@pytest.mark.parametrize(
    "command",
    [
        ("dram", "ddr4_2134"),
        ("dram", "ddr4_2133", "--set", "read_quue=3"),
        ("dram", "ddr4_2133", "--pattern", "no_such_pattern"),
        ("dram", "ddr4_2133", "--pattern", "no_such_pattern", "--load-sweep"),
        ("dram", "ddr4_2133", "--load-sweep", "--rate", "1/8"),
        ("check", "no_such_log.csv", "ddr4_2133"),
    ],
)
def test_a_mistake_about_a_memory_needs_no_compiler(command: tuple[str, ...]) -> None:
    status, names, message = start(*command)
    assert status == 2
    assert message.startswith("hwsim: error: ")
    assert not names & {"numba", "simpy"}


@pytest.mark.parametrize("more", [("--requests", "10"), ("--requests", "1000", "--load-sweep")])
def test_dram_needs_no_simpy_and_without_a_page_no_plotly(more: tuple[str, ...]) -> None:
    status, names, _ = start("dram", "ddr4_2133", *more, "--quiet")
    assert status == 0
    assert not names & {"simpy", "plotly"}


def test_what_was_compiled_once_is_played_without_numba(tmp_path: Path) -> None:
    trace = tmp_path / "two.trace"
    trace.write_text("LD 0x40\nST ch0 ba3 ro17 co5\n")
    for pattern in ("random", str(trace)):
        for played in ("perhaps compiled", "kept"):
            status, names, _ = start("dram", "ddr4_2133", "--pattern", pattern, "--requests", "2", "--quiet")
            assert status == 0
            assert played != "kept" or "numba" not in names


def test_standards_are_listed_from_their_files_alone() -> None:
    assert start("dram", "list") == (0, set(), "")
