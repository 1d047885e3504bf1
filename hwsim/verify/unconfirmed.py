"""Which parameters that nothing has confirmed a verification depends on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import TypeVar

from pydantic import BaseModel

from hwsim.parameters.spec_file import SpecFile
from hwsim.report.schema import UnconfirmedParameter

SpecT = TypeVar("SpecT", bound=BaseModel)


def unconfirmed_parameters(
    spec: SpecT, spec_file: SpecFile[SpecT], numeric: Collection[str]
) -> list[UnconfirmedParameter]:
    """Remembered and assumed parameters, of those alone that affect numbers."""
    return [UnconfirmedParameter(**asdict(entry)) for entry in spec_file.unconfirmed(spec) if entry.name in numeric]
