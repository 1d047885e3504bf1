"""Settings by name: `channels=16`, `timing.tRCD_ns=14`, `workload.n_ctx=2048`, one by one or saved in a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.errors import MachineError, UserError, nearest
from hwsim.mapping.errors import WorkloadError
from hwsim.mapping.yaml_file import parse_value, read_mapping
from hwsim.parameters.nested import flatten_once

if TYPE_CHECKING:
    from hwsim.parameters.spec_file import SpecFile


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
    if name not in _workload_fields():
        raise WorkloadError(f"{_place(origin, key)}: no such field{nearest(name, _workload_fields())}")
    workload[name] = value


def check_parameters(spec_file: SpecFile[Any], keys: Collection[str], *, origin: str) -> None:
    """Check that a machine has parameters of these names, by its `spec_file`.

    Raises
    ------
    MachineError : the first that it has not, with the nearest that it has
    """
    for key in keys:
        if not spec_file.knows(key):
            every = [*spec_file.keys(), *(f"workload.{name}" for name in _workload_fields())]
            raise MachineError(f"{_place(origin, key)}: no such parameter{nearest(key, every)}")


def _workload_fields() -> tuple[str, ...]:
    """Every field of a workload; all model families are imported only if a setting or a message needs these."""
    from hwsim.mapping.workload.load import field_names

    return field_names()


def _place(origin: str, key: str) -> str:
    return f"--set {key}" if origin == "--set" else f"{origin}: {key}"
