"""Errors that a user of the simulator can cause; the command line prints one line and exits 2."""

from mapping.errors import GraphError, MappingError, UserError, WorkloadError, nearest

__all__ = [
    "DramError",
    "GraphError",
    "MachineError",
    "MappingError",
    "OutputError",
    "TraceError",
    "UserError",
    "WorkloadError",
    "nearest",
]


class MachineError(UserError):
    """A machine is unknown, or one of its parameters is wrong."""


class DramError(UserError):
    """A DRAM standard, program or command log is wrong."""


class OutputError(UserError):
    """A result cannot be written where it was asked for."""


class TraceError(UserError):
    """An instruction trace is wrong."""
