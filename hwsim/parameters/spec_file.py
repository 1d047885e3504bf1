"""Machine parameters from a shipped file, a user's file and single settings, with their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from hwsim.errors import MachineError, nearest
from hwsim.mapping.yaml_file import first_problem, read_mapping
from hwsim.parameters.nested import flatten, unflatten
from hwsim.parameters.parameter import Meaning, Parameter, describe
from hwsim.parameters.provenance import UNCONFIRMED, ParameterOrigin, Unconfirmed

SpecT = TypeVar("SpecT", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class SpecFile(Generic[SpecT]):
    """A machine's shipped parameters.

    Attributes
    ----------
    defaults : field to value, nested
    provenance : dotted field to its grade, confidence and source
    open_fields : mappings whose keys the defaults do not list; the machine's own check knows them
    meanings : what entries of mappings mean, where their field can only speak of all
    """

    model: type[SpecT]
    defaults: Mapping[str, Any]
    provenance: Mapping[str, Mapping[str, Any]]
    open_fields: tuple[str, ...] = ()
    meanings: Mapping[str, Meaning] = field(default_factory=dict)

    def keys(self) -> tuple[str, ...]:
        """Every parameter that can be set, dotted."""
        return tuple(key for key in flatten(self.defaults) if key not in ("model",))

    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter that can be set, with its meaning, unit and range; entries of open fields are not listed."""
        values = flatten(self.defaults)
        return tuple(describe(self.model, key, values[key], self.meanings) for key in self.keys())

    def knows(self, key: str) -> bool:
        """Whether a dotted key can be set."""
        field, _, name = key.rpartition(".")
        return key in self.keys() or (field in self.open_fields and bool(name))

    def load(self, path: Path | None, overrides: Mapping[str, Any]) -> SpecT:
        """The shipped parameters with those of a user's file and single dotted settings in their place.

        Raises
        ------
        MachineError : an unknown parameter (the message names the nearest), a value out of range
        """
        values = flatten(self.defaults)
        origin = str(path) if path else str(values["name"])
        if path:
            own = {k: v for k, v in read_mapping(path, MachineError).items() if k != "provenance"}
            values.update(self._known(flatten(own), origin))
        values.update(self._known(overrides, "--set"))
        try:
            return self.model.model_validate(unflatten(values))
        except ValidationError as cause:
            raise MachineError(f"{origin}: {first_problem(cause)}") from None

    def unconfirmed(self, spec: SpecT) -> tuple[Unconfirmed, ...]:
        """Parameters that still have a shipped value which is remembered or assumed."""
        shipped = flatten(self.defaults)
        used = flatten(spec.model_dump())
        return tuple(
            Unconfirmed(
                name=key,
                value=used[key],
                grade=entry["grade"],
                confidence=entry.get("confidence"),
                source=entry.get("source", ""),
            )
            for key, entry in self.provenance.items()
            if entry["grade"] in UNCONFIRMED and used.get(key) == shipped.get(key)
        )

    def origins(self, spec: SpecT) -> tuple[ParameterOrigin, ...]:
        """Every parameter as it ran, with the provenance of its value where that is still the shipped one."""
        shipped = flatten(self.defaults)
        doubtful = {entry.name for entry in self.unconfirmed(spec)}
        found = []
        for key, value in flatten(spec.model_dump()).items():
            own = key not in shipped or value != shipped[key]
            entry = {} if own else self.provenance.get(key, {})
            found.append(
                ParameterOrigin(
                    name=key,
                    value=value,
                    shipped=shipped.get(key),
                    grade=entry.get("grade"),
                    confidence=entry.get("confidence"),
                    source="set by the user" if own else entry.get("source", ""),
                    unconfirmed=key in doubtful,
                )
            )
        return tuple(found)

    def dump(self, spec: SpecT) -> str:
        """The parameters as YAML to start one's own machine from, grade and source of each beside it."""
        lines = ["# Change what you like; what you leave out keeps its shipped value."]
        values = spec.model_dump()
        for key, value in values.items():
            if not isinstance(value, dict) or not value:
                lines.append(self._line(key, value, key, indent=""))
                continue
            lines.append(f"{key}:")
            lines += [self._line(f"{key}.{sub}", item, sub, indent="  ") for sub, item in value.items()]
        return "\n".join(lines) + "\n"

    def _line(self, path: str, value: Any, key: str, *, indent: str) -> str:
        text = {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else str(value)
        line = f"{indent}{key}: {text}"
        entry = self.provenance.get(path)
        if not entry:
            return line
        confidence = f" {entry['confidence']}" if "confidence" in entry else ""
        return f"{line:38} # {entry['grade']}{confidence}: {entry.get('source', '')}".rstrip(": ")

    def _known(self, values: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
        known = {*self.keys(), "model"}
        for key in values:
            if key not in known and not self.knows(key):
                raise MachineError(f"{origin}: no parameter {key!r}{nearest(key, known)}")
        return values
