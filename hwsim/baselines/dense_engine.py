"""Dense attention on an FPGA with as many DSPs as another design has: what a window saves at equal hardware.

Modelled, not measured: products alone, on multiply-accumulate units of a share of the DSPs. Softmax runs beside them,
and memory is never waited for, so the times are low.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from hwsim.errors import MachineError


@dataclass(frozen=True, kw_only=True)
class DenseEngine:
    """Multiply-accumulate units that compute every pair of queries and keys.

    Attributes
    ----------
    dsps : of the design that it is compared with
    dsps_per_mac : of one unit, in the format that is compared
    mac_interval : cycles from one multiply-accumulate of a unit to its next
    efficiency : share of the cycles in which units have work
    """

    dsps: int
    dsps_per_mac: float
    clock_hz: float
    mac_interval: int = 1
    efficiency: float = 1.0

    def __post_init__(self) -> None:
        if self.dsps_per_mac <= 0 or self.dsps < self.dsps_per_mac:
            raise MachineError(
                f"dense engine: {self.dsps} DSPs hold no multiply-accumulate unit of {self.dsps_per_mac:g} DSPs"
            )
        if self.clock_hz <= 0 or self.mac_interval < 1:
            raise MachineError(
                f"dense engine: expected a clock above 0 Hz and an interval of at least 1 cycle, got "
                f"{self.clock_hz:g} Hz and {self.mac_interval}"
            )
        if not 0 < self.efficiency <= 1:
            raise MachineError(f"dense engine: efficiency must be above 0 and at most 1, got {self.efficiency:g}")

    @property
    def units(self) -> int:
        return int(self.dsps // self.dsps_per_mac)

    @property
    def macs_per_cycle(self) -> float:
        return self.units * self.efficiency / self.mac_interval

    def head_cycles(self, tokens: int, head_dim: int) -> int:
        """QK and SV of one head over all pairs."""
        return ceil(2 * tokens**2 * head_dim / self.macs_per_cycle)

    def attention_s(self, tokens: int, head_dim: int, heads: int = 1) -> float:
        """Seconds of one layer's heads, one after the other."""
        return heads * self.head_cycles(tokens, head_dim) / self.clock_hz
