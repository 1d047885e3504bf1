"""A processor as its data sheet describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from hwsim.data_file import read_data
from hwsim.errors import MachineError, nearest

ELEMENT_BYTES = {"bf16": 2, "fp16": 2, "fp32": 4}


@dataclass(frozen=True, kw_only=True)
class Device:
    """Peaks and costs of a GPU or CPU; `provenance` gives grade and source of each figure.

    Attributes
    ----------
    flop_per_s : peak by number format, a multiply-accumulate counted as two
    launch_overhead_s : time an operator costs besides computing and moving data
    compute_efficiency, memory_efficiency : share of the peaks that an operator reaches; 1 is the pure roofline
    active_fraction : share of `tdp_w` drawn while an operator computes or moves data
    idle_fraction : share of `tdp_w` drawn during launch overhead
    """

    key: str
    name: str
    kind: Literal["gpu", "cpu"]
    flop_per_s: Mapping[str, float]
    memory_bytes_per_s: float
    launch_overhead_s: float
    compute_efficiency: float
    memory_efficiency: float
    tdp_w: float
    active_fraction: float
    idle_fraction: float
    provenance: Mapping[str, Mapping[str, Any]]

    def runs(self, fmt: str) -> str:
        """The format in which this device computes and stores a model in `fmt`: the same, or the closest it has.

        Raises
        ------
        MachineError : a format that is not floating point of 16 or 32 bits
        """
        if fmt not in ELEMENT_BYTES:
            raise MachineError(f"{self.name}: no baseline for format {fmt!r}{nearest(fmt, ELEMENT_BYTES)}")
        candidates = [fmt] if fmt == "fp32" else [fmt, "bf16", "fp16", "fp32"]
        return next(name for name in candidates if name in self.flop_per_s)


@cache
def devices() -> Mapping[str, Device]:
    """All devices by key, from devices.yaml."""
    document = read_data("hwsim.baselines", "devices.yaml")
    return {key: Device(key=key, **fields) for key, fields in document.items()}


def find_device(key: str) -> Device:
    """A device by its key.

    Raises
    ------
    MachineError : no such device; the message names the nearest
    """
    known = devices()
    if key not in known:
        raise MachineError(f"{key}: no such baseline device{nearest(key, known)}")
    return known[key]
