"""Where the value of a parameter comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Grades whose figures nobody has confirmed: remembered (M) and assumed (A).
UNCONFIRMED = ("M", "A")


@dataclass(frozen=True, kw_only=True)
class Unconfirmed:
    """A parameter in use whose value is remembered or assumed."""

    name: str
    value: Any
    grade: str
    confidence: float | None
    source: str


@dataclass(frozen=True, kw_only=True)
class ParameterOrigin:
    """A parameter as it ran and where its value comes from; without a grade it is the user's."""

    name: str
    value: Any
    shipped: Any
    grade: str | None
    confidence: float | None
    source: str
    unconfirmed: bool
