"""Energy in a report."""

from __future__ import annotations

from hwsim.mapping.workload.run import Unit
from hwsim.report.schema.part import Part


class EnergyShare(Part):
    """Energy of one component; `source` says how it comes about, `grade` is that of its least certain coefficient.

    A component that is `standing` costs time, whether or not there is work.
    """

    component: str
    joules: float
    share: float
    source: str
    grade: str
    standing: bool


class EnergyCoefficient(Part):
    """A coefficient of the energy table in use; its name ends in its unit.

    `fitted` is the condition under which a coefficient was fitted to a published power; null for all others.
    """

    name: str
    value: float
    grade: str
    confidence: float | None
    source: str
    fitted: str | None = None


class EnergyUse(Part):
    """Energy of the machine without its host; the components add up to `joules`.

    `joules_per_unit` is over everything that passed the machine, in the run's own `unit`: tokens of a prompt too.
    `joules_per_mac` is over every multiply-accumulate of the machine's units, padding included.
    """

    table: str
    joules: float
    joules_per_unit: float
    unit: Unit
    mean_power_w: float
    joules_per_mac: float | None
    components: list[EnergyShare]
    coefficients: list[EnergyCoefficient]

    @property
    def fitted(self) -> list[EnergyCoefficient]:
        """Coefficients that were fitted to a published power, so that what follows from them is no prediction."""
        return [coefficient for coefficient in self.coefficients if coefficient.fitted]
