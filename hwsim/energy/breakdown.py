"""Counts of actions times the cost of each: energy by component."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hwsim.energy.coefficients import Coefficients
from hwsim.energy.supply import DramDevice, DramPowers
from hwsim.energy.table import EnergyTable
from hwsim.errors import EnergyError

PJ = 1e-12
MW = 1e-3


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a run did, over all channels.

    Attributes
    ----------
    channel_seconds : time times channels; open_channel_seconds is the part with at least one row open, and
        open_bank_seconds is summed over the banks with an open row
    activates : rows opened, each bank of an all-bank command counted
    reads, writes : bursts between one bank and the pins
    write_all_columns : columns written by all-bank writes, each bank counted
    mac_columns : columns read by all-bank MACs, each bank counted; macs : multiply-accumulates in them
    buffer_reads, buffer_writes : accesses to the channels' vector buffers
    asic_seconds : time of the run; asic_busy_cycles : cycles of it in which the ASIC works
    """

    channel_seconds: float
    open_channel_seconds: float
    open_bank_seconds: float
    activates: int
    reads: int
    writes: int
    write_all_columns: int
    mac_columns: int
    macs: int
    refreshes: int
    buffer_reads: int
    buffer_writes: int
    io_bits: int
    asic_seconds: float
    asic_busy_cycles: int


@dataclass(frozen=True, kw_only=True)
class Component:
    """Energy of one component.

    Attributes
    ----------
    source : how it is computed
    grade : the grade of its least certain coefficient
    standing : it depends on time, whether or not there is work
    """

    name: str
    joules: float
    source: str
    grade: str
    standing: bool = False


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The cost of each action, for a table and a device.

    Raises
    ------
    EnergyError : coefficients that contradict each other: a power or an energy comes out below 0
    """

    table: EnergyTable[Coefficients]
    device: DramDevice
    dram: DramPowers

    @classmethod
    def of(cls, table: EnergyTable[Coefficients], device: DramDevice) -> Costs:
        dram = table.coefficients.dram(device)
        for field in fields(dram):
            value = getattr(dram, field.name)
            if value < 0:
                quantity, _, unit = field.name.rpartition("_")
                why = ""
                if field.name == "activate_pj":
                    why = ": IDD0 over tRC lies below the standby that it contains; a smaller standby_rho helps"
                raise EnergyError(
                    f"energy table {table.name}: {quantity.replace('_', ' ')} comes to {value:.4g} {_UNITS[unit]}{why}"
                )
        return cls(table=table, device=device, dram=dram)

    @property
    def _bursts(self) -> float:
        """Number of accesses of the table's size in one column access of the device."""
        return self.device.access_bytes / self.table.coefficients.access_bytes

    @property
    def read_pj(self) -> float:
        """One column read of one bank, without the pins."""
        return self.dram.read_mw * self.table.coefficients.access_ns * self._bursts

    @property
    def write_pj(self) -> float:
        """One column written to one bank, without the pins."""
        return self.dram.write_mw * self.table.coefficients.access_ns * self._bursts

    @property
    def write_all_pj(self) -> float:
        """One bank's column in an all-bank write."""
        return self.write_pj * self.table.coefficients.write_all_share

    @property
    def mac_pj(self) -> float:
        """One bank's column in an all-bank MAC, without the `mac_units`, which are counted separately."""
        c = self.table.coefficients
        return self.dram.read_mw * c.mac_ns * c.mac_read_share * self._bursts

    @property
    def refresh_pj(self) -> float:
        """One refresh of all banks."""
        return self.dram.refresh_mw * self.device.refresh_ns


_UNITS = {"mw": "mW", "pj": "pJ"}
_STANDING = ("dram_background", "dram_refresh", "asic_static")  # components of `break_down` that time costs


def break_down(counts: Counts, costs: Costs) -> tuple[Component, ...]:
    """Energy by component; the components add up to the total."""
    c, dram = costs.table.coefficients, costs.dram
    static_w = c.asic_mw * c.asic_static_share * MW
    dynamic_pj = c.asic_mw * (1 - c.asic_static_share) / c.asic_ghz  # a cycle: mW x ns
    joules = {
        "dram_background": MW
        * (
            dram.closed_mw * counts.channel_seconds
            + dram.any_open_mw * counts.open_channel_seconds
            + dram.per_open_mw * counts.open_bank_seconds
        ),
        "dram_activate": counts.activates * dram.activate_pj * PJ,
        "dram_read": counts.reads * costs.read_pj * PJ,
        "dram_write": (counts.writes * costs.write_pj + counts.write_all_columns * costs.write_all_pj) * PJ,
        "dram_mac": counts.mac_columns * costs.mac_pj * PJ,
        "dram_refresh": counts.refreshes * costs.refresh_pj * PJ,
        "mac_units": counts.macs * c.mac_units_mw / c.mac_units_macs_per_ns * PJ,
        "vector_buffer": (counts.buffer_reads * c.buffer_read_mw + counts.buffer_writes * c.buffer_write_mw)
        * c.buffer_ns
        * PJ,
        "dram_io": counts.io_bits * c.io_pj_per_bit * PJ,
        "asic_static": static_w * counts.asic_seconds,
        "asic_dynamic": counts.asic_busy_cycles * dynamic_pj * PJ,
    }
    return tuple(
        Component(
            name=name,
            joules=value,
            source=c.formulas[name][0],
            grade=costs.table.worst_grade(c.formulas[name][1]),
            standing=name in _STANDING,
        )
        for name, value in joules.items()
    )
