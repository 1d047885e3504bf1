"""Which memory of a standard: bin, device, clock, ranks and refresh, as `hwsim dram` and `hwsim check` take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hwsim.dram.device.standard import Standard
from hwsim.dram.standards.document import choose
from hwsim.dram.standards.load import load_standard, timing_provenance
from hwsim.errors import DramError

UNITS = {"ghz": 10**9, "mhz": 10**6, "khz": 10**3, "hz": 1, "": 1}
MOST_CLOCK = 10**11
REFRESH_OFF = "off"


@dataclass(frozen=True, kw_only=True)
class MemoryChoice:
    """A standard's name or file, and what is chosen of it; None takes what the standard usually has.

    Attributes
    ----------
    clock : text such as 1.2GHz, 1600MHz or a number of Hz
    refresh : off, or a mode of the standard
    """

    standard: str
    bin: str | None = None
    device: str | None = None
    clock: str | None = None
    ranks: int | None = None
    refresh: str = "all_bank"

    def load(
        self, *, timing: Mapping[str, Any] | None = None, rows: int | None = None, columns: int | None = None
    ) -> Standard:
        """The standard as it is chosen, with any of its timing, rows and columns replaced.

        Raises
        ------
        DramError : an unknown standard, bin, device, refresh or parameter, ranks that it has not, a clock out of range
        """
        return load_standard(
            self.standard,
            bin=self.bin,
            device=self.device,
            timing=timing,
            clock_hz=None if self.clock is None else parse_clock(self.clock),
            levels=self._levels(),
            rows=rows,
            columns=columns,
            refresh=False if self.refresh == REFRESH_OFF else self.refresh,
        )

    def provenance(self) -> dict[str, dict[str, Any]]:
        """Grade and source of each timing parameter."""
        return timing_provenance(self.standard, bin=self.bin, device=self.device)

    def named(self) -> tuple[str | None, str | None]:
        """Bin and device, with the usual ones where none is chosen."""
        choice = choose(self.standard, bin=self.bin, device=self.device)
        return choice.bin, choice.device

    def title(self, standard: Standard) -> str:
        """What was loaded, with its bin, device and number of ranks where it has them."""
        ranks = f"{standard.ranks} ranks" if standard.ranks > 1 else None
        parts = [part for part in (*self.named(), ranks) if part]
        return standard.name + (f" ({', '.join(parts)})" if parts else "")

    def _levels(self) -> dict[str, int] | None:
        if self.ranks is None:
            return None
        if self.ranks < 1:
            raise DramError(f"--ranks: expected at least 1, got {self.ranks}")
        if "rank" not in choose(self.standard, bin=self.bin, device=self.device).levels:
            raise DramError(f"--ranks: standard {self.standard} has no ranks")
        return {"rank": self.ranks}


def parse_clock(text: str) -> Fraction:
    """A clock in Hz from `1.2GHz`, `1600MHz` or a number of Hz.

    Raises
    ------
    DramError : any other text, a clock that is not above 0 or above 100 GHz
    """
    number = text.strip().lower().rstrip("ghzmk")
    unit = text.strip().lower()[len(number) :]
    try:
        hz = Fraction(number.strip()) * UNITS[unit]
    except (ValueError, ZeroDivisionError, KeyError):
        raise DramError(f"--clock: expected a clock such as 1.2GHz, 1600MHz or a number of Hz, got {text!r}") from None
    if not 0 < hz <= MOST_CLOCK:
        raise DramError(f"--clock: expected a clock above 0 and up to 100 GHz, got {text!r}")
    return hz
