"""The first pieces of work through the stages of a pipeline, for a page: who is where when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StageSpan:
    """A piece of work in a stage, or a wait of the stage with it, in cycles.

    Attributes
    ----------
    number : of the piece of work, counted from 0
    waits : what the stage waits for; empty where it works
    """

    stage: str
    number: int
    name: str
    begin: int
    end: int
    waits: str = ""


@dataclass(frozen=True, kw_only=True)
class StageChart:
    """Spans of all stages, from the cycle in which the first one begins.

    Attributes
    ----------
    title : what the pieces of work are, and of what
    stages : in the order in which work passes them
    """

    title: str
    stages: tuple[str, ...]
    spans: tuple[StageSpan, ...]
