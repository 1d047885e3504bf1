"""What a machine is asked to verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hwsim.mapping.workload.workload import Workload


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """A verification.

    Attributes
    ----------
    workload : at the size to be verified
    own : the workload at its full size
    weights : `random:SEED` or a folder
    full : whether the user asked for everything, where a verification usually takes a part
    progress : called with (tokens or layers done, in all)
    """

    workload: Workload[Any, Any]
    own: Workload[Any, Any]
    weights: str
    full: bool = False
    progress: Callable[[int, int], None] | None = None
