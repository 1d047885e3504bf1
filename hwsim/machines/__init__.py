"""The machines, by name."""

from __future__ import annotations

from typing import Any

from hwsim.machines import aim, pim_gpt
from hwsim.machines.machine import Machine

MACHINES: dict[str, Machine[Any, Any, Any, Any]] = {
    "pim_gpt": pim_gpt.MACHINE,
    "aim": aim.MACHINE,
}
