"""Machine parameters of which one chooses a set of defaults for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwsim.errors import MachineError
from hwsim.mapping.yaml_file import read_mapping
from hwsim.parameters.parameter import Parameter
from hwsim.parameters.provenance import ParameterOrigin, Unconfirmed
from hwsim.parameters.spec_file import SpecFile, SpecT


@dataclass(frozen=True, kw_only=True)
class VariantSpecFile(SpecFile[SpecT]):
    """Shipped parameters that follow from the value of `field`; those of its default are the machine's own.

    Attributes
    ----------
    variants : value of the field to the parameters that go with it
    """

    field: str
    variants: Mapping[str, SpecFile[SpecT]]

    def keys(self) -> tuple[str, ...]:
        """Every parameter that can be set in one variant at least."""
        return tuple(dict.fromkeys(key for file in self.variants.values() for key in file.keys()))  # noqa: SIM118

    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter of one variant at least; a default is that of the first variant that has the parameter."""
        found: dict[str, Parameter] = {}
        for file in self.variants.values():
            for parameter in file.parameters():
                found.setdefault(parameter.name, parameter)
        return tuple(found.values())

    def knows(self, key: str) -> bool:
        return any(file.knows(key) for file in self.variants.values())

    def load(self, path: Path | None, overrides: Mapping[str, Any]) -> SpecT:
        chosen = self.defaults[self.field]
        if path:
            chosen = read_mapping(path, MachineError).get(self.field, chosen)
        chosen = overrides.get(self.field, chosen)
        if not isinstance(chosen, str) or chosen not in self.variants:
            raise MachineError(f"{self.field}: expected one of {', '.join(self.variants)}, got {chosen!r}")
        return self.variants[chosen].load(path, overrides)

    def unconfirmed(self, spec: SpecT) -> tuple[Unconfirmed, ...]:
        return self._of(spec).unconfirmed(spec)

    def origins(self, spec: SpecT) -> tuple[ParameterOrigin, ...]:
        return self._of(spec).origins(spec)

    def dump(self, spec: SpecT) -> str:
        return self._of(spec).dump(spec)

    def _of(self, spec: SpecT) -> SpecFile[SpecT]:
        return self.variants[getattr(spec, self.field)]
