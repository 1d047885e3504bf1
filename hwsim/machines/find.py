"""A machine by its name or file, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.errors import MachineError, nearest
from hwsim.machines import MACHINES
from hwsim.mapping.yaml_file import read_mapping
from hwsim.parameters.settings import check_parameters

if TYPE_CHECKING:
    from hwsim.machines.machine import Machine
    from hwsim.mapping.workload.workload import Workload


def choose_machine(given: str | None, workload: Workload[Any, Any]) -> str:
    """The machine that is named, else the workload's own.

    Raises
    ------
    MachineError : neither; the message names those that can run the workload
    """
    named = given or workload.machine
    if named:
        return named
    able = _able(workload)
    run_by = f"--machine {' or '.join(able)} can run it" if able else "no machine here has units for all its operators"
    raise MachineError(f"{workload.name}: names no machine; {run_by} (family {workload.model.family})")


def _able(workload: Workload[Any, Any]) -> list[str]:
    """Machines that have units for every operator of a workload."""
    able = [machine for machine in (load() for load in MACHINES.values()) if workload.model.family in machine.families]
    if not able:
        return []
    from hwsim.mapping.models import build_graph

    graph = build_graph(workload)
    return [machine.name for machine in able if machine.has_units_for(graph)]


def is_machine(source: str) -> bool:
    """Whether a text names a shipped machine, or a YAML file that names the model of one."""
    path = Path(source)
    if source in MACHINES and not path.is_file():
        return True
    return path.suffix in (".yaml", ".yml") and path.is_file() and "model" in read_mapping(path, MachineError)


def find_machine(source: str) -> tuple[Machine[Any, Any, Any, Any], Path | None]:
    """A machine by a shipped name, or by a user's YAML file and then with that file.

    Raises
    ------
    MachineError : neither a name nor a file, a file that names no model
    """
    if source in MACHINES:
        return MACHINES[source](), None
    path = require_file(source)
    model = read_mapping(path, MachineError).get("model")
    if not isinstance(model, str) or model not in MACHINES:
        raise MachineError(f"{path}: model: expected one of {', '.join(MACHINES)}, got {model!r}")
    return MACHINES[model](), path


def require_file(source: str) -> Path:
    """The path of what is no machine's name.

    Raises
    ------
    MachineError : neither is it a file; one of YAML may turn out missing when it is read
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        raise MachineError(f"{source}: no such machine or file{nearest(source, MACHINES)}")
    return path


def load_machine(source: str, settings: Mapping[str, Any]) -> tuple[Machine[Any, Any, Any, Any], Any]:
    """A machine and its checked parameters, by a shipped name or from a user's YAML file.

    Raises
    ------
    MachineError : neither a name nor a file, a file that names no model, a wrong parameter
    """
    machine, path = find_machine(source)
    check_parameters(machine.spec_file, settings, origin="--set")
    spec = machine.spec_file.load(path, settings)
    machine.check(spec)
    return machine, spec
