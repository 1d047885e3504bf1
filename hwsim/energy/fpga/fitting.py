"""One coefficient from a published power; the value is solved for, never tried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hwsim.data_file import read_data
from hwsim.energy.family import Family
from hwsim.energy.provenance import FITTED, Fit
from hwsim.errors import EnergyError

LINEAR = 1e-9  # relative error of a power that must lie on a line


def solve_coefficient(name: str, power_w: Callable[[float], float], target_w: float) -> float:
    """The value of a coefficient with which a run takes a power, all others being what they are.

    Parameters
    ----------
    power_w : mean power of the run for a value of the coefficient; linear, since each enters energy as a factor
    target_w : the published power

    Raises
    ------
    EnergyError : nothing in the run depends on the coefficient, the power is not linear in it, or the other
        coefficients alone take more than the target
    """
    without, slope = power_w(0.0), power_w(1.0) - power_w(0.0)
    if slope <= 0:
        raise EnergyError(f"{name}: cannot be fitted, since nothing in the run depends on it")
    value = (target_w - without) / slope
    if value < 0:
        raise EnergyError(f"{name}: cannot be fitted to {target_w:g} W, the other coefficients take {without:.4g} W")
    if abs(power_w(value) - target_w) > LINEAR * target_w:
        raise EnergyError(f"{name}: cannot be fitted, since the power is not linear in it")
    return value


def fitted_coefficients(family: Family[object]) -> Iterator[tuple[str, str, Fit]]:  # type: ignore[type-var]
    """(table, coefficient, condition) of all that are fitted in shipped tables."""
    for table in family.names:
        for name, entry in read_data("hwsim.energy", f"tables/{table}.yaml")["coefficients"].items():
            if entry["grade"] == FITTED:
                yield table, name, Fit(**entry["fit"])
