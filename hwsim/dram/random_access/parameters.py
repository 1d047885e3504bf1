"""The controller's parameters: defaults from data, replaced by name, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hwsim.data_file import read_data
from hwsim.errors import DramError, nearest

MOST_ENTRIES = 4096
RowPolicy = Literal["open", "open_adaptive", "closed_adaptive", "closed"]
ROW_POLICIES: tuple[str, ...] = get_args(RowPolicy)


@dataclass(frozen=True, kw_only=True)
class ControllerParameters:
    """An FR-FCFS controller; controller.yaml explains each parameter.

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
    row_policy: RowPolicy = "open"
    row_cap: int = 0

    def __post_init__(self) -> None:
        if self.row_policy not in ROW_POLICIES:
            raise DramError(f"controller: no row_policy {self.row_policy!r}; there are {', '.join(ROW_POLICIES)}")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST_ENTRIES:
                raise DramError(
                    f"controller: {name} must be a whole number from {least} to {MOST_ENTRIES}, got {value!r}"
                )
        if not self.write_low < self.write_high <= self.write_queue:
            raise DramError(
                f"controller: write_low {self.write_low} must lie below write_high {self.write_high}, "
                f"and that within write_queue {self.write_queue}"
            )

    @property
    def closes_rows(self) -> bool:
        """Whether some accesses close their row."""
        return self.row_policy != "open" or self.row_cap > 0


_LEAST = {
    "read_queue": 1,
    "write_queue": 1,
    "write_high": 1,
    "write_low": 0,
    "most_writes_a_drain": 1,
    "least_reads_between": 1,
    "bypass_cap": 1,
    "row_cap": 0,
}


def load_parameters(changes: Mapping[str, Any] | None = None) -> ControllerParameters:
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
