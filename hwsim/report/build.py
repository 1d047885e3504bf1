"""What every machine's report consists of, put together once; a machine gives what is its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hwsim.engine import Unit
from hwsim.parameters.provenance import UNCONFIRMED
from hwsim.parameters.spec_file import SpecFile, SpecT
from hwsim.report.run_time import RunTime
from hwsim.report.schema import Bound, EnergyUse, KindShare, UnconfirmedParameter, UnitUse


def breakdown(time: RunTime, kinds: Mapping[str, int]) -> list[KindShare]:
    """Operator kinds by the ticks that they took, the longest first."""
    return [KindShare(kind=kind, cycles=time.cycles(ticks), share=time.share(ticks)) for kind, ticks in _by_time(kinds)]


def unit_use(time: RunTime, unit: Unit, *, proven: bool) -> UnitUse:
    """How busy a unit was."""
    busy = unit.trace.busy.get(unit.name, 0)
    return UnitUse(
        name=unit.name,
        busy_cycles=time.cycles(busy),
        utilisation=time.share(busy),
        source=unit.source,
        proven=proven,
    )


def bound(time: RunTime, lower: int, distance: Iterable[tuple[str, int]]) -> Bound:
    """The latency as its lower bound and what lies above it.

    Parameters
    ----------
    lower : ticks that nothing can undercut
    distance : causes with their ticks; with `lower` they add up to the run

    Raises
    ------
    AssertionError : they do not
    """
    parts = list(distance)
    assert lower + sum(ticks for _, ticks in parts) == time.ticks, "bound and distance must add up to the latency"
    least = time.seconds(lower)
    return Bound(
        lower_bound_s=least,
        ratio=time.seconds(time.ticks) / least if least else 0.0,
        distance=[{"cause": cause, "seconds": time.seconds(ticks)} for cause, ticks in parts],
    )


def busiest(time: RunTime, busy: Mapping[str, int], kinds: Mapping[str, int]) -> tuple[str, str]:
    """The unit that is busiest, and one line about it and the work that takes most time."""
    unit = max(busy, key=lambda name: busy[name])
    most = ", ".join(kind for kind, _ in _by_time(kinds)[:2])
    return unit, f"{unit}: busy {time.share(busy[unit]):.1%} of the time; most time goes to {most}"


def unconfirmed(spec_file: SpecFile[SpecT], spec: SpecT, energy: EnergyUse | None) -> list[UnconfirmedParameter]:
    """Parameters of the machine, then coefficients of the energy table in use, that are remembered or assumed."""
    found = [UnconfirmedParameter(**vars(entry)) for entry in spec_file.unconfirmed(spec)]
    for entry in energy.coefficients if energy else ():
        if entry.grade in UNCONFIRMED:
            found.append(UnconfirmedParameter(**{**entry.model_dump(), "name": f"energy_table.{entry.name}"}))
    return found


def _by_time(kinds: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(kinds.items(), key=lambda item: -item[1])
