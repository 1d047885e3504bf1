"""Energy of a run on an FPGA by component, and the table that it is counted with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from hwsim.energy.breakdown import Component
from hwsim.energy.fpga.coefficients import FPGA, FpgaCoefficients
from hwsim.energy.fpga.counts import FpgaCounts
from hwsim.energy.table import OFF, EnergyTable, read_table
from hwsim.errors import EnergyError

FpgaTable: TypeAlias = EnergyTable[FpgaCoefficients]


def fpga_table(source: str, overrides: Mapping[str, float] | None = None) -> FpgaTable | None:
    """The table that a machine's parameters `energy` and `energy_table` name, or None where energy is `off`.

    Raises
    ------
    EnergyError : as `read_table`; coefficients that are set although energy is off
    """
    if source != OFF:
        return read_table(FPGA, source, overrides)
    if overrides:
        raise EnergyError(f"energy_table.{next(iter(overrides))} is set, but energy is off")
    return None


def break_down_fpga(counts: FpgaCounts, table: FpgaTable) -> tuple[Component, ...]:
    """Energy by component; the components add up to the total."""
    c = table.coefficients
    own = tuple(
        Component(
            name=name,
            joules=joules,
            source=c.formulas[name][0],
            grade=table.worst_grade(c.formulas[name][1]),
            standing=name in c.standing,
        )
        for name, joules in c.joules(counts).items()
    )
    return own + counts.memory if c.without_memory else own
