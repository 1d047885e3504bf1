"""The energy of a memory as components of a machine's energy."""

from __future__ import annotations

from hwsim.dram.currents.energy import PlayEnergy
from hwsim.energy.breakdown import Component

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
