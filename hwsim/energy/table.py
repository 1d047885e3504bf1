"""Energy tables: shipped by name, or a user's YAML file on top of a shipped one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

from pydantic import ValidationError

from hwsim.data_file import read_data
from hwsim.energy.coefficients import PIM, Coefficients
from hwsim.energy.family import Family, SetT
from hwsim.energy.provenance import GRADES, OWN_GRADES, Fit, Provenance
from hwsim.errors import EnergyError, nearest
from hwsim.mapping.yaml_file import first_problem, read_mapping

OFF = "off"

Entries = dict[str, dict[str, Any]]  # coefficient -> value and provenance


@dataclass(frozen=True, kw_only=True)
class EnergyTable(Generic[SetT]):
    """Coefficients with their provenance."""

    name: str
    coefficients: SetT
    provenance: Mapping[str, Provenance]

    def worst_grade(self, names: tuple[str, ...]) -> str:
        """The least certain grade among some coefficients."""
        return max((self.provenance[name].grade for name in names), key=GRADES.index)


def load_table(source: str, overrides: Mapping[str, float] | None = None) -> EnergyTable[Coefficients]:
    """A table for a memory that computes; as `read_table`."""
    return read_table(PIM, source, overrides)


def read_table(family: Family[SetT], source: str, overrides: Mapping[str, float] | None = None) -> EnergyTable[SetT]:
    """A table by its shipped name or from a user's YAML file, with single coefficients replaced.

    A user's file names the table that it changes and the coefficients that differ, each a number or a mapping like
    those of the shipped tables::

        base: aim
        coefficients:
          io_pj_per_bit: 4
          read_mw: {value: 400, grade: S, source: our board}

    Raises
    ------
    EnergyError : no such table, file or coefficient (the message names the nearest), a value out of range
    """
    name, base, changes = _read_own(family, source) if source not in family.names else (source, source, {})
    document = read_data("hwsim.energy", f"tables/{base}.yaml")
    entries: Entries = {key: dict(entry) for key, entry in document["coefficients"].items()}
    for key, change in changes.items():
        _require_known(key, entries, f"{source}: coefficients.{key}", base)
        entries[key] = _own_entry(change, f"{source}: coefficients.{key}", source)
    for key, value in (overrides or {}).items():
        _require_known(key, entries, f"energy_table.{key}", name)
        entries[key] = {"value": value, "grade": "set", "source": "setting"}
    values = {key: entry.pop("value", None) for key, entry in entries.items()}
    return EnergyTable(
        name=name,
        coefficients=_checked(family.equations[document["equations"]], values, f"energy table {name}"),
        provenance=_provenance(entries, changed=(*changes, *(overrides or {}))),
    )


def _provenance(entries: Entries, changed: tuple[str, ...]) -> dict[str, Provenance]:
    """Where each coefficient comes from; one that was fitted knows what has been changed beside it."""
    found = {}
    for key, entry in entries.items():
        fit = entry.pop("fit", None)
        found[key] = Provenance(**entry, fit=None if fit is None else replace(Fit(**fit), changed=changed))
    return found


def _read_own(family: Family[Any], source: str) -> tuple[str, str, Mapping[str, Any]]:
    """(name, shipped table that it changes, coefficient -> what the file says of it)."""
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        known = (*family.names, OFF)
        raise EnergyError(
            f"energy: no energy table {source!r}{nearest(source, known)}; there are {', '.join(known)}, or a YAML file"
        )
    document = read_mapping(path, EnergyError)
    for key in document:
        _require_known(key, ("base", "coefficients"), f"{path}: {key}", source)
    base = document.get("base")
    if base not in family.names:
        raise EnergyError(f"{path}: base: expected one of {', '.join(family.names)}, got {base!r}")
    changes = document.get("coefficients", {})
    if not isinstance(changes, dict):
        raise EnergyError(f"{path}: coefficients: expected a mapping of names to values, got {changes!r}")
    return path.stem, base, changes


def _own_entry(change: Any, place: str, source: str) -> dict[str, Any]:
    """A coefficient of a user's file: a number, or a mapping with value, grade and source."""
    if not isinstance(change, dict):
        return {"value": change, "grade": "set", "source": source}
    for key in change:
        _require_known(key, ("value", "grade", "confidence", "source"), f"{place}.{key}", source)
    entry = {"grade": "set", "source": source, **change}
    if entry["grade"] not in OWN_GRADES:
        raise EnergyError(f"{place}.grade: expected one of {', '.join(OWN_GRADES)}, got {entry['grade']!r}")
    confidence = entry.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float | None):
        raise EnergyError(f"{place}.confidence: expected a number, got {confidence!r}")
    entry["source"] = str(entry["source"])
    return entry


def _require_known(key: Any, known: Any, place: str, table: str) -> None:
    if key not in known:
        raise EnergyError(f"{place}: nothing of that name in energy table {table}{nearest(str(key), known)}")


def _checked(model: type[SetT], values: Mapping[str, Any], origin: str) -> SetT:
    for key, value in values.items():  # pydantic would take `true` and "5" for numbers
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EnergyError(f"{origin}: {key}: expected a number, got {value!r}")
    try:
        return model.model_validate(values)
    except ValidationError as cause:
        raise EnergyError(f"{origin}: {first_problem(cause)}") from None
