"""Energy of a play on a memory: what its counters say, times what the currents say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from hwsim.dram.currents.sourced import Currents
from hwsim.dram.device.standard import Standard
from hwsim.energy.supply import DramDevice, DramPowers
from hwsim.errors import EnergyError

if TYPE_CHECKING:
    from hwsim.dram.random_access.served import Served

NS = 1e9
PJ = 1e-12
ROUNDING = 1e-9  # a supply that draws the same in all states leaves differences of this size
PARTS = (
    "activate_precharge",
    "read",
    "write",
    "refresh_all_bank",
    "refresh_fine",
    "active_standby",
    "precharge_standby",
    "io",
)


@dataclass(frozen=True, kw_only=True)
class PlayCounts:
    """What a play did, over all channels and ranks.

    Attributes
    ----------
    refreshes_all, refreshes_fine : refreshes of all banks of a rank, and of some
    rank_ns, open_ns, open_bank_ns : time of all ranks, with an open row in the rank, and of all open rows
    """

    activates: int
    reads: int
    writes: int
    refreshes_all: int
    refreshes_fine: int
    rank_ns: float
    open_ns: float
    open_bank_ns: float

    @classmethod
    def of(cls, served: Served, standard: Standard) -> PlayCounts:
        """The counters of a memory."""
        cycle_ns = NS / float(standard.clock_hz)
        commands = standard.commands.values()

        def issued(kind: str, access: str | None = None) -> int:
            chosen = [c.name for c in commands if c.kind == kind and (access is None or c.access == access)]
            return sum(served.commands.get(name, 0) for name in chosen)

        fine = sum(served.commands.get(c.name, 0) for c in commands if c.kind == "refresh" and c.scope == "bank")
        return cls(
            activates=issued("activate"),
            reads=issued("column", "read"),
            writes=issued("column", "write"),
            refreshes_all=issued("refresh") - fine,
            refreshes_fine=fine,
            rank_ns=served.open_cycles.size * served.until * cycle_ns,
            open_ns=float(served.open_cycles.sum()) * cycle_ns,
            open_bank_ns=float(served.open_bank_cycles.sum()) * cycle_ns,
        )


@dataclass(frozen=True, kw_only=True)
class PlayEnergy:
    """Energy of a play.

    Attributes
    ----------
    joules : by part (`PARTS`); those that no source tells apart are missing
    bits : moved by column accesses
    seconds : time over which it was drawn
    """

    joules: Mapping[str, float]
    bits: int
    seconds: float
    currents: Currents

    @property
    def total(self) -> float:
        return sum(self.joules.values())

    @property
    def pj_per_bit(self) -> float | None:
        """None if nothing was moved."""
        return self.total / PJ / self.bits if self.bits else None

    @property
    def watts(self) -> float:
        """On average."""
        return self.total / self.seconds if self.seconds else 0.0


def play_energy(counts: PlayCounts, measured: Standard, currents: Currents, *, seconds: float) -> PlayEnergy:
    """Energy of a play by the standard DRAM power equations, summed over supplies and chips.

    Parameters
    ----------
    measured : the standard with the timing that the currents were measured with

    Raises
    ------
    EnergyError : currents that contradict each other: a power or an energy comes out below 0
    """
    cycle_ns = NS / float(measured.clock_hz)
    device = _device(measured, cycle_ns)
    picojoules = dict.fromkeys(PARTS, 0.0)
    for name, supply in currents.supplies.items():
        p = supply.powers(device, currents.standby_rho)
        _require_positive(name, p, currents)
        burst_ns = measured.params["nBL"] * cycle_ns
        on_pins = name == currents.pins
        picojoules["activate_precharge"] += counts.activates * p.activate_pj
        picojoules["io" if on_pins else "read"] += counts.reads * p.read_mw * burst_ns
        picojoules["io" if on_pins else "write"] += counts.writes * p.write_mw * burst_ns
        picojoules["refresh_all_bank"] += counts.refreshes_all * p.refresh_mw * device.refresh_ns
        picojoules["refresh_fine"] += counts.refreshes_fine * _fine_pj(name, p, measured, currents)
        picojoules["active_standby"] += (p.closed_mw + p.any_open_mw) * counts.open_ns
        picojoules["active_standby"] += p.per_open_mw * counts.open_bank_ns
        picojoules["precharge_standby"] += p.closed_mw * (counts.rank_ns - counts.open_ns)
    if currents.pins is None:
        del picojoules["io"]
    return PlayEnergy(
        joules={part: currents.chips * value * PJ for part, value in picojoules.items()},
        bits=(counts.reads + counts.writes) * measured.column_bytes * 8,
        seconds=seconds,
        currents=currents,
    )


def _device(measured: Standard, cycle_ns: float) -> DramDevice:
    return DramDevice(
        banks=measured.banks_per_rank,
        access_bytes=measured.column_bytes,
        row_ns=measured.params["nRAS"] * cycle_ns,
        precharge_ns=measured.params["nRP"] * cycle_ns,
        refresh_ns=measured.params["nRFC"] * cycle_ns,
    )


def _fine_pj(name: str, powers: DramPowers, measured: Standard, currents: Currents) -> float:
    """One refresh of some banks: by its own current, or its share of a refresh of all banks."""
    cycle_ns = NS / float(measured.clock_hz)
    fine = currents.fine_refresh
    if fine is not None and name in fine.currents:
        supply = currents.supplies[name]
        beyond_mw = supply.volts * (fine.currents[name] - supply.idd2n_ma)
        return beyond_mw * measured.params[fine.over] * cycle_ns / fine.commands
    command = next((c.name for c in measured.commands.values() if c.kind == "refresh" and c.scope == "bank"), None)
    if command is None:
        return 0.0
    share = len(measured.banks_of(command, 0)) / measured.banks_per_rank
    return share * powers.refresh_mw * measured.params["nRFC"] * cycle_ns


def _require_positive(name: str, powers: DramPowers, currents: Currents) -> None:
    for field in fields(powers):
        if getattr(powers, field.name) < -ROUNDING:
            raise EnergyError(f"{currents.source}: {field.name} of {name} comes out below 0")
