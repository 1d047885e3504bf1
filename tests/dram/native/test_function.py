"""Compiled functions without numba: what they compute, when kept code holds, and what they refuse."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from hwsim.dram.native import machine_code
from hwsim.dram.native.function import CompiledFunction, announce_compilation
from hwsim.dram.native.machine_code import find_kept, sources_of

ROOT = Path(__file__).parents[3]
KERNEL = """
from numba import njit
from {package}.sizes import FACTOR

@njit
def weigh(pair, offset, out):
    for row in range(pair.grid.shape[0]):
        for column in range(pair.grid.shape[1]):
            out[0] += FACTOR * pair.grid[row, column] * pair.weights[column]
    return out[0] + offset

@njit
def allocate(values):
    return values.copy()[0]

@njit
def complain(values):
    if values[0] < 0:
        raise ValueError("negative")
    return values[0]
"""
SIGNATURE = "(('<i8', 1),)"


class Pair(NamedTuple):
    grid: np.ndarray
    weights: np.ndarray


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of two files, of which one holds a constant that the other compiles in."""
    folder = tmp_path / f"kept_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "kernel.py").write_text(KERNEL.format(package=folder.name))
    (folder / "sizes.py").write_text("FACTOR = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    forget(folder)


def forget(package: Path) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


def function_of(package: Path, name: str) -> CompiledFunction:
    """The function as a new process would have it."""
    forget(package)
    return CompiledFunction(f"{package.name}.kernel", name)


def weighed(package: Path) -> tuple[int, bool]:
    """2 x 1 + 4 x 10 times the factor, and 100; and whether kept code computed it."""
    weigh, out = function_of(package, "weigh"), np.zeros(1, dtype=np.int64)
    found = weigh(Pair(np.array([[2, 4]], dtype=np.uint8), np.array([1, 10])), 100, out)
    assert out[0] == found - 100
    return found, weigh.from_kept_code


def test_code_is_kept_and_computes_the_same(package: Path) -> None:
    assert [weighed(package) for _ in range(3)] == [(226, False), (226, True), (226, True)]


def test_who_waits_for_a_compilation_is_told_once(package: Path) -> None:
    told: list[str] = []
    announce_compilation(lambda: told.append("compiling"))
    weighed(package)
    assert told == ["compiling"]
    announce_compilation(lambda: told.append("again"))
    weighed(package)  # kept
    assert told == ["compiling"]


def test_a_named_tuple_that_comes_again_is_read_again(package: Path) -> None:
    """Only where its arrays lie is remembered, not what is in them; and not of a tuple with other arrays."""
    weigh, out = function_of(package, "weigh"), np.zeros(1, dtype=np.int64)
    pair = Pair(np.array([[2, 4]], dtype=np.uint8), np.array([1, 10]))
    other = Pair(np.array([[1, 1], [0, 1]], dtype=np.uint8), np.array([5, 100]))
    weighed_one_by_one = []
    for given in (pair, pair, other, pair):
        out[0] = 0
        weighed_one_by_one.append(weigh(given, 0, out))
        pair.weights[0] += 1
    assert weighed_one_by_one == [126, 132, 615, 144]


def test_code_that_was_compiled_in_another_way_is_void(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take its arguments in another form."""
    weighed(package)
    monkeypatch.setattr(machine_code, "_environment", lambda: "another compiler")
    assert weighed(package) == (226, False)


def test_a_constant_of_another_file_makes_kept_code_void(package: Path) -> None:
    """numba's own cache sees the file of the function alone."""
    weighed(package)
    (package / "sizes.py").write_text("FACTOR = 4\n")
    assert [weighed(package) for _ in range(2)] == [(268, False), (268, True)]


@pytest.mark.parametrize("place", [0, 10, -1])
def test_damaged_code_is_not_loaded(package: Path, place: int) -> None:
    weighed(package)
    kept = next((package / "__pycache__").glob("weigh-*.kernel"))
    data = bytearray(kept.read_bytes())
    data[place] ^= 1
    kept.write_bytes(data)
    assert [weighed(package) for _ in range(2)] == [(226, False), (226, True)]


def test_code_is_kept_in_the_user_s_cache_where_the_source_cannot_be_written(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "__pycache__").write_text("a file where a folder should be")
    assert [weighed(package) for _ in range(2)] == [(226, False), (226, True)]
    assert len(list((tmp_path / "cache" / "hwsim").glob("weigh-*.kernel"))) == 1


def test_what_needs_more_than_its_own_code_is_refused(package: Path) -> None:
    with pytest.raises(TypeError, match=r"kernel\.allocate needs NRT_\w+.*; expected nothing but its own code"):
        function_of(package, "allocate")(np.zeros(3, dtype=np.int64))
    assert find_kept(f"{package.name}.kernel", "allocate", SIGNATURE) is None


def test_an_exception_is_reported_without_its_text(package: Path) -> None:
    complain = function_of(package, "complain")
    assert complain(np.array([5])) == 5
    with pytest.raises(RuntimeError, match="complain ended with status"):
        complain(np.array([-5]))


def test_a_call_with_other_types_is_refused(package: Path) -> None:
    complain = function_of(package, "complain")
    complain(np.array([5]))
    with pytest.raises(TypeError, match=r"compiled for \(\('<i8', 1\),\), and called with \(\('<i4', 1\),\)"):
        complain(np.array([5], dtype=np.int32))
    with pytest.raises(TypeError, match="arrays must be C-contiguous"):
        complain(np.arange(6)[::2])
    with pytest.raises(TypeError, match="expected integers, arrays or named tuples of them, got float"):
        complain(1.5)


def test_numba_s_debugging_switches_hold(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With bounds checked, kept code would not check them."""
    weighed(package)
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert weighed(package) == (226, False)


def test_sources_are_those_that_a_module_imports() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources_of("hwsim.dram.aim.kernel")}
    assert {"hwsim/dram/aim/kernel.py", "hwsim/dram/aim/ordinary_kernel.py", "hwsim/dram/device/state.py"} <= found
    assert "hwsim/dram/in_order/play.py" not in found


def test_a_second_process_needs_no_numba(tmp_path: Path) -> None:
    """What makes the first play of a process fast."""
    trace = ROOT / "tests" / "dram" / "aim" / "data" / "all_isr.trace"
    program = f"""
import sys
from pathlib import Path
from hwsim.replay.aim import play_trace
print(play_trace(Path({str(trace)!r}), 32).cycles, "numba" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert done.stdout.decode().split() == ["689", "False"]
