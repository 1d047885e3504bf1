"""Multiply-accumulates a second that the units can do, and bytes that the memory can move."""

from __future__ import annotations

from hwsim.machines.swat.parts import channels_in_use
from hwsim.machines.swat.spec import SwatSpec


def peak_macs_per_s(spec: SwatSpec) -> float:
    """Of the cores and the companion's array together."""
    return cores_macs_per_s(spec) + companion_macs_per_s(spec)


def cores_macs_per_s(spec: SwatSpec) -> float:
    """Of a multiplier for QK and one for SV in each core."""
    rates = 1 / spec.qk_interval + 1 / spec.sv_interval
    return spec.cores * spec.pipelines * rates * float(spec.clock_hz)


def companion_macs_per_s(spec: SwatSpec) -> float:
    """Of the companion's array."""
    return spec.companion_units.peak_macs_per_s if spec.companion_units else 0.0


def hbm_bytes_per_s(spec: SwatSpec) -> float:
    """Of the channels in use: a burst of the standard each nBL cycles."""
    standard = spec.standard
    return channels_in_use(spec) * standard.column_bytes * float(standard.clock_hz) / standard.params["nBL"]
