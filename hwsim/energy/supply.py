"""The DRAM power equations (Micron TN-41-01) for the currents that a data sheet states for one supply.

mA x V = mW and mW x ns = pJ throughout.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DramDevice:
    """The properties of a channel that the equations need.

    Attributes
    ----------
    access_bytes : bytes of one column access in one bank
    row_ns, precharge_ns, refresh_ns : tRAS, tRP, tRFC
    """

    banks: int
    access_bytes: int
    row_ns: float
    precharge_ns: float
    refresh_ns: float


@dataclass(frozen=True, kw_only=True)
class DramPowers:
    """Powers of one channel: those of its state first, then those of actions, which are added.

    Attributes
    ----------
    closed_mw : standby, all rows closed
    any_open_mw, per_open_mw : added to it while at least one row is open, and for each open row
    activate_pj : opening and closing one row of one bank, beyond standby
    read_mw, write_mw : accesses back to back, without the pins
    refresh_mw : during tRFC
    """

    closed_mw: float
    any_open_mw: float
    per_open_mw: float
    activate_pj: float
    read_mw: float
    write_mw: float
    refresh_mw: float


@dataclass(frozen=True, kw_only=True)
class Supply:
    """The currents of one supply (VDD, VPP, VDDQ), of one chip or of all chips of a channel, in mA.

    Standby is IDD2N with all rows closed and grows to IDD3N with rows open; IDD0 is one bank cycling through activate
    and precharge, so an activate takes the part above standby with that one row open. During refresh all rows are
    closed and standby already counts IDD2N, so refresh takes IDD5B - IDD2N. (TN-41-01 subtracts IDD3N there; it counts
    active standby in that time.)

    Attributes
    ----------
    idd0_ma : one bank activates and precharges, tRC apart
    idd2n_ma, idd3n_ma : standby with all rows closed, and with rows open
    idd4r_ma, idd4w_ma : reads and writes back to back
    idd5b_ma : refreshes of all banks back to back
    """

    volts: float
    idd0_ma: float
    idd2n_ma: float
    idd3n_ma: float
    idd4r_ma: float
    idd4w_ma: float
    idd5b_ma: float

    def powers(self, device: DramDevice, standby_rho: float) -> DramPowers:
        """Powers of this supply; one below 0 means contradictory currents, which the caller must refuse.

        Parameters
        ----------
        device : row_ns and precharge_ns are those with which IDD0 is measured
        standby_rho : share of active standby that the first open row causes; the rest grows with open rows
        """
        any_ma, per_ma = split_standby(self.idd3n_ma - self.idd2n_ma, standby_rho, device.banks)
        cycle_ns = device.row_ns + device.precharge_ns
        one_open_ma = self.idd2n_ma + any_ma + per_ma
        standby_pj_per_v = one_open_ma * device.row_ns + self.idd2n_ma * device.precharge_ns
        return DramPowers(
            closed_mw=self.volts * self.idd2n_ma,
            any_open_mw=self.volts * any_ma,
            per_open_mw=self.volts * per_ma,
            activate_pj=self.volts * (self.idd0_ma * cycle_ns - standby_pj_per_v),
            read_mw=self.volts * (self.idd4r_ma - self.idd3n_ma),
            write_mw=self.volts * (self.idd4w_ma - self.idd3n_ma),
            refresh_mw=self.volts * (self.idd5b_ma - self.idd2n_ma),
        )


def split_standby(difference: float, standby_rho: float, banks: int) -> tuple[float, float]:
    """Split what all rows open add to standby into a part for any open row and a part for each."""
    return standby_rho * difference, (1 - standby_rho) * difference / banks
