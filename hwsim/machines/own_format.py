"""A model that leaves its number format to the machine, in that of the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.machines.machine import Machine
    from hwsim.mapping.workload.workload import Workload


def in_own_format(workload: Workload[Any, Any], machine: Machine[Any, Any, Any, Any], spec: Any) -> Workload[Any, Any]:
    """The workload as a machine runs it: a model that states no `format` has the machine's own, where it has one."""
    own = machine.own_format(spec)
    if own is None or states_format(workload):
        return workload
    return replace(workload, model=workload.model.model_copy(update={"format": own}))


def states_format(workload: Workload[Any, Any]) -> bool:
    """Whether a file or setting says what the model's number format is."""
    return "format" in workload.model.model_fields_set
