"""Energy tables: shipped by name, or a user's YAML file on top of a shipped one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hwsim.data_file import read_data
from hwsim.energy.coefficients import EQUATIONS, Coefficients
from hwsim.errors import EnergyError, nearest
from hwsim.mapping.yaml_file import first_problem, read_mapping

TABLES = ("paper", "aim", "dramsim3")
OFF = "off"

# From the most to the least certain: set by the user, read in a primary source, read in an account of one, calculated,
# remembered, assumed.
GRADES = ("set", "S", "T", "C", "M", "A")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a coefficient comes from."""

    grade: str
    confidence: float | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class EnergyTable:
    """Coefficients with their provenance."""

    name: str
    coefficients: Coefficients
    provenance: Mapping[str, Provenance]

    def worst_grade(self, names: tuple[str, ...]) -> str:
        """The least certain grade among some coefficients."""
        return max((self.provenance[name].grade for name in names), key=GRADES.index)


def load_table(source: str, overrides: Mapping[str, float] | None = None) -> EnergyTable:
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
    name, equations, entries = _read_shipped(source) if source in TABLES else _read_own(source)
    values = {key: entry.pop("value", None) for key, entry in entries.items()}
    for key, value in (overrides or {}).items():
        _require_known(key, values, f"energy_table.{key}", name)
        values[key] = value
        entries[key] = {"grade": "set", "source": "setting"}
    return EnergyTable(
        name=name,
        coefficients=_checked(EQUATIONS[equations], values, f"energy table {name}"),
        provenance={key: Provenance(**entry) for key, entry in entries.items()},
    )


def _read_shipped(name: str) -> tuple[str, str, dict[str, dict[str, Any]]]:
    """(name, equations, coefficient -> value and provenance)."""
    document = read_data("hwsim.energy", f"tables/{name}.yaml")
    return name, document["equations"], {key: dict(entry) for key, entry in document["coefficients"].items()}


def _read_own(source: str) -> tuple[str, str, dict[str, dict[str, Any]]]:
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        known = (*TABLES, OFF)
        raise EnergyError(
            f"energy: no energy table {source!r}{nearest(source, known)}; there are {', '.join(known)}, or a YAML file"
        )
    document = read_mapping(path, EnergyError)
    for key in document:
        _require_known(key, ("base", "coefficients"), f"{path}: {key}", source)
    base = document.get("base")
    if base not in TABLES:
        raise EnergyError(f"{path}: base: expected one of {', '.join(TABLES)}, got {base!r}")
    changes = document.get("coefficients", {})
    if not isinstance(changes, dict):
        raise EnergyError(f"{path}: coefficients: expected a mapping of names to values, got {changes!r}")
    _, equations, entries = _read_shipped(base)
    for key, change in changes.items():
        _require_known(key, entries, f"{path}: coefficients.{key}", base)
        entries[key] = _own_entry(change, f"{path}: coefficients.{key}", source)
    return path.stem, equations, entries


def _own_entry(change: Any, place: str, source: str) -> dict[str, Any]:
    """A coefficient of a user's file: a number, or a mapping with value, grade and source."""
    if not isinstance(change, dict):
        return {"value": change, "grade": "set", "source": source}
    for key in change:
        _require_known(key, ("value", "grade", "confidence", "source"), f"{place}.{key}", source)
    entry = {"grade": "set", "source": source, **change}
    if entry["grade"] not in GRADES:
        raise EnergyError(f"{place}.grade: expected one of {', '.join(GRADES)}, got {entry['grade']!r}")
    confidence = entry.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float | None):
        raise EnergyError(f"{place}.confidence: expected a number, got {confidence!r}")
    entry["source"] = str(entry["source"])
    return entry


def _require_known(key: Any, known: Any, place: str, table: str) -> None:
    if key not in known:
        raise EnergyError(f"{place}: nothing of that name in energy table {table}{nearest(str(key), known)}")


def _checked(model: type[Coefficients], values: Mapping[str, Any], origin: str) -> Coefficients:
    for key, value in values.items():  # pydantic would take `true` and "5" for numbers
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise EnergyError(f"{origin}: {key}: expected a number, got {value!r}")
    try:
        return model.model_validate(values)
    except ValidationError as cause:
        raise EnergyError(f"{origin}: {first_problem(cause)}") from None
