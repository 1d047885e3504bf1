"""The energy of a play on a memory, for the report of `hwsim dram`: lines of text and fields of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.dram.currents.energy import PlayEnergy

NAMES = {
    "activate_precharge": "activate and precharge",
    "read": "read",
    "write": "write",
    "refresh_all_bank": "refresh of all banks",
    "refresh_fine": "refresh of some banks",
    "active_standby": "active standby",
    "precharge_standby": "precharge standby",
    "io": "I/O",
}


def energy_lines(energy: PlayEnergy) -> list[str]:
    """Total, power and energy a bit; each part that is not 0, the largest first; where the currents are from."""
    per_bit = "" if energy.pj_per_bit is None else f"{energy.pj_per_bit:,.2f} pJ/bit, "
    c = energy.currents
    chips = f"{c.chips} chips a rank" if c.chips > 1 else "one chip"
    lines = [f"energy     {energy.total * 1e6:,.3f} uJ, {per_bit}{energy.watts * 1e3:,.1f} mW on average"]
    for name, joules in sorted(energy.joules.items(), key=lambda part: -part[1]):
        if joules:
            lines.append(f"           {NAMES[name]:24} {joules * 1e6:12,.3f} uJ {joules / energy.total:7.1%}")
    lines.append(f"           {', '.join(c.supplies)} of {chips}, currents of {c.source} (grade {c.grade})")
    return lines


def energy_fields(energy: PlayEnergy) -> dict[str, Any]:
    """For JSON; `io` is absent where no source tells it apart."""
    c = energy.currents
    return {
        "total_j": energy.total,
        "pj_per_bit": energy.pj_per_bit,
        "average_w": energy.watts,
        "parts_j": dict(energy.joules),
        "supplies": list(c.supplies),
        "chips_a_rank": c.chips,
        "standby_rho": c.standby_rho,
        "grade": c.grade,
        "source": c.source,
    }
