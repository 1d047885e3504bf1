"""Settings by name: `channels=16`, `timing.tRCD_ns=14`, `workload.n_ctx=2048`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim.errors import MachineError, UserError, nearest
from hwsim.machines import MACHINES
from hwsim.machines.machine import Machine
from mapping.errors import WorkloadError
from mapping.workload import field_names
from mapping.yaml_file import parse_value, read_mapping


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Values that replace those of the files; machine and workload apart."""

    machine: Mapping[str, Any] = field(default_factory=dict)
    workload: Mapping[str, Any] = field(default_factory=dict)


def parse_settings(texts: Iterable[str]) -> Settings:
    """Read `key=value` texts; a key that begins with `workload.` belongs to the workload.

    Raises
    ------
    UserError : a text without `=`, a value that is no YAML, an unknown field of the workload
    """
    machine: dict[str, Any] = {}
    workload: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(f"--set {text}: expected key=value")
        try:
            parsed = parse_value(value)
        except ValueError as cause:
            raise UserError(f"--set {text}: {cause}") from None
        if key.startswith("workload."):
            name = key.removeprefix("workload.")
            if name not in field_names():
                raise WorkloadError(f"--set {key}: no such field{nearest(name, field_names())}")
            workload[name] = parsed
        else:
            machine[key.removeprefix("machine.")] = parsed
    return Settings(machine=machine, workload=workload)


def load_machine(source: str, settings: Mapping[str, Any]) -> tuple[Machine[Any, Any, Any, Any], Any]:
    """A machine and its checked parameters, by a shipped name or from a user's YAML file.

    Raises
    ------
    MachineError : neither a name nor a file, a file that names no model, a wrong parameter
    """
    if source in MACHINES:
        machine, path = MACHINES[source], None
    else:
        path = Path(source)
        if path.suffix not in (".yaml", ".yml") and not path.exists():
            raise MachineError(f"{source}: no such machine or file{nearest(source, MACHINES)}")
        model = read_mapping(path, MachineError).get("model")
        if not isinstance(model, str) or model not in MACHINES:
            raise MachineError(f"{path}: model: expected one of {', '.join(MACHINES)}, got {model!r}")
        machine = MACHINES[model]
    known = machine.spec_file.keys()
    for key in settings:
        if not machine.spec_file.knows(key):
            every = [*known, *(f"workload.{name}" for name in field_names())]
            raise MachineError(f"--set {key}: no such parameter{nearest(key, every)}")
    spec = machine.spec_file.load(path, settings)
    machine.check(spec)
    return machine, spec
