"""The workloads that come with the package, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from hwsim.errors import WorkloadError, nearest

_PACKAGED = Path(__file__).parent / "_workloads"
_CHECKOUT = Path(__file__).parent.parent / "workloads"


def workloads_folder() -> Path:
    """The folder with the shipped YAML files."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def shipped_workloads() -> dict[str, Path]:
    """Name to file."""
    return {path.stem: path for path in sorted(workloads_folder().glob("*.yaml"))}


def find_workload(source: str | Path) -> Path:
    """A file as it is given, or the shipped workload of that name.

    Raises
    ------
    WorkloadError : neither a file nor a shipped name
    """
    path = Path(source)
    shipped = shipped_workloads()
    if isinstance(source, str) and source in shipped and not path.is_file():
        return shipped[source]
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        raise WorkloadError(f"{source}: no such file and no shipped workload{nearest(str(source), shipped)}")
    return path
