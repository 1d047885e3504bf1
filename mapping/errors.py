"""Errors that a user of the compiler can cause; each message is one line that says what was found and expected."""


class UserError(Exception):
    """Base of every error caused by input; the command line prints it and exits 2."""


class WorkloadError(UserError):
    """A workload file or field is wrong."""


class GraphError(UserError):
    """An operator graph is inconsistent: shapes, formats or connections."""


class MappingError(UserError):
    """A graph does not fit the target it is mapped to."""
