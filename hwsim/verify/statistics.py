"""Errors, gathered value by value."""

from __future__ import annotations

import numpy as np

from hwsim.verify.float64 import Values
from hwsim.verify.report import FunctionError, LayerError

# Functions of one value: errors are relative to the value itself. In all others terms of a sum may cancel, so that a
# single result does not show the size of its inputs: errors are relative to the root mean square of the result's
# vector.
SCALAR = ("exp", "reciprocal", "rsqrt", "gelu", "silu")


class ErrorStatistics:
    """Maximum and mean of absolute and relative errors of one function."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.values = self.not_finite = self.relative_values = 0
        self.max_absolute = self.sum_absolute = self.max_relative = self.sum_relative = 0.0

    def add(self, result: Values, exact: Values) -> None:
        """Add results and the exact results, both of one shape; the last axis is a vector."""
        measure = np.abs(exact) if self.function in SCALAR else _root_mean_square(exact)
        finite = np.isfinite(result) & np.isfinite(exact)
        errors = np.abs(result - exact, where=finite, out=np.zeros(finite.shape))[finite]
        measures = np.broadcast_to(measure, finite.shape)[finite]
        self.values += finite.size
        self.not_finite += int(finite.size - finite.sum())
        relative = errors[measures > 0] / measures[measures > 0]
        self.relative_values += relative.size
        self.max_absolute = max(self.max_absolute, errors.max(initial=0.0))
        self.sum_absolute += float(errors.sum())
        self.max_relative = max(self.max_relative, relative.max(initial=0.0))
        self.sum_relative += float(relative.sum())

    def result(self) -> FunctionError:
        """The statistics so far, for the report."""
        return FunctionError(
            function=self.function,
            values=self.values,
            not_finite=self.not_finite,
            max_absolute=self.max_absolute,
            mean_absolute=self.sum_absolute / max(self.values - self.not_finite, 1),
            max_relative=self.max_relative,
            mean_relative=self.sum_relative / max(self.relative_values, 1),
            relative_to="its value" if self.function in SCALAR else "RMS of the vector",
        )


class FunctionErrors:
    """Statistics of every function that a machine shows, in the order of their first appearance."""

    def __init__(self) -> None:
        self.by_function: dict[str, ErrorStatistics] = {}

    def observe(self, function: str, result: Values, exact: Values) -> None:
        self.by_function.setdefault(function, ErrorStatistics(function)).add(result, exact)

    def results(self) -> list[FunctionError]:
        return [statistics.result() for statistics in self.by_function.values()]


def layer_error(name: str, result: Values, exact: Values) -> LayerError:
    """How far a vector is from the exact one."""
    errors = np.abs(result - exact)
    norm = float(np.sqrt((exact**2).sum()))
    if not np.isfinite(errors).all():
        return LayerError(layer=name, max_absolute=None, mean_absolute=None, relative_norm=None)
    return LayerError(
        layer=name,
        max_absolute=float(errors.max()),
        mean_absolute=float(errors.mean()),
        relative_norm=float(np.sqrt((errors**2).sum())) / norm if norm else None,
    )


def _root_mean_square(exact: Values) -> Values:
    """Root mean square of each vector along the last axis."""
    return np.asarray(np.sqrt(np.mean(np.square(exact), axis=-1, keepdims=True)))
