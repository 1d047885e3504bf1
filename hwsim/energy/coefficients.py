"""The coefficients of tables for memories that compute, and the equations that turn them into powers and energies.

Two kinds of table: `Currents` as a data sheet gives them, for the standard DRAM power equations (`Supply`), and
measured `Powers`. Both end in the same `DramPowers`. mA x V = mW and mW x ns = pJ throughout.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import Field

from hwsim.energy.coefficient_set import MOST, CoefficientSet
from hwsim.energy.family import Family
from hwsim.energy.supply import DramDevice, DramPowers, Supply, split_standby


class Coefficients(CoefficientSet, ABC):
    """The coefficients of every such table."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {
        "mac_units": (
            "power of all units at full rate, for each multiply-accumulate",
            ("mac_units_mw", "mac_units_macs_per_ns"),
        ),
        "vector_buffer": (
            "a write for each transfer in, a read for each MAC command",
            ("buffer_read_mw", "buffer_write_mw", "buffer_ns"),
        ),
        "dram_io": ("bits over the pins", ("io_pj_per_bit",)),
        "asic_static": ("share of the power, all the time", ("asic_mw", "asic_static_share")),
        "asic_dynamic": ("rest of the power, in busy cycles", ("asic_mw", "asic_static_share", "asic_ghz")),
    }

    standby_rho: float = Field(
        ge=0, le=1, description="share of active standby that one open row causes; the rest grows with open rows"
    )
    access_ns: float = Field(ge=0, le=MOST, description="time over which a read or write of access_bytes takes power")
    access_bytes: float = Field(gt=0, le=MOST)
    mac_ns: float = Field(ge=0, le=MOST, description="time over which a column of an all-bank MAC takes power")
    mac_read_share: float = Field(
        ge=0, le=1, description="read power that one bank's column takes in an all-bank MAC, whose data stays inside"
    )
    write_all_share: float = Field(
        ge=0, le=1, description="write power that one bank's column takes in an all-bank write"
    )
    mac_units_mw: float = Field(ge=0, le=MOST, description="all MAC units of a channel at full rate")
    mac_units_macs_per_ns: float = Field(gt=0, le=MOST, description="that rate")
    buffer_read_mw: float = Field(ge=0, le=MOST)
    buffer_write_mw: float = Field(ge=0, le=MOST)
    buffer_ns: float = Field(ge=0, le=MOST)
    io_pj_per_bit: float = Field(ge=0, le=MOST)
    asic_mw: float = Field(ge=0, le=MOST)
    asic_static_share: float = Field(ge=0, le=1)
    asic_ghz: float = Field(gt=0, le=MOST, description="clock at which asic_mw holds")

    @abstractmethod
    def dram(self, device: DramDevice) -> DramPowers:
        """The powers of one channel. One below 0 means contradictory coefficients; the caller must refuse it."""


class Currents(Coefficients):
    """Data sheet currents of one channel, for the equations of `Supply`."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {
        "dram_background": (
            "VDD (IDD2N, up to IDD3N with open rows) over time",
            ("vdd_v", "idd2n_ma", "idd3n_ma", "standby_rho"),
        ),
        "dram_activate": (
            "VDD (IDD0 tRC - standby of one open row over tRAS - IDD2N tRP)",
            ("vdd_v", "idd0_ma", "idd2n_ma", "idd3n_ma", "standby_rho"),
        ),
        "dram_read": ("VDD (IDD4R - IDD3N) a burst", ("vdd_v", "idd4r_ma", "idd3n_ma", "access_ns")),
        "dram_write": (
            "VDD (IDD4W - IDD3N) a burst; a share of it in each bank of an all-bank write",
            ("vdd_v", "idd4w_ma", "idd3n_ma", "access_ns", "write_all_share"),
        ),
        "dram_mac": (
            "a share of VDD (IDD4R - IDD3N) in each bank",
            ("vdd_v", "idd4r_ma", "idd3n_ma", "mac_ns", "mac_read_share"),
        ),
        "dram_refresh": ("VDD (IDD5B - IDD2N) over tRFC", ("vdd_v", "idd5b_ma", "idd2n_ma")),
        **Coefficients.formulas,
    }

    vdd_v: float = Field(gt=0, le=100)
    idd0_ma: float = Field(ge=0, le=MOST, description="one bank activates and precharges")
    idd2n_ma: float = Field(ge=0, le=MOST, description="all rows closed")
    idd3n_ma: float = Field(ge=0, le=MOST, description="rows open")
    idd4r_ma: float = Field(ge=0, le=MOST, description="reads back to back")
    idd4w_ma: float = Field(ge=0, le=MOST, description="writes back to back")
    idd5b_ma: float = Field(ge=0, le=MOST, description="refreshes back to back")

    def dram(self, device: DramDevice) -> DramPowers:
        supply = Supply(
            volts=self.vdd_v,
            idd0_ma=self.idd0_ma,
            idd2n_ma=self.idd2n_ma,
            idd3n_ma=self.idd3n_ma,
            idd4r_ma=self.idd4r_ma,
            idd4w_ma=self.idd4w_ma,
            idd5b_ma=self.idd5b_ma,
        )
        return supply.powers(device, self.standby_rho)


class Powers(Coefficients):
    """Measured powers of one channel; those of actions are added to standby."""

    formulas: ClassVar[dict[str, tuple[str, tuple[str, ...]]]] = {
        "dram_background": (
            "precharged standby, up to active standby with open rows, over time",
            ("precharged_standby_mw", "active_standby_mw", "standby_rho"),
        ),
        "dram_activate": ("power over its time", ("activate_mw", "activate_ns")),
        "dram_read": ("read power a burst", ("read_mw", "access_ns")),
        "dram_write": (
            "write power a burst; a share of it in each bank of an all-bank write",
            ("write_mw", "access_ns", "write_all_share"),
        ),
        "dram_mac": ("a share of read power in each bank", ("read_mw", "mac_ns", "mac_read_share")),
        "dram_refresh": ("power over tRFC", ("refresh_mw",)),
        **Coefficients.formulas,
    }

    precharged_standby_mw: float = Field(ge=0, le=MOST)
    active_standby_mw: float = Field(ge=0, le=MOST)
    activate_mw: float = Field(ge=0, le=MOST)
    activate_ns: float = Field(ge=0, le=MOST, description="time over which activate_mw flows")
    read_mw: float = Field(ge=0, le=MOST)
    write_mw: float = Field(ge=0, le=MOST)
    refresh_mw: float = Field(ge=0, le=MOST)

    def dram(self, device: DramDevice) -> DramPowers:
        standby_mw = self.active_standby_mw - self.precharged_standby_mw
        any_mw, per_mw = split_standby(standby_mw, self.standby_rho, device.banks)
        return DramPowers(
            closed_mw=self.precharged_standby_mw,
            any_open_mw=any_mw,
            per_open_mw=per_mw,
            activate_pj=self.activate_mw * self.activate_ns,
            read_mw=self.read_mw,
            write_mw=self.write_mw,
            refresh_mw=self.refresh_mw,
        )


EQUATIONS: dict[str, type[Coefficients]] = {"currents": Currents, "powers": Powers}
TABLES = ("paper", "aim", "dramsim3")
PIM: Family[Coefficients] = Family(names=TABLES, equations=EQUATIONS)
