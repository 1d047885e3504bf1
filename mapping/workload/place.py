"""Where in a run something is decided that depends on data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """A layer of a step.

    Attributes
    ----------
    number : of the step, counted from 0
    """

    number: int
    layer: int
    task: int
