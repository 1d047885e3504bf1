"""Energy: counts of actions times a table of coefficients."""

from hwsim.energy.breakdown import Component, Costs, Counts, break_down
from hwsim.energy.coefficients import TABLES
from hwsim.energy.supply import DramDevice
from hwsim.energy.table import OFF, EnergyTable, load_table

__all__ = ["OFF", "TABLES", "Component", "Costs", "Counts", "DramDevice", "EnergyTable", "break_down", "load_table"]
