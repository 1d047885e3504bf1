"""Published figures beside ours: a table of theirs, with what they depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from hwsim.baselines.ratios import Ratio
from hwsim.report.schema import EnergyUse, Published


class PublishedFigure(BaseModel):
    """A line of a machine's published.yaml.

    Attributes
    ----------
    theirs : as they state it; `value` where that is one number
    ours : names the figure of ours to set beside it; `not_comparable` says why there is none
    baseline : the modelled device that ours is a ratio to
    only : the workload that theirs is about
    tokens : the length of a sequence at which theirs holds, where it is of one length
    power : ours hangs on the machine's power, so that it is no prediction where that was fitted
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    theirs: str
    value: float | None = None
    grade: str
    ours: str | None = None
    not_comparable: str | None = None
    baseline: str | None = None
    unit: str = ""
    only: str | None = None
    tokens: int | None = None
    power: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _has_ours_or_a_reason(self) -> Self:
        if (self.ours is None) == (self.not_comparable is None):
            raise ValueError(f"{self.name}: expected either ours or not_comparable")
        return self


def read_published(entries: Iterable[Mapping[str, Any]]) -> tuple[PublishedFigure, ...]:
    """The lines of a machine's published.yaml."""
    return tuple(PublishedFigure.model_validate(entry) for entry in entries)


def published_beside(
    figures: Iterable[PublishedFigure],
    workload: str,
    ours: Mapping[str, Ratio],
    *,
    energy: EnergyUse | None = None,
    tokens: int | None = None,
) -> tuple[Published, ...]:
    """Figures that speak of a workload, with ours beside them.

    Parameters
    ----------
    ours : by the names that `PublishedFigure.ours` uses
    energy : of the run, which knows whether its power was fitted
    tokens : of a sequence of the run, for figures that hold at one length
    """
    fitted = [entry.name for entry in energy.fitted] if energy else []
    warning = f"no prediction, since {' and '.join(fitted)} is fitted to a published power" if fitted else ""
    return tuple(
        _beside(figure, _ours(figure, ours, tokens), warning if figure.power else "")
        for figure in figures
        if figure.only in (None, workload)
    )


def _ours(figure: PublishedFigure, ours: Mapping[str, Ratio], tokens: int | None) -> Ratio:
    if figure.ours is None:
        return Ratio(value=None, note=f"not comparable: {figure.not_comparable}")
    found = ours[figure.ours]
    if figure.tokens is None or figure.tokens == tokens or found.value is None:
        return found
    length = "no one length" if tokens is None else f"{tokens:,}"
    text = f"theirs is at {figure.tokens:,} tokens, ours at {length} is {found.value:.4g}{figure.unit}"
    return Ratio(value=None, note=f"not comparable: {text}; {found.note}" if found.note else f"not comparable: {text}")


def _beside(figure: PublishedFigure, found: Ratio, warning: str) -> Published:
    comparable = found.value is not None and figure.value is not None
    return Published(
        name=figure.name,
        theirs=figure.theirs,
        ours=found.value,
        ratio=found.value / figure.value if comparable else None,  # type: ignore[operator]  # both are there
        unit=figure.unit,
        grade=figure.grade,
        note="; ".join(
            text for text in (warning if found.value is not None else "", figure.note or found.note) if text
        ),
    )
