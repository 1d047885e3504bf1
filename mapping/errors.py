"""Errors that a user of the compiler can cause; each message is one line that says what was found and expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Base of every error caused by input; the command line prints it and exits 2."""


class WorkloadError(UserError):
    """A workload file or field is wrong."""


class PatternError(UserError):
    """An attention pattern is wrong in itself, or does not fit the queries and keys that it is asked for."""


class ConfigError(UserError):
    """A model's configuration file cannot be imported."""


class GraphError(UserError):
    """An operator graph is inconsistent: shapes, formats or connections."""


class MappingError(UserError):
    """A graph does not fit the target it is mapped to."""


class CapacityError(MappingError):
    """Weights, caches or vectors need more room than the target has."""


MOST_SHOWN = 20  # names that a message lists


def nearest(name: str, known: Iterable[str]) -> str:
    """`; nearest: a, b` for a message about an unknown name, with the valid ones that resemble it."""
    valid = sorted(known)
    close = difflib.get_close_matches(name, valid, n=3, cutoff=0.4)
    more = ", ..." if len(valid) > MOST_SHOWN else ""
    return f"; nearest: {', '.join(close)}" if close else f"; valid: {', '.join(valid[:MOST_SHOWN])}{more}"
