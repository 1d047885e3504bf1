"""Where a coefficient comes from: a source, or a fit to a published figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# From the most to the least certain: set by the user, read in a primary source, read in an account of one, calculated,
# remembered, assumed, fitted to a published figure that then is no longer a prediction.
FITTED = "fitted"
OWN_GRADES = ("set", "S", "T", "C", "M", "A")  # those that a user's file may give
GRADES = (*OWN_GRADES, FITTED)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The condition under which a coefficient was fitted.

    Attributes
    ----------
    power_w : the published mean power that the run takes with it
    machine, workload, settings : that run
    source : of the published power
    changed : other coefficients of the table that have been replaced since, so that the power no longer follows
    """

    power_w: float
    machine: str
    workload: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In words."""
        settings = "".join(f" {key}={value}" for key, value in self.settings.items())
        since = f"; changed since: {', '.join(self.changed)}" if self.changed else ""
        return f"so that {self.machine}{settings} takes {self.power_w:g} W on {self.workload} ({self.source}){since}"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a coefficient comes from.

    Attributes
    ----------
    fit : the condition, for the grade `fitted`

    Raises
    ------
    ValueError : a fitted coefficient without a condition, or one of another grade with it
    """

    grade: str
    confidence: float | None = None
    source: str = ""
    fit: Fit | None = None

    def __post_init__(self) -> None:
        if (self.grade == FITTED) != (self.fit is not None):
            raise ValueError(f"grade {self.grade}: expected a condition of the fit for {FITTED} and for no other")
