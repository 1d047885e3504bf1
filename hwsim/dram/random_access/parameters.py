"""The controller's parameters: defaults from data, replaced by name, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from hwsim.data_file import read_data
from hwsim.errors import DramError, nearest

MOST_ENTRIES = 4096


@dataclass(frozen=True, kw_only=True)
class ControllerParameters:
    """An open-page FR-FCFS controller; controller.yaml explains each parameter.

    Raises
    ------
    DramError : a value out of range, or a watermark that the queue can never reach
    """

    read_queue: int
    write_queue: int
    write_high: int
    write_low: int
    most_writes_a_drain: int
    least_reads_between: int
    bypass_cap: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "write_low" else 1
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST_ENTRIES:
                raise DramError(
                    f"controller: {field.name} must be a whole number from {least} to {MOST_ENTRIES}, got {value!r}"
                )
        if not self.write_low < self.write_high <= self.write_queue:
            raise DramError(
                f"controller: write_low {self.write_low} must lie below write_high {self.write_high}, "
                f"and that within write_queue {self.write_queue}"
            )


def load_parameters(changes: Mapping[str, int] | None = None) -> ControllerParameters:
    """The shipped parameters with some replaced.

    Raises
    ------
    DramError : an unknown name (the message names the nearest), or a value out of range
    """
    values = dict(read_data("hwsim.dram.random_access", "controller.yaml")["controller"])
    for name, value in (changes or {}).items():
        if name not in values:
            raise DramError(f"controller: no parameter {name!r}{nearest(name, values)}")
        values[name] = value
    return ControllerParameters(**values)
