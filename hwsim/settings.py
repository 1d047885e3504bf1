"""Settings by name: `channels=16`, `timing.tRCD_ns=14`, `workload.n_ctx=2048`, one by one or saved in a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwsim.errors import MachineError, UserError, nearest
from hwsim.machines import MACHINES
from hwsim.machines.machine import Machine
from hwsim.machines.spec_file import flatten_once
from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.workload.load import field_names
from hwsim.mapping.workload.workload import Workload
from hwsim.mapping.yaml_file import parse_value, read_mapping


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
        _sort_in(key, parsed, machine, workload, origin="--set")
    return Settings(machine=machine, workload=workload)


def read_config(path: Path) -> Settings:
    """Read a saved set of settings: a YAML mapping of the names that `--set` takes, nested or dotted.

    Raises
    ------
    UserError : not such a file, a name given twice, an unknown field of the workload
    """
    machine: dict[str, Any] = {}
    workload: dict[str, Any] = {}
    try:
        flat = flatten_once(read_mapping(path, UserError))
    except ValueError as cause:
        raise UserError(f"{path}: {cause}") from None
    for key, value in flat.items():
        if key.removeprefix("machine.") in machine:
            raise UserError(f"{path}: {key.removeprefix('machine.')} is given twice")
        _sort_in(key, value, machine, workload, origin=str(path))
    return Settings(machine=machine, workload=workload)


def gather_settings(texts: Iterable[str], config: Path | None) -> tuple[Settings, Settings]:
    """The settings of `--config` and `--set` together, where the latter win; and those of the file alone.

    Raises
    ------
    UserError : as `parse_settings` and `read_config`
    """
    saved = read_config(config) if config else Settings()
    given = parse_settings(texts)
    both = Settings(machine={**saved.machine, **given.machine}, workload={**saved.workload, **given.workload})
    return both, saved


def _sort_in(key: str, value: Any, machine: dict[str, Any], workload: dict[str, Any], *, origin: str) -> None:
    """Put a setting where it belongs; `origin` names its place in messages."""
    if not key.startswith("workload."):
        machine[key.removeprefix("machine.")] = value
        return
    name = key.removeprefix("workload.")
    if name not in field_names():
        raise WorkloadError(f"{_place(origin, key)}: no such field{nearest(name, field_names())}")
    workload[name] = value


def check_parameters(machine: Machine[Any, Any, Any, Any], keys: Collection[str], *, origin: str) -> None:
    """Check that a machine has parameters of these names.

    Raises
    ------
    MachineError : the first that it has not, with the nearest that it has
    """
    for key in keys:
        if not machine.spec_file.knows(key):
            every = [*machine.spec_file.keys(), *(f"workload.{name}" for name in field_names())]
            raise MachineError(f"{_place(origin, key)}: no such parameter{nearest(key, every)}")


def _place(origin: str, key: str) -> str:
    return f"--set {key}" if origin == "--set" else f"{origin}: {key}"


def choose_machine(given: str | None, workload: Workload[Any, Any]) -> str:
    """The machine that is named, else the workload's own.

    Raises
    ------
    MachineError : neither; the message names those that can run the workload
    """
    named = given or workload.machine
    if named:
        return named
    able = [name for name, machine in MACHINES.items() if workload.model.family in machine.families]
    run_by = f"--machine {' or '.join(able)} can run it" if able else "no machine here runs its family"
    raise MachineError(f"{workload.name}: names no machine; {run_by} (family {workload.model.family})")


def find_machine(source: str) -> tuple[Machine[Any, Any, Any, Any], Path | None]:
    """A machine by a shipped name, or by a user's YAML file and then with that file.

    Raises
    ------
    MachineError : neither a name nor a file, a file that names no model
    """
    if source in MACHINES:
        return MACHINES[source], None
    path = Path(source)
    if path.suffix not in (".yaml", ".yml") and not path.exists():
        raise MachineError(f"{source}: no such machine or file{nearest(source, MACHINES)}")
    model = read_mapping(path, MachineError).get("model")
    if not isinstance(model, str) or model not in MACHINES:
        raise MachineError(f"{path}: model: expected one of {', '.join(MACHINES)}, got {model!r}")
    return MACHINES[model], path


def load_machine(source: str, settings: Mapping[str, Any]) -> tuple[Machine[Any, Any, Any, Any], Any]:
    """A machine and its checked parameters, by a shipped name or from a user's YAML file.

    Raises
    ------
    MachineError : neither a name nor a file, a file that names no model, a wrong parameter
    """
    machine, path = find_machine(source)
    check_parameters(machine, settings, origin="--set")
    spec = machine.spec_file.load(path, settings)
    machine.check(spec)
    return machine, spec
