"""The energy of a memory as components of a machine's energy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hwsim.dram.currents.energy import NS, PlayCounts, PlayEnergy, play_energy
from hwsim.dram.currents.sourced import Currents
from hwsim.dram.device.standard import Standard
from hwsim.energy.breakdown import Component

if TYPE_CHECKING:
    from hwsim.dram.random_access.served import Served

SOURCES = {
    "activate_precharge": "V (IDD0 tRC - standby of one open row over tRAS - IDD2N tRP) an activate",
    "read": "V (IDD4R - IDD3N) over a read's burst",
    "write": "V (IDD4W - IDD3N) over a write's burst",
    "refresh_all_bank": "V (IDD5B - IDD2N) over tRFC",
    "refresh_fine": "refreshes of some banks, by their own current or their share",
    "active_standby": "V IDD3N while a row of the rank is open",
    "precharge_standby": "V IDD2N for the rest of the time",
    "io": "reads and writes in the supply of the pins",
}
STANDING = ("refresh_all_bank", "refresh_fine", "active_standby", "precharge_standby")


def memory_energy(
    served: Served, standard: Standard, currents: Currents, *, seconds: float, measured: Standard | None = None
) -> PlayEnergy:
    """Energy of a board's memory over a whole run.

    Parameters
    ----------
    served : its counters
    standard : as it was played
    seconds : of the run; after the memory's last access its rows are taken as closed
    measured : the standard with the timing that the currents were measured with, where that is another

    Raises
    ------
    EnergyError : currents that contradict each other
    """
    counts = PlayCounts.of(served, standard)
    whole_ns = served.open_cycles.size * seconds * NS
    lasting = replace(counts, rank_ns=max(counts.rank_ns, whole_ns))
    return play_energy(lasting, measured or standard, currents, seconds=seconds)


def memory_components(energy: PlayEnergy) -> tuple[Component, ...]:
    """A component a part of a play's energy, each as certain as the currents; parts without energy are left out."""
    return tuple(
        Component(
            name=f"dram_{part}",
            joules=joules,
            source=SOURCES[part],
            grade=energy.currents.grade,
            standing=part in STANDING,
        )
        for part, joules in energy.joules.items()
        if joules
    )
