"""Errors that a user of the simulator can cause; the command line prints one line and exits 2."""

from hwsim.mapping.errors import CapacityError, GraphError, MappingError, UserError, WorkloadError, nearest

__all__ = [
    "CapacityError",
    "DramError",
    "EnergyError",
    "GraphError",
    "MachineError",
    "MappingError",
    "OutputError",
    "TraceError",
    "UserError",
    "WeightsError",
    "WiringError",
    "WorkloadError",
    "nearest",
]


class MachineError(UserError):
    """A machine is unknown, or one of its parameters is wrong."""


class WiringError(MachineError):
    """Units are not connected as they must be, or wait for each other for ever."""


class DramError(UserError):
    """A DRAM standard, program or command log is wrong."""


class WeightsError(UserError):
    """Weights that cannot be read, or are not those of the model."""


class OutputError(UserError):
    """A result cannot be written where it was asked for."""


class EnergyError(UserError):
    """An energy table is unknown or contradicts itself."""


class TraceError(UserError):
    """An instruction trace is wrong."""
