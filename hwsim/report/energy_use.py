"""Energy by component as a report states it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any

from hwsim.energy import Component, EnergyTable
from hwsim.energy.fpga import FpgaCounts, FpgaTable, break_down_fpga
from hwsim.mapping.workload.run import Unit
from hwsim.report.schema import EnergyCoefficient, EnergyShare, EnergyUse


def energy_use(
    components: Sequence[Component],
    table: EnergyTable[Any],
    *,
    joules: float,
    seconds: float,
    passed: int,
    unit: Unit,
    macs: int,
    coefficients: Iterable[str] | None = None,
) -> EnergyUse:
    """Energy of a run.

    Parameters
    ----------
    joules : sum of the components
    seconds : latency of the run
    passed : how many of `unit` passed the machine, tokens of a prompt too
    macs : multiply-accumulates of the machine's units, padding included
    coefficients : those of the table that were used; all unless given
    """
    return EnergyUse(
        table=table.name,
        joules=joules,
        joules_per_unit=joules / passed,
        unit=unit,
        mean_power_w=joules / seconds,
        joules_per_mac=joules / macs if macs else None,
        components=[
            EnergyShare(
                component=part.name,
                joules=part.joules,
                share=part.joules / joules if joules else 0.0,
                source=part.source,
                grade=part.grade,
                standing=part.standing,
            )
            for part in components
        ],
        coefficients=[
            _coefficient(table, name) for name in (table.provenance if coefficients is None else coefficients)
        ],
    )


def fpga_energy_use(counts: FpgaCounts, table: FpgaTable | None, *, passed: int, unit: Unit) -> EnergyUse | None:
    """Energy of a run on an FPGA, or None where energy is off.

    Parameters
    ----------
    passed : how many of `unit` passed the machine
    """
    if table is None:
        return None
    components = break_down_fpga(counts, table)
    return energy_use(
        components,
        table,
        joules=fsum(component.joules for component in components),
        seconds=counts.seconds,
        passed=passed,
        unit=unit,
        macs=counts.macs,
    )


def _coefficient(table: EnergyTable[Any], name: str) -> EnergyCoefficient:
    origin = table.provenance[name]
    return EnergyCoefficient(
        name=name,
        value=getattr(table.coefficients, name),
        grade=origin.grade,
        confidence=origin.confidence,
        source=origin.source,
        fitted=origin.fit.text if origin.fit else None,
    )
