"""Rows of a published table about other processors, with which a run of ours is set in relation.

Unlike the devices of `hwsim/baselines`, which are modelled, these are figures that somebody measured or stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hwsim.baselines.ratios import Ratio
from hwsim.report.schema import EnergyUse

AGREEMENT = 0.005  # relative; published figures are rounded to three or four digits


class PublishedRow(BaseModel):
    """A processor that ran the workload.

    Attributes
    ----------
    key : names the ratios to it, `speedup_KEY` and `energy_KEY`
    source : where the figures stand
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    name: str
    latency_ms: float = Field(gt=0)
    power_w: float = Field(gt=0)
    energy_j: float = Field(gt=0)
    grade: str
    source: str

    @model_validator(mode="after")
    def _is_one_measurement(self) -> Self:
        product = self.latency_ms / 1e3 * self.power_w
        if abs(product - self.energy_j) > AGREEMENT * self.energy_j:
            raise ValueError(f"{self.key}: {self.latency_ms} ms at {self.power_w} W are {product:.4g} J")
        return self

    @property
    def energy_text(self) -> str:
        """Its energy and how that comes about."""
        return f"{self.energy_j:g} J ({self.latency_ms:g} ms at {self.power_w:g} W, {self.grade})"


def read_rows(entries: Iterable[Mapping[str, Any]]) -> tuple[PublishedRow, ...]:
    """The rows of a machine's published.yaml."""
    return tuple(PublishedRow.model_validate(entry) for entry in entries)


def row_ratios(rows: Iterable[PublishedRow], *, seconds_per_unit: float, energy: EnergyUse | None) -> dict[str, Ratio]:
    """What each row needs, divided by what the run needs for one of its unit (an image, a frame)."""
    found = {}
    for row in rows:
        ms = seconds_per_unit * 1e3
        timing = f"its {row.latency_ms:g} ms ({row.grade}) over our {ms:.4g} ms"
        found[f"speedup_{row.key}"] = Ratio(value=row.latency_ms / ms, note=timing)
        found[f"energy_{row.key}"] = (
            Ratio(value=None, note="not comparable: energy is off")
            if energy is None
            else Ratio(
                value=row.energy_j / energy.joules_per_unit,
                note=f"its {row.energy_text} over our {energy.joules_per_unit:.4g} J",
            )
        )
    return found


def run_figures(*, seconds_per_unit: float, energy: EnergyUse | None) -> dict[str, Ratio]:
    """Latency (`latency_ms`) and energy (`energy_j`) of one of the run's unit, and the power (`power_w`)."""
    off = Ratio(value=None, note="not comparable: energy is off")
    return {
        "latency_ms": Ratio(value=seconds_per_unit * 1e3, note=""),
        "power_w": off if energy is None else Ratio(value=energy.mean_power_w, note=""),
        "energy_j": off if energy is None else Ratio(value=energy.joules_per_unit, note=""),
    }
