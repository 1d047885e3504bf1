"""What the coefficients of all energy tables have in common."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

MOST = 1e6  # largest value of a coefficient; a larger one has the wrong unit


class CoefficientSet(BaseModel):
    """Coefficients by name; a name ends in its unit.

    Attributes
    ----------
    formulas : figure -> how it is computed, in words, and from which coefficients
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {}
